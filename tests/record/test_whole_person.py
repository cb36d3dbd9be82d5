"""What must reach everything that is kept of a person, tried on somebody of whom every table holds something.

A table that is declared in `erasers.ERASERS` and has no row in `whole_person.FILLED` fails the first test, so a new one is tried
by all of them.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models

from conversations.flows import erasing
from conversations.models import Customer, Entry, RetentionRule
from conversations.services import erasers, erasure, export, holds, merging, overdue, retention
from conversations.services.kinds import KINDS
from conversations.services.overdue import ENTRIES_THAT_STAY, TABLES_THAT_AGE, TABLES_THAT_STAY
from tests.record import whole_person
from tests.record.test_record_properties import everything
from tests.record.whole_person import FILLED, Person

pytestmark = pytest.mark.usefixtures("company")
KEPT_DAYS, PASSED_DAYS = 90, 100
STAND_FOR_OTHERS = {"ErasureRequest", "ErasureStep", "ErasedIdentifier", "ConnectorRequest"}


@pytest.fixture
def sam(company: Any) -> Person:
    return whole_person.make()


def mary() -> Person:
    return whole_person.make("Brightwater", "+447700900456", "HB2 5AB", "quokka")


def test_every_table_that_an_erasure_reaches_is_filled(sam: Person) -> None:
    assert set(FILLED) == set(erasers.ERASERS)
    assert [label for label in FILLED if not apps.get_model(label)._base_manager.exists()] == []


def test_an_erasure_leaves_nothing_of_them_and_everything_of_somebody_else(sam: Person) -> None:
    other = mary()
    before = {key: row for key, row in everything().items() if names(row, other.secrets())}
    assert len({model for model, _pk in before}) > 25
    row = erasure.request(sam.customer, ground="asked", by="maya")
    assert erasing.run(row.pk) == "done"
    assert whole_person.found(sam.secrets()) == {}
    after = everything()
    assert {key: row for key, row in before.items() if after.get(key) != row} == {}


def test_joining_two_people_and_separating_them_restores_every_row(sam: Person) -> None:
    other = mary()
    before = everything()
    link = merging.join_customers(other.customer, sam.customer, evidence={}, made_by="tests")
    moved = [model for model in apps.get_models() if holds_rows_of_both(model, other.customer)]
    assert len(moved) >= 10
    merging.separate_customers(link, undone_by="tests")
    assert everything() == before


def test_the_copy_for_them_holds_every_table_and_nobody_else(sam: Person) -> None:
    other = mary()
    target = io.BytesIO()
    export.write(sam.customer, target, made_by="maya")
    with zipfile.ZipFile(target) as archive:
        told, read = json.loads(archive.read("customer.json")), archive.read("customer.html").decode()
    models_told = [apps.get_model(label) for label in FILLED]
    sections = {str(each._meta.verbose_name_plural) for each in models_told if each.__name__ not in export.TOLD_APART | export.LEFT_OUT}
    of_connectors = {str(apps.get_model(f"conversations.{name}")._meta.verbose_name_plural) for name in NOT_FOUND_BY_KEY}
    assert {name for name in sections if not told.get(name)} == of_connectors
    text = f"{json.dumps(told, ensure_ascii=False)} {read}".lower()
    assert [each for each in other.secrets() if each.lower() in text] == []
    assert {sam.name.lower(), sam.word, sam.email} <= {each for each in (sam.name.lower(), sam.word, sam.email) if each in text}


NOT_FOUND_BY_KEY = ("SalesAccount", "SalesOrder", "Invoice", "PaymentPromise", "Ticket", "RetiredVisitor")
"""Tables that stand for outside systems, which know no customer of ours, and one that knows browsers alone."""


class TestRetention:
    """Rules that are older than all there is."""

    @pytest.fixture(autouse=True)
    def rules(self, sam: Person) -> None:
        """Every kind is kept for ninety days, and a hundred have passed."""
        RetentionRule.objects.all().delete()
        RetentionRule.objects.bulk_create(RetentionRule(kind=kind, keep_days=KEPT_DAYS) for kind in RetentionRule.Kind)

    def test_every_table_and_every_kind_of_entry_is_declared(self) -> None:
        assert set(TABLES_THAT_AGE) | set(TABLES_THAT_STAY) == set(erasers.ERASERS)
        assert not set(TABLES_THAT_AGE) & set(TABLES_THAT_STAY)
        aging = overdue.WORDS | overdue.NUMBERS | overdue.BY_ANOTHER_RULE
        assert aging | set(ENTRIES_THAT_STAY) == set(KINDS)
        assert not aging & set(ENTRIES_THAT_STAY)

    def test_what_was_said_is_left_only_where_it_stays(self, sam: Person) -> None:
        """What they said, what was written of it, and their number where it was called; not who they are."""
        time_passes()
        retention.apply()
        words = whole_person.found({sam.word, sam.postcode})
        assert set(words) <= set(TABLES_THAT_STAY) | {"conversations.Entry"}
        assert set(whole_person.found(sam.secrets())) <= set(TABLES_THAT_STAY) | {"conversations.Entry", "conversations.Interaction"}
        kept = Entry.objects.filter(redacted_at__isnull=True).values_list("kind", flat=True)
        assert set(kept) <= set(ENTRIES_THAT_STAY)

    def test_a_dry_run_counts_what_goes_and_a_second_night_finds_nothing(self) -> None:
        """What two rules would take counts for both of them, and goes once."""
        time_passes()
        would = retention.would_go()
        assert all(would[kind] for kind in RetentionRule.Kind if kind != RetentionRule.Kind.SIGN_INS)
        went = retention.apply().counts
        assert all(went[kind] <= would[kind] for kind in RetentionRule.Kind)
        assert set(retention.apply().counts.values()) == {0}

    def test_a_hold_keeps_all_of_it(self, sam: Person) -> None:
        """Webhooks about a leg that came to nothing, and texts, too."""
        holds.place(sam.customer, reason="Dispute 12", by="maya")
        time_passes()
        before = everything()
        retention.apply()
        after = everything()
        assert {key for key, row in before.items() if after.get(key) != row} == set()

    def test_what_is_young_stays(self) -> None:
        before = everything()
        retention.apply()
        after = everything()
        assert {key for key, row in before.items() if after.get(key) != row} == set()


def names(row: dict[str, Any], secrets: set[str]) -> bool:
    text = str(row).lower()
    return any(each.lower() in text for each in secrets)


def holds_rows_of_both(model: type[models.Model], joined: Customer) -> bool:
    """Whether rows of a table have changed hands."""
    if not {"customer", "original_customer"} <= {each.name for each in model._meta.fields}:
        return False
    return model._base_manager.filter(original_customer=joined).exclude(customer=joined).exists()


def time_passes() -> None:
    """Every moment in every table of the person moves into the past; triggers, which keep rows as they are, are away meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for label in FILLED:
            table = apps.get_model(label)._meta
            moments = [each.column for each in table.concrete_fields if type(each) is models.DateTimeField]
            if moments:
                moved = ", ".join(f'"{column}" = "{column}" - interval \'{PASSED_DAYS} days\'' for column in moments)
                cursor.execute(f'ALTER TABLE "{table.db_table}" DISABLE TRIGGER USER')
                cursor.execute(f'UPDATE "{table.db_table}" SET {moved}')
                cursor.execute(f'ALTER TABLE "{table.db_table}" ENABLE TRIGGER USER')
