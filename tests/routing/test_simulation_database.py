"""The throwaway database of a simulation: like the company's, apart from it, and gone afterwards."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from routing.models import Queue, ServiceLevel
from routing.simulation.database import NoDatabase, names_begin_with, throwaway_database
from tests.routing.conftest import Company
from tests.support.structure import tables_like

Databases = Callable[[], set[str]]
ROUTING = "^routing"


@pytest.fixture
def databases() -> Databases:
    """What throwaway databases of this test's company there are; other processes of the tests have their own."""
    beginning = names_begin_with(connection)

    def now() -> set[str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [beginning])
            return {name for (name,) in cursor.fetchall()}

    return now


def test_it_is_built_like_the_companys(db: None) -> None:
    """What migrations made by SQL alone would be missing, and this says so."""
    of_the_company = tables_like(ROUTING)
    with throwaway_database():
        assert tables_like(ROUTING) == of_the_company


def test_the_company_is_neither_seen_nor_changed_and_nothing_is_left(company: Company, databases: Databases) -> None:
    """Even within an open transaction of the company's, which goes on afterwards."""
    before = databases()
    with throwaway_database():
        assert not Queue.objects.exists()
        ServiceLevel.objects.create(code="theirs", name="Theirs", answer_within_seconds=1)
    company.urgent.name = "Changed in the same transaction"
    company.urgent.save()
    assert databases() == before
    assert Queue.objects.count() == 3
    assert not ServiceLevel.objects.filter(code="theirs").exists()


def test_it_is_gone_after_an_error(db: None, databases: Databases) -> None:
    """And the company's connection is the default one again."""
    before = databases()
    with pytest.raises(ZeroDivisionError), throwaway_database():
        raise ZeroDivisionError
    assert databases() == before


def test_what_a_killed_run_left_is_dropped_and_what_another_run_uses_is_not(transactional_db: None, databases: Databases) -> None:
    """A left-over is known by its free lock; another run's database is in use, whoever else begins or ends."""
    with throwaway_database():
        (used,) = databases()
        left_over = f"{used.rpartition('_')[0]}_0123456789ab"
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{left_over}"')
        with ThreadPoolExecutor(1) as threads:
            seen = threads.submit(during_another_run, databases).result()
        assert (used in seen, left_over in seen) == (True, False)
        assert not Queue.objects.exists()


def during_another_run(databases: Databases) -> set[str]:
    try:
        with throwaway_database():
            return databases()
    finally:
        connection.close()


def test_where_databases_may_not_be_made_it_says_what_to_do(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A role without the right."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE planner")
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "assume_role", "planner")
    try:
        with pytest.raises(NoDatabase) as refused, throwaway_database():
            pass
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP ROLE planner")
    assert "permission denied to create database" in str(refused.value)
    assert "ALTER ROLE planner CREATEDB" in str(refused.value)
