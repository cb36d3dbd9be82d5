"""Deleting the rows of tables: the few rows of a few tables take milliseconds, truncating them with their indexes some hundred."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.db import OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import DeadlockDetected

TRIES: Final = 10
EMPTY: Final = """
DO $body$
DECLARE
    name text;
    holds_rows boolean;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOREACH name IN ARRAY '{%(tables)s}'::text[] LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %%I)', name) INTO holds_rows;
        IF holds_rows THEN
            EXECUTE format('DELETE FROM %%I', name);
        END IF;
    END LOOP;
END
$body$
"""
REFERRING: Final = """
WITH RECURSIVE reached(name) AS (
    SELECT unnest(%s::regclass[])
    UNION
    SELECT foreign_key.conrelid::regclass FROM pg_constraint AS foreign_key JOIN reached ON foreign_key.confrelid = reached.name
     WHERE foreign_key.contype = 'f'
)
SELECT name::text FROM reached ORDER BY 1
"""
_REFERRING: dict[tuple[str, ...], list[str]] = {}


def empty(*names: str, then: Collection[str] = ()) -> None:
    """Deletes all rows of tables and of every table that refers to them, as TRUNCATE … CASCADE does; then runs the statements `then`.

    A process of the product that a test has left running goes on working meanwhile. When it and this wait for each other, PostgreSQL
    ends one of the two; this is tried again.
    """
    if names not in _REFERRING:
        with connection.cursor() as cursor:
            cursor.execute(REFERRING, [list(names)])
            _REFERRING[names] = [name for (name,) in cursor.fetchall()]
    for left in reversed(range(TRIES)):
        try:
            with transaction.atomic():
                delete_from(connection, _REFERRING[names])
                for statement in then:
                    with connection.cursor() as cursor:
                        cursor.execute(statement)
            return
        except OperationalError as refused:
            if not left or not isinstance(refused.__cause__, DeadlockDetected):
                raise


def delete_from(connection: BaseDatabaseWrapper, tables: Collection[str]) -> None:
    """Deletes all rows of tables, whatever refers to them or forbids it. Waits for whoever still writes to one. Runs in a transaction."""
    listed = ", ".join(connection.ops.quote_name(name) for name in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {listed} IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(EMPTY % {"tables": ",".join(tables)})
