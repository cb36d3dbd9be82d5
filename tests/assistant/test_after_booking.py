"""After a visit was booked: what it is, that it be undone or added to, and that what is stopped later is not taken for it."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import ActionItem, Booking, Handoff
from tests.assistant.conftest import Line
from tests.assistant.test_several_needs import book, on

BOTH = pytest.mark.parametrize("channel", ["chat", "voice"])
NOTHING_BOOKED = "nothing was booked or changed"


async def booked(channel: str) -> tuple[Line, str]:
    """A line on which a boiler service was booked, and its reference."""
    line = await on(channel)
    await line.say("book a boiler service")
    assert "is booked" in await book(line)
    return line, (await Booking.objects.aget()).reference


@BOTH
@pytest.mark.parametrize(
    "words", ["what day is it booked for?", "what's my reference?", "whats the ref", "remind me when is it", "is it definitely booked?",
              "when is the engineer coming?", "what did I book"],
)  # fmt: skip
async def test_what_was_booked_is_told(monday: datetime, record: None, channel: str, words: str) -> None:
    line, reference = await booked(channel)
    said = await line.say(words)
    assert f"Boiler service on Monday 23 November, 12:00 to 14:00, reference {reference}" in said


async def test_what_was_booked_is_told_in_spanish(monday: datetime, record: None, chat: Line) -> None:
    for words in ("quiero reservar una revisión de caldera", "HB1 2AB", "la primera", "Pat Lake", "07700 900444"):
        await chat.say(words)
    reference = (await Booking.objects.aget()).reference
    for words in ("¿qué he reservado?", "¿cuál es mi referencia?", "¿para qué día es?"):
        assert reference in await chat.say(words)
    assert "¿" in await chat.say("cancélalo")
    assert "está anulada" in await chat.say("sí")


@BOTH
async def test_it_is_told_in_the_middle_of_something_else(monday: datetime, record: None, channel: str) -> None:
    line, reference = await booked(channel)
    await line.say("I want to book a repair as well")
    assert f"reference {reference}" in await line.say("what's my reference?")
    assert (await line.conversation()).form_state["form"] == "booking"


async def test_it_is_not_sent_and_nobody_calls_for_it(monday: datetime, record: None, chat: Line) -> None:
    chat, reference = await booked("chat")
    said = await chat.say("send it to me by text")
    assert "I cannot send that" in said
    assert reference in said
    assert not await ActionItem.objects.aexists()
    assert not await Handoff.objects.aexists()


@BOTH
@pytest.mark.parametrize("words", ["cancel it", "i want to cancel it", "can you cancel that please", "I don't want it any more"])
async def test_cancel_it_means_what_was_booked(monday: datetime, record: None, channel: str, words: str) -> None:
    """Also when something was asked in between; afterwards it is told that it is cancelled."""
    line, reference = await booked(channel)
    await line.say("do you charge for call out?")
    assert f"Shall I cancel your visit on Monday 23 November, 12:00 to 14:00 ({reference})?" in await line.say(words)
    assert "is cancelled" in await line.say("yes")
    assert f"Your visit {reference} on Monday 23 November, 12:00 to 14:00 is cancelled." in await line.say("is it definitely cancelled?")


@BOTH
async def test_it_is_said_that_it_is_not_cancelled(monday: datetime, record: None, channel: str) -> None:
    line, reference = await booked(channel)
    said = await line.say("is it cancelled?")
    assert "It is not cancelled." in said
    assert reference in said


@BOTH
async def test_a_question_after_an_offer_takes_no_visit(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "Shall I book a visit" in await line.say("how much is a boiler service")
    assert "postcode" not in await line.say("ok and is there parking needed")


@BOTH
async def test_more_for_the_visit_is_noted_and_no_second_one_begun(monday: datetime, record: None, channel: str) -> None:
    line, reference = await booked(channel)
    for words in ("and can he also look at the radiator", "tell the engineer the key is under the mat"):
        assert f"I have noted for your visit {reference}" in await line.say(words)
        assert await ActionItem.objects.filter(title=f"{reference}: {words}").aexists()
    assert await Booking.objects.acount() == 1


@BOTH
async def test_what_is_stopped_afterwards_is_not_the_visit(monday: datetime, record: None, channel: str) -> None:
    line, reference = await booked(channel)
    await line.say("I want to book a repair as well")
    said = await line.say("cancel that")
    assert NOTHING_BOOKED not in said
    assert f"Your visit {reference} stays booked." in said
    await line.say("I want to book a repair")
    assert NOTHING_BOOKED not in await line.say("ok bye")
    assert await Booking.objects.filter(state="booked").acount() == 1


@BOTH
@pytest.mark.parametrize(
    "words", ["now i need to cancel it", "sorry can you cancel that", "i want to cancel", "let's scrap the whole thing"]
)
async def test_there_is_a_way_out_of_the_form(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    for each in ("book a boiler service", "HB1 4QT", "the first one"):
        await line.say(each)
    assert NOTHING_BOOKED in await line.say(words)
    assert not await Booking.objects.aexists()


@BOTH
async def test_nothing_is_booked_yet(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    for each in ("book a boiler service", "HB1 4QT", "the first one"):
        await line.say(each)
    said = await line.say("what have i booked?")
    assert "Nothing is booked yet." in said
    assert "name" in said
