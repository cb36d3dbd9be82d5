"""How many statements PostgreSQL runs; statement_counts.json holds the numbers, and a change must be explained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest
from django.db import DatabaseError, connection, transaction

COMMITTED: Final[dict[str, float]] = json.loads((Path(__file__).parent / "statement_counts.json").read_text())
# Not counted: transaction control and settings, and the checks of foreign keys that PostgreSQL makes by itself at commit.
RUN = """
    SELECT coalesce(sum(calls), 0) FROM pg_stat_statements
     WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND query !~* '^\\s*(begin|commit|rollback|savepoint|release|set|show|discard|deallocate|select pg_stat_statements_reset)'
       AND query !~ 'pg_stat_statements' AND query !~ 'FOR KEY SHARE OF x$'
"""


def count_from_now() -> None:
    """Has PostgreSQL count (the embedded one is started so) from 0; skips the test where it does not count."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            cursor.execute("SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)")
    except DatabaseError as error:
        pytest.skip(f"This PostgreSQL does not count statements: {error}")


def statements_run() -> int:
    """How many have run since `count_from_now`."""
    with connection.cursor() as cursor:
        cursor.execute(RUN)
        return int(cursor.fetchone()[0])
