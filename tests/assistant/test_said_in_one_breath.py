"""Customers who correct themselves in the same breath, tell a long story, are polite in the middle of a form, or want nothing."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.assistant.conftest import Line
from tests.assistant.test_several_needs import on

CHANNELS = pytest.mark.parametrize("channel", ["chat", "voice"])
STORY = (
    "Hello there, I hope that you are well today. We moved here two years ago from the coast and we love it. The garden is nice. "
    "Last summer we painted the kitchen. The house has an old boiler and it works well so far. In spring we want to plant roses. "
    "My daughter goes to school in the town. We live in HB2 4QT. What I need is a boiler service, preferably next Tuesday in the morning."
)


async def choosing(channel: str) -> Line:
    """A customer whom three windows of tomorrow were offered: at 8, 10 and 12."""
    line = await on(channel)
    await line.say("I need a boiler service at HB2 4QT")
    assert "08:00 to 10:00" in await line.say("tomorrow")
    return line


@CHANNELS
@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("the first, no, the second one", "10:00 to 12:00"),
        ("the second, no sorry, the third", "12:00 to 14:00"),
        ("the first... actually the last", "12:00 to 14:00"),
        ("the first one please, no the second one please", "10:00 to 12:00"),
        ("no, the second one", "10:00 to 12:00"),
        ("make it the last one", "12:00 to 14:00"),
        ("the second is better than the first", "10:00 to 12:00"),
        ("not the first, the third", "12:00 to 14:00"),
    ],
)
async def test_of_two_times_the_last_is_taken(monday: datetime, record: None, channel: str, said: str, taken: str) -> None:
    line = await choosing(channel)
    assert taken in await line.say(said)


@CHANNELS
@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("my name is Ann, no, Anna Kelly", "Anna Kelly"),
        ("my name is Bob... sorry, Rob Field", "Rob Field"),
        ("My name is Tom, sorry, I mean Tim Hale", "Tim Hale"),
        ("it's Sam Okafor, sorry to bother you", "Sam Okafor"),
    ],
)
async def test_of_two_names_the_last_is_meant(monday: datetime, record: None, channel: str, said: str, name: str) -> None:
    line = await choosing(channel)
    await line.say("the second")
    answer = await line.say(said)
    assert f"name {name}." in answer or f"in the name of {name}," in answer


@CHANNELS
async def test_a_corrected_name_is_no_need_of_its_own(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    answer = await line.say("my name is Ann Lee, sorry, Anne Leigh, I need a tap repair, HB2 4QT, tomorrow at ten")
    assert "Anne Leigh" in answer
    assert "Shall I take it?" in answer


@CHANNELS
async def test_a_need_that_is_taken_back_is_none(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    answer = await line.say("I have no heating. sorry, I mean no hot water. HB2 4QT")
    assert "afterwards" not in answer
    reason = (await line.conversation()).reason
    assert reason is not None
    assert reason.code == "no_hot_water"


@CHANNELS
async def test_of_a_long_story_the_wish_counts(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "Tuesday" in await line.say(STORY)
    reason = (await line.conversation()).reason
    assert reason is not None
    assert reason.code == "boiler_service_booking"


@CHANNELS
async def test_thanks_in_a_form_are_welcome_and_it_goes_on(monday: datetime, record: None, channel: str) -> None:
    line = await choosing(channel)
    answer = await line.say("thanks")
    assert answer.startswith("You are welcome.")
    assert "which of the times" in answer
    await line.say("the second")
    answer = await line.say("thank you")
    assert answer.startswith("You are welcome.")
    assert "What name" in answer


@CHANNELS
async def test_who_says_that_they_want_nothing_is_believed(monday: datetime, record: None, channel: str) -> None:
    """And hello again is a greeting."""
    line = await on(channel)
    await line.say("bye")
    assert (await line.say("hello again")).startswith("Hello.")
    assert await line.say("no I do not want to book") == "All right. What can I do for you?"


@CHANNELS
async def test_a_day_beside_the_postcode_that_was_asked_for_counts(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("I need a boiler service")
    assert "Tuesday 24 November, 08:00" in await line.say("HB2 4QT tomorrow")


@CHANNELS
async def test_what_a_visit_costs_is_asked_while_it_is_moved(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    for said in ("I need a boiler service HB2 4QT tomorrow at ten", "yes", "Anna Kelly", "07700 900555", "can it be later that day"):
        await line.say(said)
    answer = await line.say("and how much is it")
    assert "£85" in answer
    assert "£95" not in answer


@CHANNELS
async def test_what_is_asked_beside_a_no_is_answered(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "£85" in await line.say("I don't want a visit but how much is a boiler service")
