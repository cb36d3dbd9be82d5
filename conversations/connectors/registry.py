"""Which connectors there are, and which one does the scheduling."""

from __future__ import annotations

from conversations.connectors import local_schedule
from conversations.connectors.base import Connector
from conversations.connectors.schedule import Schedule

SCHEDULES: dict[str, Schedule] = {"local_schedule": local_schedule.SCHEDULE}


def schedule(name: str = "local_schedule") -> Schedule:
    """The scheduling connector of that name. Raises KeyError when there is none."""
    return SCHEDULES[name]


def connectors() -> tuple[Connector, ...]:
    """Every connector with its operations by name."""
    return tuple(each.as_connector(name) for name, each in SCHEDULES.items())


def names() -> list[str]:
    """The names of every connector."""
    return [each.name for each in connectors()]


def connector(name: str) -> Connector:
    """The connector of that name. Raises KeyError when there is none."""
    return {each.name: each for each in connectors()}[name]
