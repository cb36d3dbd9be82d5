"""The history of policy: every insert, update and delete becomes a row that never changes, written by the database itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import pghistory
from django.db import models

Tracked = TypeVar("Tracked", bound=type[models.Model])
ADDED, CHANGED, DELETED = "added", "changed", "deleted"


def audited(*, without: Sequence[str] = ()) -> Callable[[Tracked], Tracked]:
    """Keeps the history of a table in `<Model>Event`, but for the columns `without`, with who and where from the request.

    Triggers write it, so it holds whatever changes the table: the admin, a command, SQL. An update that changes none of
    the columns leaves no row.
    """
    tracked: Callable[[Tracked], Tracked] = pghistory.track(
        pghistory.InsertEvent(ADDED),
        pghistory.UpdateEvent(CHANGED),
        pghistory.DeleteEvent(DELETED),
        exclude=list(without),
        append_only=True,
        context_field=pghistory.ContextJSONField(),
        context_id_field=pghistory.ContextUUIDField(null=True),
    )
    return tracked
