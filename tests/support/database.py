"""A database of one's own for what runs outside pytest."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


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


def leave() -> None:
    """Ends the connection, and those that its pool keeps."""
    connection.close()
    if getattr(connection, "pool", None):
        connection.close_pool()
