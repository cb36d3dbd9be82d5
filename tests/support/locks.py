"""Holding work up at a chosen place: a lock on what it needs, and a look at who waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import psycopg
from django.db import connection, transaction

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
    """Whether somebody waits for a lock on the table, or for a row of it.

    The text of a statement names what a row is waited for in, but only its beginning is kept, so the table's locks are asked too.
    """
    with other_connection() as other:
        found = other.execute(
            """
            SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = to_regclass(%(table)s)
                              AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
                OR EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                              AND query ILIKE %(named)s)
            """,
            {"table": table, "named": f"%{table}%"},
        ).fetchone()
    return bool(found and found[0])


def until(condition: Callable[[], bool]) -> None:
    """Waits until something is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.05)


class Other:
    """Work in another thread, and what came of it: its result or the error that it met."""

    def __init__(self, work: Callable[[], Any], waits_for: str) -> None:
        self.work, self.waits_for = work, waits_for
        self.came: list[Any] = []
        self.thread = Thread(target=self._run)

    def begins(self) -> None:
        """Starts it, once, and returns when it waits for a lock or is through."""
        if not self.thread.ident:
            self.thread.start()
            until(lambda: waits_for_lock(self.waits_for) or bool(self.came))

    def _run(self) -> None:
        try:
            self.came.append(self.work())
        except Exception as error:
            self.came.append(error)
        finally:
            connection.close()


@contextmanager
def meanwhile(work: Callable[[], Any], waits_for: str) -> Iterator[Other]:
    """Runs the block in a transaction; `work` begins in another thread when the block says so, at its end at the latest.

    The transaction commits when the other one waits for it.
    """
    other = Other(work, waits_for)
    with transaction.atomic():
        yield other
        other.begins()
    other.thread.join()
