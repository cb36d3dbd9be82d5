"""What managers set up, read again only when somebody has changed it.

The database gives what is set up a new stamp with every statement that changes any of it (routing/models/configuration.py). A
process that has seen the stamp before goes on with what it read then; no process has to be told of a change. See
docs/decisions/what-is-set-up-has-a-stamp.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Final, Generic, ParamSpec, TypeVar
from uuid import UUID

from django.db import connection

P = ParamSpec("P")
T = TypeVar("T")
MOST_KEPT: Final = 1_000
"""Of one function's answers, each for its own arguments."""


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    """What was read under one stamp, by what it was asked for."""

    stamp: UUID | None = None
    answers: dict[tuple[Any, ...], T] = field(default_factory=dict)


_read_before: ContextVar[UUID | None] = ContextVar("stamp_of_what_is_set_up", default=None)


@contextmanager
def as_it_stands() -> Iterator[None]:
    """Within the block the stamp is asked for once: what is set up stays for it as it is now. One statement.

    For work that asks several times and is over in a moment, such as a turn's preparation.
    """
    before = _read_before.set(_read_before.get() or _stamp())
    try:
        yield
    finally:
        _read_before.reset(before)


def kept(read: Callable[P, T]) -> Callable[P, T]:
    """`read`, asking the database again only after a change. One statement for the stamp, none within `as_it_stands`.

    For a function of hashable arguments that reads nothing but tables with the trigger `set_up`. What it returns
    is shared by all threads, and nobody may change it. What it raises is not kept.
    """
    held: _Kept[T] = _Kept()

    @wraps(read)
    def reading(*given: P.args, **named: P.kwargs) -> T:
        nonlocal held
        stamp = _read_before.get() or _stamp()
        if stamp is None:
            return read(*given, **named)
        mine = held
        if mine.stamp != stamp or len(mine.answers) >= MOST_KEPT:
            mine = held = _Kept(stamp)
        asked = (*given, *sorted(named.items()))
        if asked not in mine.answers:
            mine.answers[asked] = read(*given, **named)
        return mine.answers[asked]

    return reading


def _stamp() -> UUID | None:
    """The stamp that what is set up has now. None in a database in which nothing ever was."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT stamp FROM routing_configuration")
        found = cursor.fetchone()
    return found[0] if found else None
