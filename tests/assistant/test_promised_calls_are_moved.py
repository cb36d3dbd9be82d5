"""A call back that was promised since nobody was in gets an hour or another number; and none is promised on one that costs who rings it."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import ActionItem, Entry
from tests.assistant.conftest import Line
from tests.assistant.test_several_needs import on

BOTH = pytest.mark.parametrize("channel", ["chat", "voice"])
COSTLY = "That number costs whoever rings it, so we cannot call it. Please give us another one."


async def promised(channel: str) -> Line:
    """A line on which a call back was promised on 07700 999131, for Monday."""
    line = await on(channel)
    await line.say("I want to talk to a person")
    assert "we will call you back on 07700 999131" in await line.say("07700 999131")
    return line


@BOTH
@pytest.mark.parametrize(
    ("words", "hour"), [("not before 11 please", "11:00"), ("after 10 please", "10:00"), ("at 11:30", "11:30"), ("can it be 9:30", "09:30")]
)
async def test_a_promised_call_takes_an_hour_of_its_day(sunday_night: datetime, channel: str, words: str, hour: str) -> None:
    line = await promised(channel)
    said = await line.say(words)
    assert said == f"We will call you on 07700 999131 tomorrow, Monday 23 November, at {hour}. Is that right?"
    assert "at " + hour in await line.say("yes")
    assert (await ActionItem.objects.aget()).phone == "+447700999131"


@BOTH
async def test_a_promised_call_takes_another_day(sunday_night: datetime, channel: str) -> None:
    """Whose hour is asked."""
    line = await promised(channel)
    assert await line.say("can you make it on tuesday instead") == "At what time shall we call?"
    assert "Tuesday 24 November, at 11:30. Is that right?" in await line.say("at 11:30")


@BOTH
async def test_another_number_is_taken_in_the_middle_and_when_it_comes_is_told(sunday_night: datetime, channel: str) -> None:
    line = await promised(channel)
    await line.say("at 11:30")
    said = await line.say("when will you call")
    assert "07700 999131 by tomorrow, Monday 23 November" in said
    assert said.endswith("at 11:30. Is that right?")
    assert "07700 999140 tomorrow, Monday 23 November, at 11:30" in await line.say("can you make it on the other number 07700 999140")
    await line.say("yes")
    assert "07700 999140 tomorrow, Monday 23 November, at 11:30" in await line.say("when will you call")
    assert (await ActionItem.objects.aget()).phone == "+447700999140"


@BOTH
async def test_a_costly_number_is_refused_before_it_is_read_back(monday: datetime, record: None, channel: str) -> None:
    """Once, and another is taken; also when a call that was promised is to come there."""
    line = await on(channel)
    said = await line.say("call me back at 3pm on 09012345678")
    assert said == f"{COSTLY} On which number shall we call you?"
    assert COSTLY not in await line.say("07700 999131")
    assert "07700 999131 tomorrow, Tuesday 24 November, at 15:00. Is that right?" in await line.say("tomorrow")
    await line.say("yes")
    assert COSTLY in await line.say("call me on 09012345678 instead")
    assert (await ActionItem.objects.aget()).phone == "+447700999131"


async def test_no_button_rings_a_costly_number(monday: datetime, record: None, chat: Line) -> None:
    assert await chat.say("call me on 09012345678") == COSTLY
    assert not chat.choices


@BOTH
async def test_another_number_is_asked_for_where_nobody_is_in(sunday_night: datetime, channel: str) -> None:
    line = await on(channel)
    await line.say("I want to talk to a person")
    said = await line.say("09012345678")
    assert said.startswith(COSTLY)
    assert said.endswith("?")
    assert "we will call you back on 07700 999131" in await line.say("07700 999131")
    assert not await Entry.objects.filter(kind="callback.requested", data__phone="+449012345678").aexists()


async def test_a_costly_number_told_before_is_asked_for_anew(sunday_night: datetime, chat: Line) -> None:
    await chat.say("my number is 09012345678")
    assert "On which phone number may we call you back" in await chat.say("I want to talk to a person")
    assert "we will call you back on 07700 999131" in await chat.say("07700 999131")
