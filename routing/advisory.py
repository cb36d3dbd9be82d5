"""Locks on a name instead of a row."""

from __future__ import annotations

from django.db import connection


def lock(name: str) -> None:
    """Waits until nobody else holds the name, and holds it until the transaction ends. Needs a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def share(name: str) -> None:
    """Holds the name together with others who share it until the transaction ends; waits for whoever has it alone. Needs a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))", [name])


def try_lock(name: str) -> bool:
    """Holds the name until the transaction ends, unless somebody else does; says whether. Waits for nobody, needs a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        return bool(cursor.fetchone()[0])
