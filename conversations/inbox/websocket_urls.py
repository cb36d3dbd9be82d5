"""The websocket addresses of inbox, collected by cxhub/asgi.py."""

from django.urls import URLPattern

websocket_urlpatterns: list[URLPattern] = []
