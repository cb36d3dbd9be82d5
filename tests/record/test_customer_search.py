"""Finding customers by anything that is known of them."""

from __future__ import annotations

import datetime

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.models import Customer, Entry, Identifier, Invoice, SalesAccount, SalesOrder, Ticket
from conversations.reading.elsewhere import whose
from conversations.selectors.customer_search import search
from conversations.services import merging, timeline
from conversations.services.timeline import NewEntry
from tests.record import rows
from tests.reporting import cast

pytestmark = pytest.mark.django_db


def known_by(customer: Customer, kind: str, value: str, assurance: str = "verified") -> Identifier:
    return Identifier.objects.create(
        customer=customer, original_customer=customer, kind=kind, value=value, assurance=assurance, source="test"
    )


def said(to: Customer, text: str, **changes: object) -> Entry:
    conversation = to.conversations.first() or rows.conversation(to)
    new = NewEntry(**{"kind": "message", "actor_kind": "customer", "body": text, **changes})
    seq = timeline.append(conversation.pk, new).seq
    return Entry.objects.get(conversation=conversation, seq=seq)


def names(text: str) -> list[str]:
    return [found.customer.name for found in search(text)]


@pytest.fixture
def maria() -> Customer:
    maria = rows.customer("María Zębik-Okafor", postcode="LS14AP", date_of_birth=datetime.date(1980, 5, 3))
    known_by(maria, "phone", "+441632960123", "network_hint")
    known_by(maria, "email", "maria.zebik@example.com")
    known_by(maria, "external", "crm:A-10042")
    known_by(maria, "visitor", "f" * 32)
    rows.customer("Peter Ashbury")
    return maria


@pytest.mark.parametrize(
    "text",
    [
        "+44 1632 960123", "01632 960 123", "(01632) 960-123", "00441632960123", "0123", "632960", "maria.zebik@example.com",
        "MARIA.Zebik@Example.com", "maria.z", "crm:A-10042", "CRM: A-10042", "A-10042", "LS1 4AP", "ls14ap", "3 May 1980",
        "03/05/1980", "1980-05-03", "3.5.80", "May 3rd, 1980", "María Zębik", "maria zebik", "ZEBIK maria", "okafor", "mar zeb",
        "Zebikk", "Mraia Zebik Okafor", "maria zbik okafor", "  maria\x00   zebik\n",
    ],
)  # fmt: skip
def test_a_customer_is_found_by_whatever_is_known(maria: Customer, text: str) -> None:
    """Identifiers in any writing or part, the name in any order, without accents and with typos, postcode, date of birth."""
    assert names(text) == ["María Zębik-Okafor"]


@pytest.mark.parametrize("text", ["HH-R7T2KD", "hh-r7t2kd", "R7T2KD", "r7t2 kd", "HH-ABCDEF", "HH-Q3W8NF", "HH-T5C7GH"])
def test_a_customer_is_found_by_what_other_systems_have_of_them(maria: Customer, text: str) -> None:
    """The number of an order, an invoice, a ticket or a visit, as it is told or without its first letters, letters alone too."""
    mallory = rows.customer("Mallory")
    account = SalesAccount.objects.create(number="crm:A-10042", email="of.the.ledger@example.com")
    known_by(mallory, "email", "of.the.ledger@example.com", "claimed")
    day = datetime.date(2026, 11, 1)
    for reference in ("HH-R7T2KD", "HH-ABCDEF"):
        SalesOrder.objects.create(account=account, reference=reference, what="Valves", ordered_on=day, total=1)
    Invoice.objects.create(account=account, reference="HH-Q3W8NF", what="Valves", issued_on=day, due_on=day, total=1, left_to_pay=0)
    joined = rows.customer("Mary")
    opened_for = {"customer": joined.public_id, "conversation": joined.public_id, "idempotency_key": "1"}
    Ticket.objects.create(reference="HH-T5C7GH", subject="Cold", **opened_for)
    merging.join_customers(joined, maria, evidence={}, made_by="test")
    (found,) = search(text, elsewhere=whose(text))
    assert (found.customer, found.score) == (maria, 1.0)
    assert found.by == {"HH-Q3W8NF": "invoice", "HH-T5C7GH": "ticket"}.get(text, "order")
    assert found.matched in {"HH-R7T2KD", "HH-ABCDEF", "HH-Q3W8NF", "HH-T5C7GH"}
    assert whose("maria") == whose("\x00") == whose("x" * 300) == whose("HH-ZZZZZZ") == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Smith", "John Smythe"), ("Smithe", "John Smythe"), ("Jon Smith", "John Smythe"), ("smith jon", "John Smythe"),
        ("Jon", "John Smythe"), ("Clra", "Clara Roth"), ("Klara", "Clara Roth"), ("Clara Rott", "Clara Roth"), ("Clra Roth", "Clara Roth"),
        ("Rith", "Clara Roth"), ("Smyhte", "John Smythe"), ("Jón Smíth", "John Smythe"),
    ],
)  # fmt: skip
def test_a_short_name_is_found_with_a_typo_or_as_it_sounds(text: str, name: str) -> None:
    for each in ("John Smythe", "Clara Roth", "Peter Ashbury"):
        rows.customer(each)
    assert names(text) == [name]


