"""A database that is as old as one likes, for tests of what a migration makes of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.apps.registry import Apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from psycopg import sql

from tests.support.database import other_database
from tests.support.locks import other_connection


@contextmanager
def database_at(app: str, migration: str) -> Iterator[tuple[Apps, Callable[[], None]]]:
    """For the block the default connection leads to a new database in which this migration of an app is the last.

    Gives the models as they were then, and what runs the app's later migrations.
    """
    name = f"{connection.settings_dict['NAME']}_at_{migration[:4]}"
    _run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
    _run("CREATE DATABASE {}", name)
    try:
        with other_database(name):
            executor = MigrationExecutor(connection)
            # Step by step, as it was for whoever is that old: without the one step that stands for many.
            executor.loader.replace_migrations = False
            executor.loader.build_graph()
            target = [(app, migration)]
            executor.migrate(target)
            yield executor.loader.project_state(target).apps, lambda: _migrate_on(app)
    finally:
        _run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _migrate_on(app: str) -> None:
    executor: Any = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes(app))


def _run(statement: str, name: str) -> None:
    with other_connection() as other:
        other.rollback()
        other.autocommit = True
        other.execute(sql.SQL(statement).format(sql.Identifier(name)))
