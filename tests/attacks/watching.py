"""What an attack has changed in the database, what it cost there, and what of that may differ when there is no victim."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

from conversations.models import Conversation, Customer, Interaction

Rows = dict[tuple[str, Any], dict[str, Any]]
STATEMENTS = """
    SELECT query, calls FROM pg_stat_statements
     WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND query !~* '^\\s*(begin|commit|rollback|set|show|discard|deallocate|savepoint|release|select pg_stat_statements_reset)'
       AND query !~ 'pg_stat_statements' AND query !~ 'FOR KEY SHARE OF x$' AND query !~ 'turn_wanted_seq" > '
"""
VARIES = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+\d\d:\d\d)?"
    r"|HH-[0-9A-Z]{6}|csrfmiddlewaretoken\" value=\"[^\"]+|#cx-chat=\S+|nonce=\"[^\"]+|\b\d{6}\b"
)


def rows_now() -> Rows:
    """Every row of our tables, by table and key. A version of a row never changes, so each is read once, however often this is asked."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return {(model._meta.label, pk): row for model in tables() for pk, row in _rows_of(model)}


def tables() -> Iterator[type[models.Model]]:
    """Our tables, those of many-to-many relations included."""
    for app in ("conversations", "routing"):
        yield from (each for each in apps.get_app_config(app).get_models(include_auto_created=True) if not each._meta.proxy)


def _rows_of(model: type[models.Model]) -> Iterator[tuple[Any, dict[str, Any]]]:
    label, names = model._meta.label, [field.attname for field in model._meta.concrete_fields if not field.generated]
    key, table = model._meta.pk.column, model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT "{key}", xmin::text, ctid::text FROM "{table}"')
        versions = {(label, *version) for version in cursor.fetchall()}
    unread = {pk: (label, pk, *place) for _label, pk, *place in versions - _READ.keys()}
    if unread:
        for row in model._base_manager.filter(pk__in=unread).values(*names):
            _READ[unread[row[model._meta.pk.attname]]] = row
    return ((version[1], _READ[version]) for version in versions)


_READ: dict[tuple[Any, ...], dict[str, Any]] = {}
"""The rows that were read, by table, key, and which transaction wrote them where."""


def changes(before: Rows, after: Rows) -> set[str]:
    """What became different in rows that were there before, as `Model.field`, or `Model gone`."""
    found = {f"{label} gone" for label, pk in before.keys() - after.keys()}
    for key in before.keys() & after.keys():
        found |= {f"{key[0]}.{name}" for name, value in before[key].items() if after[key][name] != value}
    return {each.partition(".")[2] for each in found}


def added_about(customer: int, before: Rows, after: Rows) -> set[str]:
    """The tables that have new rows which refer to a customer, or to a conversation or line of theirs."""
    talks = {pk for pk, row in _of(before, Conversation) if row["customer_id"] == customer}
    lines = {pk for pk, row in _of(before, Interaction) if row["conversation_id"] in talks}
    record = {Customer: {customer}, Conversation: talks, Interaction: lines}
    by_label = {model._meta.label: model for model in tables()}
    new = ((by_label[label], after[label, pk]) for label, pk in after.keys() - before.keys())
    return {model.__name__ for model, row in new if _refers(model, row, record)}


def _of(rows: Rows, model: type[models.Model]) -> Iterator[tuple[Any, dict[str, Any]]]:
    return ((pk, row) for (label, pk), row in rows.items() if label == model._meta.label)


def _refers(model: type[models.Model], row: Mapping[str, Any], record: Mapping[type[models.Model], set[Any]]) -> bool:
    relations = [field for field in model._meta.concrete_fields if field.is_relation]
    return any(row[field.attname] in record.get(field.related_model, ()) for field in relations)


def plain(shown: Any) -> str:
    """What was shown, without what is random or a time."""
    return VARIES.sub("…", repr(shown))


def count_statements() -> Counter[str]:
    """How often each statement ran since the last call, transaction control left out."""
    with connection.cursor() as cursor:
        cursor.execute(STATEMENTS)
        counted = Counter[str]()
        for query, calls in cursor.fetchall():
            counted[query] += calls
        cursor.execute("SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)")
    return counted
