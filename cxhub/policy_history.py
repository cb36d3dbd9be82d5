"""Who changed policy, and on which page: what the database writes into the history of an audited table."""

from __future__ import annotations

from collections.abc import Callable

import pghistory
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

READING = ("GET", "HEAD", "OPTIONS")


class NameTheManager:
    """Names the user and the page to the database while the admin writes.

    Stands in for django-pghistory's own middleware, which does so for every request that writes and so adds a statement
    to each statement of customers' and agents' requests. Those change nothing that is audited.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in READING or not request.path.startswith(reverse("admin:index")):
            return self.get_response(request)
        with pghistory.context(user=request.user.pk, name=request.user.get_username(), url=request.path):
            return self.get_response(request)
