"""The chat's websocket addresses."""

from django.urls import URLPattern, path

from conversations.chat.consumers import ChatConsumer

websocket_urlpatterns: list[URLPattern] = [
    path("ws/chat/", ChatConsumer.as_asgi()),  # type: ignore[arg-type]
]
