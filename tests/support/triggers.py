"""Doing what a trigger of the database forbids: the past, and what went wrong, are made by hand."""

from collections.abc import Iterator
from contextlib import contextmanager

import pgtrigger
from django.db import connection

IGNORE = "SELECT set_config('pgtrigger.ignore', %s, false)"


@contextmanager
def ignored(trigger: str) -> Iterator[None]:
    """For the statements of this connection in the block, a trigger such as `app.Model:name` does nothing.

    Stands in for `pgtrigger.ignore`, which puts two statements into one; those cannot be prepared.
    """
    ((model, found),) = pgtrigger.registered(trigger)
    with connection.cursor() as cursor:
        cursor.execute(IGNORE, ["{" + found.get_pgid(model) + "}"])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(IGNORE, ["{}"])
