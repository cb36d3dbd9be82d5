"""Databases of one's own: for each test process, and for what runs outside pytest."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import connection, connections
from django.db.models import Model
from psycopg import sql


@contextmanager
def database_of_tests(*, one_of_many: bool, keep: bool, anew: bool) -> Iterator[None]:
    """A migrated, empty database for the block; Django's default connection, and child processes, use it.

    The first of many processes migrates one, of which each gets a copy: that takes a second in place of half a minute. With `keep`
    the database of an earlier run is used, unless it shall be made `anew`, and left for the next.
    """
    before = str(connection.settings_dict["NAME"])
    if keep or not one_of_many:
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False, keepdb=keep and not anew)
    else:
        name = connection.creation._get_test_db_name()
        template = _migrated(before)
        on_server("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        on_server("CREATE DATABASE {} TEMPLATE {}", name, template)
        _lead_to(name)
    yield
    if not keep:
        name = str(connection.settings_dict["NAME"])
        leave()
        # Threads that go on as long as the process, as those in which asynchronous code asks the database, keep their connections.
        on_server("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        _lead_to(before)


def connections_out() -> int:
    """How many connections of this process's pool are with somebody: threads at work, and those that ended without giving theirs back."""
    pool = type(connections[connection.alias])._connection_pools.get(connection.alias)
    numbers = pool.get_stats() if pool else {}
    return numbers.get("pool_size", 0) - numbers.get("pool_available", 0)


def remove_migrated_database() -> None:
    """Removes what the processes of this run copied."""
    if _stamp().exists():
        on_server("DROP DATABASE IF EXISTS {} WITH (FORCE)", _stamp().read_text())


def on_server(statement: str, *names: str) -> None:
    """Runs a statement about databases, whose names stand in its places."""
    parameters = connection.get_connection_params()
    chosen = {key: parameters[key] for key in ("user", "password", "host", "port") if parameters.get(key)}
    with psycopg.connect(dbname="postgres", autocommit=True, **chosen) as server:
        server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _migrated(before: str) -> str:
    """The name of the migrated database of this run; the first to ask makes it, and the others wait."""
    name = f"test_{before}_migrated"
    with (Path(settings.DATA_DIR) / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _stamp().exists():
            named, connection.settings_dict["TEST"]["NAME"] = connection.settings_dict["TEST"]["NAME"], name
            try:
                connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
            finally:
                connection.settings_dict["TEST"]["NAME"] = named
            leave()
            _lead_to(before)
            _stamp().write_text(name)
    return name


def _stamp() -> Path:
    return Path(settings.DATA_DIR) / "migrated"


def _lead_to(name: str) -> None:
    connection.close()
    settings.DATABASES[connection.alias]["NAME"] = connection.settings_dict["NAME"] = name


@contextmanager
def throwaway_database(name: str) -> Iterator[None]:
    """A migrated, empty database for the block; Django's default connection, and child processes, use it."""
    before = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = f"test_{name}"
    leave()
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    leave()
    try:
        yield
    finally:
        leave()
        connection.creation.destroy_test_db(before, verbosity=0)


@contextmanager
def other_database(name: str) -> Iterator[None]:
    """Has Django's default connection use another database for the block."""
    before = connection.settings_dict["NAME"]
    leave()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        leave()
        connection.settings_dict["NAME"] = before


def run_each(statements: str, parameters: dict[str, int]) -> None:
    """Runs statements that each end a line with a semicolon, one after the other, with the same parameters."""
    with connection.cursor() as cursor:
        for statement in filter(None, map(str.strip, statements.split(";\n"))):
            cursor.execute(statement, parameters)


def let_columns_default(*models: type[Model]) -> None:
    """Gives the database the defaults that Django would write, so that rows made by SQL name only the columns they mean."""
    with connection.schema_editor() as editor:
        for model in models:
            for field in model._meta.local_concrete_fields:
                value = None if field.primary_key or field.null or field.generated else editor.effective_default(field)
                if value is not None:
                    table, column = connection.ops.quote_name(model._meta.db_table), connection.ops.quote_name(field.column)
                    editor.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {editor.quote_value(value)}")


def leave() -> None:
    """Ends the connection, and those that its pool keeps."""
    connection.close()
    if getattr(connection, "pool", None):
        connection.close_pool()
