"""Which connectors there are, and which one does what."""

from __future__ import annotations

from conversations.connectors import local_accounts, local_desk, local_schedule
from conversations.connectors.accounts import Accounts
from conversations.connectors.base import Connector
from conversations.connectors.desk import Desk
from conversations.connectors.schedule import Schedule

SCHEDULES: dict[str, Schedule] = {"local_schedule": local_schedule.SCHEDULE}
ACCOUNTS: dict[str, Accounts] = {"local_accounts": local_accounts.ACCOUNTS}
DESKS: dict[str, Desk] = {"local_desk": local_desk.DESK}


def schedule(name: str = "local_schedule") -> Schedule:
    """The scheduling connector of that name. Raises KeyError when there is none."""
    return SCHEDULES[name]


def accounts(name: str = "local_accounts") -> Accounts:
    """The connector of that name to a sales system. Raises KeyError when there is none."""
    return ACCOUNTS[name]


def desk(name: str = "local_desk") -> Desk:
    """The connector of that name to a help desk. Raises KeyError when there is none."""
    return DESKS[name]


def connectors() -> tuple[Connector, ...]:
    """Every connector with its operations by name."""
    every: dict[str, Schedule | Accounts | Desk] = {**SCHEDULES, **ACCOUNTS, **DESKS}
    return tuple(each.as_connector(name) for name, each in every.items())


def names() -> list[str]:
    """The names of every connector."""
    return [each.name for each in connectors()]


def connector(name: str) -> Connector:
    """The connector of that name. Raises KeyError when there is none."""
    return {each.name: each for each in connectors()}[name]
