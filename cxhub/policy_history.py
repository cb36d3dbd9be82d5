"""Who changed policy, and on which page: what the database writes into the history of an audited table."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

READING: Final = ("GET", "HEAD", "OPTIONS")
WRITES: Final = ("insert", "update", "delete", "with", "merge")
NAME_THE_WRITER: Final = (
    "SELECT set_config('pghistory.context_id', %s, true), set_config('pghistory.context_metadata', %s, true)"
)
"""What django-pghistory's triggers read, for the transaction that is open."""


class NameTheManager:
    """Names the user and the page to the database while the admin writes.

    Stands in for django-pghistory's own middleware, which does so for every request that writes and so adds a statement
    to each statement of customers' and agents' requests. Those change nothing that is audited. That one also puts two statements
    into one, which PostgreSQL cannot prepare.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in READING or not request.path.startswith(reverse("admin:index")):
            return self.get_response(request)
        about = {"user": request.user.pk, "name": request.user.get_username(), "url": request.path}
        with connection.execute_wrapper(_Named((str(uuid.uuid4()), json.dumps(about)))):
            return self.get_response(request)


@dataclass(frozen=True, slots=True)
class _Named:
    """Has each statement that writes preceded, in its transaction, by the name of who writes."""

    values: tuple[str, str]

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Mapping[str, Any]) -> Any:
        if not str(sql).lstrip().lower().startswith(WRITES) or context["connection"].needs_rollback:
            return execute(sql, params, many, context)
        here = context["connection"]
        with nullcontext() if here.in_atomic_block else transaction.atomic(using=here.alias):
            execute(NAME_THE_WRITER, self.values, False, context)
            return execute(sql, params, many, context)
