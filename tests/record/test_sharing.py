"""A value that more customers show than one person can be stops saying who somebody is."""

from __future__ import annotations

import pytest
from django.db import transaction

from conversations.chat import visitor
from conversations.models import Customer, Identifier, MatchCandidate, Proof, SharedIdentifier
from conversations.services import identity, raising, sharing
from conversations.services.parties import IdentifierClaim
from tests.record.parties import call, chat, place_of, vouched_for

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("company")]
OFFICE = "+441632960500"


def claimed_by_visitors(number: int, kind: str, value: str) -> None:
    for _ in range(number):
        with transaction.atomic():
            customer = identity.resolve(visitor.new().party.claims, source="web chat")
            identity.claim(customer, kind, value, source="said")


def test_a_number_that_few_customers_gave_still_says_who_calls(settings: pytest.FixtureRequest) -> None:
    """Up to the limit the calls go on one record."""
    settings.IDENTIFIER_SHARED_ABOVE = 5
    claimed_by_visitors(4, "phone", OFFICE)
    assert place_of(call(OFFICE)).customer == place_of(call(OFFICE)).customer
    assert not SharedIdentifier.objects.exists()


def test_calls_from_an_office_line_are_different_people(settings: pytest.FixtureRequest) -> None:
    """Above the limit each call has a record of its own, and nobody is shown pairs of strangers."""
    settings.IDENTIFIER_SHARED_ABOVE = 3
    claimed_by_visitors(4, "phone", OFFICE)
    MatchCandidate.objects.all().delete()
    one, other = place_of(call(OFFICE)).customer, place_of(call(OFFICE)).customer
    assert one != other
    assert not MatchCandidate.objects.exists()
    assert SharedIdentifier.objects.get().shown_as == "network_hint"


def test_nobody_makes_anothers_proven_address_worthless_by_typing_it(settings: pytest.FixtureRequest) -> None:
    """Claims count against a hint, never against a proof."""
    settings.IDENTIFIER_SHARED_ABOVE = 3
    address = IdentifierClaim("email", "jane@example.org", "verified")
    jane = chat(visitor.new())
    with transaction.atomic():
        raising.raise_line(jane, address, method="one_time_code", made_by="tests", sentence="Proven.")
    claimed_by_visitors(6, "email", "jane@example.org")
    assert not sharing.is_shared(address)
    again = chat(visitor.new())
    with transaction.atomic():
        raised = raising.raise_line(again, address, method="one_time_code", made_by="tests", sentence="Proven.")
    assert raised.conversation.customer == place_of(jane).customer


def test_a_mailbox_that_many_have_proven_joins_nobody_any_more(settings: pytest.FixtureRequest) -> None:
    """The office's address: each of them proved it, so it is not one person's."""
    settings.IDENTIFIER_SHARED_ABOVE = 3
    address = IdentifierClaim("email", "info@example.org", "verified")
    lines = [chat(visitor.new()) for _ in range(6)]
    for line in lines:
        with transaction.atomic():
            raising.raise_line(line, address, method="one_time_code", made_by="tests", sentence="Proven.")
    assert SharedIdentifier.objects.get().shown_as == "verified"
    assert place_of(lines[5]).customer != place_of(lines[0]).customer


def test_a_mailbox_that_many_share_opens_nobodys_record_to_who_signs_in_with_it() -> None:
    """The host site vouches for the office's address, too: the first to have shown it is not everybody."""
    lines = [chat(vouched_for("email", "info@example.org")) for _ in range(2)]
    assert Proof.objects.filter(interaction=lines[1]).exists()
    SharedIdentifier.objects.create(kind="email", value="info@example.org", customers=9, shown_as="verified")
    line = chat(vouched_for("email", "info@example.org"))
    assert place_of(line).customer != place_of(lines[0]).customer
    assert not Proof.objects.filter(interaction=line).exists()


def test_a_shops_tablet_does_not_say_who_sits_in_front_of_it(settings: pytest.FixtureRequest) -> None:
    """Many customers of a site signed in on one browser: without signing in, it is nobody."""
    settings.IDENTIFIER_SHARED_ABOVE = 3
    tablet = visitor.new()
    for number in range(5):
        chat(visitor.Visitor(tablet.browser, (IdentifierClaim("external", f"crm:{number}", "verified"),)))
    owner = Identifier.objects.filter(kind="visitor", value=tablet.id, assurance="verified").get().customer
    assert SharedIdentifier.objects.get().kind == "visitor"
    assert place_of(chat(tablet)).customer != owner


def test_a_person_may_decide_that_it_identifies_all_the_same(settings: pytest.FixtureRequest) -> None:
    """From then on calls go on one record again, and it is not marked anew by the next caller."""
    settings.IDENTIFIER_SHARED_ABOVE = 3
    call(OFFICE)
    claimed_by_visitors(5, "phone", OFFICE)
    sharing.allow(SharedIdentifier.objects.get(), "Maya")
    claimed_by_visitors(1, "phone", OFFICE)
    assert place_of(call(OFFICE)).customer == place_of(call(OFFICE)).customer
    assert SharedIdentifier.objects.get().allowed_by == "Maya"


def test_withheld_and_malformed_numbers_are_somebody_new() -> None:
    """Nothing is known of them, so each is a record of its own that can be joined later."""
    with transaction.atomic():
        unknown = [
            identity.resolve([IdentifierClaim("phone", value, "network_hint")], source="call", region="GB")
            for value in ("", "anonymous", "0", "+999999999999999999", "\x00")
        ]
    assert len({customer.pk for customer in unknown}) == 5
    assert not Identifier.objects.exists()


def test_a_returning_party_costs_three_statements(django_assert_num_queries: object) -> None:
    """Locks, the look, and when it was seen last."""
    with transaction.atomic():
        browser = visitor.new()
        known = identity.resolve(browser.party.claims, source="web chat")
        with django_assert_num_queries(3):
            assert identity.resolve(browser.party.claims, source="web chat") == known
    assert Customer.objects.count() == 1
