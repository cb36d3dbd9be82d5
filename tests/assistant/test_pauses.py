"""Somebody wants a moment, goes now and comes back, or asks whether a person speaks: none of it is a wrong answer."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import Handoff
from tests.assistant.test_several_needs import on

BOTH = pytest.mark.parametrize("channel", ["chat", "voice"])


@BOTH
async def test_a_moment_is_given_as_often_as_it_is_wanted(monday: datetime, record: None, channel: str) -> None:
    """The question stands, and nobody is passed on for it."""
    line = await on(channel)
    await line.say("i want to book a boiler service")
    for words in ("one moment please", "hold on", "hold on let me find my postcode", "just a sec", "sorry, I'll just get it"):
        assert await line.say(words) == "Of course, take your time."
    assert "postcode HB1 4QT" in await line.say("HB1 4QT")
    assert not await Handoff.objects.aexists()


@BOTH
async def test_a_moment_in_the_middle_of_nothing(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    for _time in range(3):
        assert await line.say("one moment please") == "Of course, take your time."
    assert not await Handoff.objects.aexists()


@BOTH
@pytest.mark.parametrize("words", ["I will call back later, thank you", "I'll ring you later", "i'm going to write again tomorrow"])
async def test_who_comes_back_later_is_let_go(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    assert "whenever you like" in await line.say(words)
    await line.say("i want to book a boiler service")
    said = await line.say(words)
    assert "nothing was booked" in said
    assert not (await line.conversation()).form_state.get("form")


@BOTH
@pytest.mark.parametrize(
    "words",
    ["are you a real human", "are you human or machine?", "am I talking to a real person?", "hello is that a real person",
     "so you're a robot?"],
)  # fmt: skip
async def test_who_asks_what_speaks_is_told(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    assert "I am an AI assistant of Harbor Home Services, not a person." in await line.say(words)
    assert not await Handoff.objects.aexists()


@BOTH
@pytest.mark.parametrize("words", ["ok never mind", "ok forget it", "oh well never mind"])
async def test_a_refusal_that_begins_like_a_yes_is_one(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    assert "Shall I book a visit for you?" in await line.say("how much is a boiler service")
    said = await line.say(words)
    assert "postcode" not in said
    assert not (await line.conversation()).form_state.get("form")


@BOTH
async def test_a_postcode_beside_a_need_leaves_it_one(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "These times are free" in await line.say("my postcode is HB2 4QT and I have a leak")
    reason = (await line.conversation()).reason
    assert reason is not None
    assert reason.code == "leak"


async def test_the_names_of_letters_spell_a_postcode(monday: datetime, record: None) -> None:
    line = await on("voice")
    await line.say("i need a repair")
    assert "postcode HB2 4QT" in await line.say("aitch bee two four queue tee")


@BOTH
@pytest.mark.parametrize("words", ["do you do heat pumps", "do you do bathrooms?"])
async def test_what_the_company_does_is_told(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    said = await line.say(words)
    assert "new heating" in said or "bathrooms" in said
    assert "no answer" not in said
