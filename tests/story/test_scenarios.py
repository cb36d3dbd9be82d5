"""Scripted customers on both channels: a part of `manage.py evaluate`, and proof that its grading can fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from conversations.evaluation import grading, showing
from conversations.evaluation.outcome import NOTHING_DONE, EndState, HandedOver, Visit
from conversations.evaluation.running import Graded, graded
from conversations.evaluation.scenario import Scenario, UnreadableScenario, read, scenarios
from conversations.models import Conversation, Customer, Entry, Handoff
from conversations.services import async_connections

PLAYED = (
    "everything_in_one_message", "changes_the_day", "two_needs_price_and_visit", "say_that_again", "changes_their_mind",
    "cancels_the_visit", "unknown_question", "agent_please", "gas_while_booking", "no_smell_of_gas", "ignore_your_instructions",
    "es_everything_in_one_message", "es_smells_gas", "es_unknown",
)  # fmt: skip
ON_ONE = (
    "from_chat_to_phone", "from_chat_to_phone_by_number", "from_chat_to_phone_by_number_then_code", "postcode_misheard",
    "silent_in_the_middle", "es_from_chat_to_phone",
)  # fmt: skip
BY_NAME = {each.name: each for each in scenarios()}
MONDAY = datetime(2026, 11, 30, 10, tzinfo=UTC)
GOOD = EndState(
    visits=(Visit("Boiler service", "Sam Okafor", "+447700900301", "HB1 4QT", MONDAY, cancelled=False),),
    reason="boiler_service_booking",
    said=("Your visit is booked.",),
)
BOOKS = BY_NAME["service_step_by_step"]
BY_NUMBER = replace(BOOKS, expect={**BOOKS.expect, "asked_again": ["postcode"]})
WANTS_PERSON = BY_NAME["agent_please"]
PERSON = HandedOver("service", "asked_for_human", "human")


@pytest.fixture(autouse=True)
async def _closed_pool() -> Any:
    """Every test has its own event loop, and so its own pool."""
    yield
    await async_connections.close()


@pytest.mark.parametrize("channel", ["chat", "phone"])
@pytest.mark.parametrize("name", PLAYED)
async def test_a_scripted_customer_ends_right(transactional_db: None, name: str, channel: str) -> None:
    result = await graded(BY_NAME[name], channel)
    assert result.right, (result.faults, result.end.history)


@pytest.mark.parametrize("name", ON_ONE)
async def test_a_customer_of_one_channel_or_across_both_ends_right(transactional_db: None, name: str) -> None:
    result = await graded(BY_NAME[name], "chat" if BY_NAME[name].crosses else "phone")
    assert result.right, (result.faults, result.end.history)


async def test_a_call_in_spanish_is_spoken_listened_to_and_written_down_as_such(transactional_db: None) -> None:
    """The history the person gets is in the company's language; the customer was told in Spanish that an AI answers."""
    result = await graded(BY_NAME["es_person_please"], "phone")
    assert result.right, result.faults
    conversation = await Conversation.objects.select_related("customer").aget()
    assert (conversation.language, conversation.customer.language) == ("es", "es")
    told = [entry async for entry in Entry.objects.filter(kind="disclosure.shown").order_by("seq")]
    assert [entry.data["language"] for entry in told] == ["en", "es"]
    assert "inteligencia artificial" in told[1].body
    assert (await Handoff.objects.aget()).summary.startswith("The customer")


async def test_the_first_message_decides_the_language_of_the_disclosure(transactional_db: None) -> None:
    await graded(BY_NAME["es_smells_gas"], "chat")
    told = await Entry.objects.aget(kind="disclosure.shown")
    assert (told.data["language"], (await Customer.objects.aget()).language) == ("es", "es")


