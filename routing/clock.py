"""What time it is for routing: the database's, so that processes whose clocks differ agree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection

_set_to: datetime | None = None


def now() -> datetime:
    """The database's time, aware; or the time that `at` has set. One statement."""
    if _set_to is not None:
        return _set_to
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Within the block it is `moment`, an aware time, for routing in the whole process: for simulations and tests of waiting."""
    global _set_to  # noqa: PLW0603
    if moment.tzinfo is None:
        raise ValueError("A moment without a time zone is no time.")
    before, _set_to = _set_to, moment
    try:
        yield
    finally:
        _set_to = before