def test_names_that_are_spelled_so_come_before_those_that_sound_so() -> None:
    """Nothing vaguer is looked for, and what is vaguer is not far off."""
    for each in ("John Smythe", "Jon Smith", "Rahul Smet", "Dawn Snead"):
        rows.customer(each)
    assert names("Jon Smith") == names("Smith") == ["Jon Smith"]
    assert names("Jonn Smith") == ["Jon Smith"]
    assert names("John Smithe") == ["John Smythe", "Jon Smith"]


def test_a_text_is_found_by_how_its_words_begin(maria: Customer) -> None:
    """When none has the words themselves; and what was found so is marked."""
    said(maria, "I smell gas in the kitchen.")
    assert search("smel gas")[0].pieces == (("I ", False), ("smell", True), (" ", False), ("gas", True), (" in the kitchen.", False))
    assert names("smell gas kitch") == ["María Zębik-Okafor"]
    assert names("smel water") == names("sme gas") == []


@pytest.mark.parametrize("text", ["9 août 1980", "9 aout 1980", "9 August 1980", "Aug. 9, 1980"])
def test_months_are_named_in_ones_own_language_or_english_with_accents_or_without(maria: Customer, text: str) -> None:
    rows.customer("Ola", date_of_birth=datetime.date(1980, 8, 9))
    with translation.override("fr"):
        assert names(text) == ["Ola"]


@pytest.mark.parametrize("text", ["", " ", "m", "'", "\x00", "%%", "' & | ! :*", "(((", "\\", "zz-nobody", "f" * 32, "9999", "@"])
def test_nothing_is_found_by_what_nobody_is_known_by(maria: Customer, text: str) -> None:
    """Nor by the id of a browser, which no person types."""
    assert names(text) == []


def test_the_best_comes_first(maria: Customer) -> None:
    """An exact identifier finds its owner alone; names come by likeness; what was said comes after them, the newest first."""
    other, third = rows.customer("Mario Zebik"), rows.customer("Ola")
    said(third, "Maria Zebik told me to write to you.")
    said(other, "maria zebik")
    found = search("maria zebik")
    assert [(each.customer.name, each.by) for each in found] == [("María Zębik-Okafor", "name"), ("Mario Zebik", "text"), ("Ola", "text")]
    assert [each.score for each in found] == sorted([each.score for each in found], reverse=True)
    assert [(each.by, each.score) for each in search("01632960123")] == [("phone", 1.0)]


def test_what_matched_is_said_and_marked(maria: Customer) -> None:
    """The stored value stands there, cut into what was looked for and what was not."""
    assert search("zebik")[0].pieces == (("María ", False), ("Zębik", True), ("-Okafor", False))
    assert search("960123")[0].pieces == (("+441632", False), ("960123", True))
    said(maria, "word " * 60 + "The Boiler leaks. " + "word " * 60)
    found = search("boiler leaks")[0]
    assert (found.by, found.by_label) == ("text", "History")
    assert [text for text, marked in found.pieces if marked] == ["Boiler", "leaks"]
    assert len(found.matched) < 130
    assert found.conversation_id == maria.conversations.get().pk


