"""Holding work up at a chosen place: a lock on what it needs, and a look at who waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection

PATIENCE_SECONDS = 60


@contextmanager
def other_connection() -> Iterator[psycopg.Connection]:
    """A connection beside the product's, to hold locks with."""
    parameters = connection.get_connection_params()
    chosen = {key: parameters[key] for key in ("dbname", "user", "password", "host", "port") if parameters.get(key)}
    with psycopg.connect(**chosen) as other:
        yield other


@contextmanager
def locked(table: str, mode: str = "ACCESS EXCLUSIVE") -> Iterator[psycopg.Connection]:
    """Whoever needs the table waits until the block ends."""
    with other_connection() as other:
        other.execute(f"LOCK TABLE {table} IN {mode} MODE")
        yield other
        other.rollback()


def waits_for_lock(table: str) -> bool:
    """Whether somebody waits for a lock on the table, or for a row of it."""
    with other_connection() as other:
        found = other.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query ILIKE %s",
            [f"%{table}%"],
        ).fetchone()
    return bool(found and found[0])


def until(condition: Callable[[], bool]) -> None:
    """Waits until something is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.05)
