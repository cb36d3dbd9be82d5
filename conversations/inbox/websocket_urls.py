"""The websocket addresses of inbox, collected by cxhub/asgi.py."""

from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import URLPattern, path

from conversations.inbox.consumers import InboxConsumer

# The browser sends the session's cookie with any page's socket, so the page must be one of ours.
websocket_urlpatterns: list[URLPattern] = [
    path("ws/inbox/", AllowedHostsOriginValidator(InboxConsumer.as_asgi())),
]
