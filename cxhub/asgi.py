"""The ASGI application: HTTP to Django, websockets to the chat and inbox consumers."""

import os
from contextlib import suppress
from typing import Any

from autobahn.exception import Disconnected
from django.core.asgi import get_asgi_application
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.exception import convert_exception_to_response
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cxhub.settings")
http_application = get_asgi_application()  # loads the apps, so it comes before the consumers' imports

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from conversations.chat.websocket_urls import websocket_urlpatterns as chat_urls  # noqa: E402
from conversations.inbox.websocket_urls import websocket_urlpatterns as inbox_urls  # noqa: E402

WEBHOOKS = "/voice/"
"""Where the addresses of the phone platform's webhooks begin."""


class WithoutMiddleware(ASGIHandler):
    """Django for webhooks: a signature proves who sent them, and nothing that stands in between for browsers does anything for them.

    It would cost each of them a thread that waits for all of the work, and a tenth of the processor time of a turn by phone.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        """None, but that what a view raises becomes an answer."""
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._middleware_chain = convert_exception_to_response(self._get_response_async)  # type: ignore[attr-defined]


def outlasting_its_socket(consumer: Any) -> Any:
    """A websocket application that may go on sending while its socket closes.

    Daphne raises when a frame is sent between the closing handshake and the end of the connection. The consumer would die
    there, without hearing of the end, and stay in its groups; so such a frame is dropped.
    """

    async def application(scope: Any, receive: Any, send: Any) -> Any:
        async def send_while_open(message: Any) -> None:
            with suppress(Disconnected):
                await send(message)

        return await consumer(scope, receive, send_while_open)

    return application


async def refuse_unknown_socket(scope: Any, receive: Any, send: Any) -> Any:
    """Close a websocket to an address that does not exist; Channels would log an error with a traceback."""
    await send({"type": "websocket.close"})


routes: list[Any] = [*chat_urls, *inbox_urls, re_path("", refuse_unknown_socket)]
sockets = outlasting_its_socket(AuthMiddlewareStack(URLRouter(routes)))
webhooks = WithoutMiddleware()


async def http(scope: Any, receive: Any, send: Any) -> None:
    """A page, or a webhook."""
    await (webhooks if scope["path"].startswith(WEBHOOKS) else http_application)(scope, receive, send)


application = ProtocolTypeRouter({"http": http, "websocket": sockets})
