"""The ASGI application: HTTP to Django, websockets to the chat and inbox consumers."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cxhub.settings")
http_application = get_asgi_application()  # loads the apps, so it comes before the consumers' imports

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from conversations.chat.websocket_urls import websocket_urlpatterns as chat_urls  # noqa: E402
from conversations.inbox.websocket_urls import websocket_urlpatterns as inbox_urls  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": http_application,
        "websocket": AuthMiddlewareStack(URLRouter([*chat_urls, *inbox_urls])),
    }
)
