"""`flush` as Django's test cases call it after each test that commits, at a fraction of what Django's own takes."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import flush
from django.db import Error, connections, transaction

from tests.support.emptying.rows import delete_from

KEPT = ("auth_permission", "django_content_type")
"""What Django's own `flush` empties and then makes anew, the same; together with the migrations the only rows left."""


class Command(flush.Command):
    """Deletes all rows, or does what Django does where that is not allowed or something else than rows has changed."""

    def handle(self, **options: Any) -> None:
        connection = connections[options["database"]]
        if options.get("reset_sequences", True) or options.get("inhibit_post_migrate", False) or not _empty(connection):
            super().handle(**options)


def _empty(connection: Any) -> bool:
    """Whether every table but the kept ones was emptied. Waits for whoever still writes to one of them."""
    tables = sorted(connection.introspection.django_table_names(only_existing=True, include_views=False))
    emptied = [name for name in tables if name not in KEPT]
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            delete_from(connection, emptied)
            return _kept_is_as_made(cursor)
    except Error:
        return False


def _kept_is_as_made(cursor: Any) -> bool:
    """Whether no test has added or taken away a permission or content type."""
    counted = " || '/' || ".join(f"(SELECT count(*) FROM {name})" for name in KEPT)
    cursor.execute(f"SELECT {counted}")
    (now,) = cursor.fetchone()
    return bool(_MADE.setdefault(cursor.db.settings_dict["NAME"], now) == now)


_MADE: dict[str, str] = {}
