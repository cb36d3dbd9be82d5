"""The ASGI application: HTTP to Django, websockets to the chat and inbox consumers."""

import os
from contextlib import suppress
from typing import Any

from autobahn.exception import Disconnected
from django.core.asgi import get_asgi_application
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cxhub.settings")
http_application = get_asgi_application()  # loads the apps, so it comes before the consumers' imports

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from conversations.chat.websocket_urls import websocket_urlpatterns as chat_urls  # noqa: E402
from conversations.inbox.websocket_urls import websocket_urlpatterns as inbox_urls  # noqa: E402


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
application = ProtocolTypeRouter({"http": http_application, "websocket": sockets})
