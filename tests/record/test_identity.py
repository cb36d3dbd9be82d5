"""Normal forms of identifiers, and what cannot have one."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.models.identifier import E164
from conversations.services import facts, identity
from conversations.services.facts import LearnedFact
from conversations.understanding.facts import extract
from tests.record import rows

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=ZoneInfo("Europe/London"))
ODD = ["0044 1111", "+2341111111111111", "+441111"]


@pytest.mark.parametrize("number", ODD)
def test_a_number_that_no_identifier_can_hold_is_refused(number: str) -> None:
    """Possible in its country, and yet shorter or longer than E.164: the record would refuse it."""
    with pytest.raises(identity.InvalidIdentifier):
        identity.normalise("phone", number)


@pytest.mark.parametrize("number", ODD)
def test_it_is_no_fact_either(number: str) -> None:
    """What a customer says of it is not taken for their number, so no turn fails on it."""
    assert not [fact for fact in extract(f"my number is {number}", now=NOW) if fact.name == "phone"]


@given(st.from_regex(r"(\+|00|0)?[0-9 ]{4,18}", fullmatch=True), st.sampled_from(["GB", "US", "NG", "DE", "AT"]))
def test_what_is_taken_for_a_number_fits_the_record(text: str, region: str) -> None:
    """Whatever is typed, in whatever country: what comes out is refused by neither side."""
    try:
        normal = identity.normalise("phone", text, region)
    except identity.InvalidIdentifier:
        return
    assert re.fullmatch(E164, normal)


@pytest.mark.django_db
def test_a_fact_that_is_no_number_leaves_the_conversation_whole() -> None:
    """It is kept as what was said, and becomes no identifier."""
    conversation = rows.conversation()
    learned = facts.learn(conversation, [LearnedFact("phone", "+441111")], interaction=None, from_seq=1)
    assert [fact.value for fact in learned] == ["+441111"]
    assert not conversation.customer.identifiers.exists()
