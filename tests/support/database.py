"""A database of one's own for what runs outside pytest."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.models import Model


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
    """Runs statements that are separated by semicolons, one after the other, each with the same parameters."""
    with connection.cursor() as cursor:
        for statement in filter(None, map(str.strip, statements.split(";"))):
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