def test_a_booking_leads_to_its_customer() -> None:
    """By its reference, with or without what all of them begin with."""
    talk = cast.conversation(cast.customer("Mary Price"))
    cast.booking(talk)
    reference = talk.bookings.get().reference
    for text in (reference, reference.lower(), reference.removeprefix("HH-")):
        assert names(text) == ["Mary Price"]


def test_a_joined_record_is_found_as_the_one_it_is_joined_into(maria: Customer) -> None:
    """By its own name and its own words, too; and as itself again when that is taken back."""
    old = rows.customer("Mimi Lindqvist")
    known_by(old, "email", "mimi@example.org")
    said(old, "The radiator is cold.")
    link = merging.join_customers(old, maria, evidence={}, made_by="test")
    for text in ("lindqvist", "mimi@example.org", "radiator cold"):
        assert names(text) == ["María Zębik-Okafor"]
    merging.separate_customers(link, undone_by="test")
    for text in ("lindqvist", "mimi@example.org", "radiator cold"):
        assert names(text) == ["Mimi Lindqvist"]


def test_what_was_said_on_a_recorded_call_with_a_person_is_found(maria: Customer) -> None:
    """Like what was said to the AI agent."""
    said(maria, "The wyvern alarm is off on Tuesdays.", kind="speech", audience="staff")
    assert [found.by for found in search("wyvern alarm")] == ["text"]
    assert names("wyvern tues") == ["María Zębik-Okafor"]


def test_notes_are_found_and_what_was_redacted_is_not(maria: Customer) -> None:
    """A redacted entry has no words left, also for somebody who knows them."""
    entry = said(maria, "My dog is called Fluffy.")
    said(maria, "Prefers mornings.", kind="note", actor_kind="agent", audience="staff")
    assert names("fluffy dog") == names("prefers mornings") == ["María Zębik-Okafor"]
    timeline.redact(entry, reason="Asked for by the customer.")
    assert names("fluffy dog") == []


def test_no_more_is_returned_than_asked_for() -> None:
    """And each customer once, however much of it matches."""
    for number in range(9):
        said(rows.customer(f"Ola Berg {number}"), "ola berg, ola berg")
    assert len(search("ola berg", limit=4)) == 4
    assert len({each.customer.pk for each in search("ola berg")}) == 9


def test_a_customer_without_a_name_is_called_by_how_to_reach_them() -> None:
    """As on every other screen."""
    nameless = rows.customer("")
    known_by(nameless, "phone", "+441632960777", "network_hint")
    assert [found.calls_by for found in search("01632960777")] == ["+441632960777"]


def test_the_number_of_statements_is_bounded(maria: Customer) -> None:
    """Also when nothing fits, which tries everything."""
    with CaptureQueriesContext(connection) as captured:
        search("qwrtzp xyz 00")
    assert len(captured) <= 35


def test_a_search_leaves_the_settings_of_the_transaction_alone(maria: Customer) -> None:
    """Its time limit is its own."""

    def setting(name: str) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting(%s)", [name])
            return str(cursor.fetchone()[0])

    with transaction.atomic():
        before = [setting("statement_timeout"), setting("enable_seqscan")]
        search("zebik")
        search("nobody at all")
        assert [setting("statement_timeout"), setting("enable_seqscan")] == before


@given(text=st.text(max_size=300) | st.text(alphabet="'\"\\&|!():*<->%_@+0123456789 aąß½ŉ①", max_size=60))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_typed_is_no_error(text: str) -> None:
    """Operators of the database's search languages included."""
    for found in search(text):
        assert 0 < found.score <= 1


@pytest.mark.parametrize("letter", ["Łódź", "Søren", "Straße", "François", "Æsa", "ﬁona", "Đorđe"])
def test_the_database_and_the_screen_fold_alike(letter: str) -> None:
    """What is found is also marked."""
    from conversations.selectors.highlighting import fold

    with connection.cursor() as cursor:
        cursor.execute("SELECT conversations_folded(%s)", [letter])
        assert cursor.fetchone()[0] == fold(letter)
