"""Times on the admin's pages, and times typed into them, are in the zone of whoever sits in front of it."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from conversations.inbox.doors import zone_of


class InTheReadersZone:
    """The inbox and the report choose a zone for themselves; this does it for the admin, whose views are Django's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(reverse("admin:index")):
            return self.get_response(request)
        with timezone.override(zone_of(request)):
            return self.get_response(request)