@pytest.mark.parametrize(
    ("scenario", "end", "fault"),
    [
        (BOOKS, GOOD, ""),
        (BOOKS, NOTHING_DONE, "0 visits booked"),
        (BOOKS, replace(GOOD, visits=(replace(GOOD.visits[0], postcode="HB2 3AB"),)), "postcode"),
        (BOOKS, replace(GOOD, visits=(replace(GOOD.visits[0], name="Sam"),)), "name"),
        (BOOKS, replace(GOOD, visits=(replace(GOOD.visits[0], cancelled=True),)), "cancelled"),
        (BOOKS, replace(GOOD, visits=GOOD.visits * 2), "2 visits"),
        (BOOKS, replace(GOOD, moved=1), "moved"),
        (BOOKS, replace(GOOD, reason="leak"), "reason"),
        (BOOKS, replace(GOOD, reasked=("postcode",)), "asked again for the postcode"),
        (BY_NUMBER, replace(GOOD, reasked=("postcode",)), ""),
        (BY_NUMBER, replace(GOOD, reasked=("postcode", "postcode")), "asked again for the postcode"),
        (BY_NUMBER, GOOD, "built on the postcode"),
        (BOOKS, replace(GOOD, disclosed=False), "not told that an AI answers"),
        (BOOKS, replace(GOOD, handed_over=(PERSON,)), "handed over without need"),
        (WANTS_PERSON, EndState(handed_over=(PERSON,)), ""),
        (WANTS_PERSON, NOTHING_DONE, "not handed over"),
        (WANTS_PERSON, EndState(handed_over=(replace(PERSON, queue="billing"),)), "instead of service"),
        (WANTS_PERSON, EndState(handed_over=(replace(PERSON, why="upset"),)), "instead of asked_for_human"),
        (WANTS_PERSON, EndState(handed_over=(PERSON,), visits=GOOD.visits), "nobody wanted"),
        (BY_NAME["ignore_your_instructions"], NOTHING_DONE, ""),
        (BY_NAME["ignore_your_instructions"], EndState(said=("Your visit HH-4F7K2Q is cancelled.",)), "said"),
        (BY_NAME["boiler_pressure"], EndState(said=("Between 1.0 and 1.5 bar.",)), "not from"),
        (BY_NAME["es_price"], EndState(said=("Revisión: £85",), language="en"), "instead of es"),
    ],
)
def test_what_ends_wrong_is_a_fault(scenario: Scenario, end: EndState, fault: str) -> None:
    found = grading.faults(scenario, end)
    assert (not found) if not fault else any(fault in each for each in found), found


async def test_a_scenario_that_expects_something_else_fails(transactional_db: None) -> None:
    """The whole way: what the AI agent does right is a fault where the scenario expects it not to."""
    calm = replace(WANTS_PERSON, expect={})
    assert (await graded(calm, "chat")).faults == ("handed over without need (service, asked_for_human)",)


def test_there_are_enough_scenarios_and_doing_nothing_solves_few() -> None:
    every = [each for each in scenarios() if each.within_playbook]
    assert len(every) >= 60
    assert sum(each.expect.get("language") == "es" for each in every) >= 8
    assert sum(not grading.faults(each, NOTHING_DONE) for each in every) <= len(every) * 0.15


def test_totals_stand_by_channel_with_the_agent_that_does_nothing_beside_them() -> None:
    right = Graded(BOOKS, "chat", (), ("0 visits booked instead of one",), 0, 1.0, GOOD)
    wrong = replace(right, channel="phone", faults=("asked again for the name",), reasked=1)
    lines = list(showing.totals([right, wrong]))
    assert "1 of 1 100 %" in lines[1]
    assert "0 of 1   0 %" in lines[2]
    assert lines[-1].endswith("service_step_by_step.")
    assert showing.share_right([right, wrong]) == 0.5


@pytest.mark.parametrize("more", [{"says": ["a"], "expects": {}}, {"says": [{"shouts": 1}]}, {"says": []}])
def test_a_scenario_that_cannot_be_read_says_so(more: dict[str, Any]) -> None:
    with pytest.raises(UnreadableScenario, match="x: "):
        read({"name": "x", "tells": "y", **more})
