"""A database of a simulation's own, on the company's server, gone afterwards.

The company's connection is put aside, not closed or changed: the block gets a second one. Each run holds an advisory
lock in the company's database, named like its throwaway database, for as long as it lives: what a killed run left
behind is known by its lock being free, and the next run drops it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pgtrigger
from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.utils.translation import gettext as _

NEEDED = ("contenttypes", "auth", "routing")
"""The apps whose tables are made: agents are users, and users have rights to content types."""
QUICKLY = "-c synchronous_commit=off"
"""Nothing here must outlive a power cut, so no commit waits for the disk."""


class NoDatabase(RuntimeError):
    """No throwaway database can be had; the message says what to do."""


@contextmanager
def throwaway_database() -> Iterator[None]:
    """Within the block, and in this thread, the default connection leads to an empty database with routing's tables.

    Raises NoDatabase when the server does not allow it.
    """
    company = connections[DEFAULT_DB_ALIAS]
    keeper = _another_connection(company)
    prefix = names_begin_with(company)
    name = prefix + secrets.token_hex(6)
    try:
        _create(keeper, name, prefix)
        own = _another_connection(company, name)
        connections[DEFAULT_DB_ALIAS] = own
        try:
            with _refusing_kindly(keeper):
                _make_tables(own)
            yield
        finally:
            connections[DEFAULT_DB_ALIAS] = company
            own.close()
            _drop(keeper, name)
    finally:
        keeper.close()


def names_begin_with(company: Any) -> str:
    """How the names of all throwaway databases of one company's database begin."""
    return f"simulation_{hashlib.sha256(str(company.settings_dict['NAME']).encode()).hexdigest()[:8]}_"


def _create(keeper: Any, name: str, prefix: str) -> None:
    with _refusing_kindly(keeper), keeper.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix])
        for (left_over,) in cursor.fetchall():
            cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [left_over])
            if cursor.fetchone()[0]:
                _drop(keeper, left_over)
        cursor.execute(f"CREATE DATABASE {keeper.ops.quote_name(name)}")


@contextmanager
def _refusing_kindly(keeper: Any) -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        sentence = _(
            "A simulation runs in a database of its own, and the server does not allow it: %(why)s."
            " Let an administrator say “ALTER ROLE %(role)s CREATEDB”, or set DATABASE_URL to a server on which you may make one."
        )
        role = keeper.settings_dict["OPTIONS"].get("assume_role") or keeper.settings_dict["USER"] or "…"
        raise NoDatabase(sentence % {"why": str(error).strip().splitlines()[0], "role": role}) from error


def _make_tables(own: Any) -> None:
    """Makes the tables as the models describe them, which takes a tenth of the time of the migrations that led there."""
    models: list[Any] = [model for app in NEEDED for model in apps.get_app_config(app).get_models()]
    with own.cursor() as cursor:
        # As a migration of the company's database does it: exclusion constraints on whole numbers need it.
        cursor.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    with own.schema_editor() as editor:
        for model in models:
            editor.create_model(model)
    for owner, trigger in pgtrigger.registered():
        if owner in models:
            trigger.install(owner)


def _drop(keeper: Any, name: str) -> None:
    with keeper.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {keeper.ops.quote_name(name)} WITH (FORCE)")


def _another_connection(company: Any, name: str | None = None) -> Any:
    """One more connection to the company's server, of no pool, to the company's database or to another."""
    other = company.copy()
    options = other.settings_dict.setdefault("OPTIONS", {})
    options.pop("pool", None)
    options["options"] = f"{options.get('options', '')} {QUICKLY}".strip()
    other.settings_dict["CONN_MAX_AGE"] = None
    if name is not None:
        other.settings_dict["NAME"] = name
    return other
