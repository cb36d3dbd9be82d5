"""The websocket addresses of chat, collected by cxhub/asgi.py."""

from django.urls import URLPattern

websocket_urlpatterns: list[URLPattern] = []
