"""A call back that was promised: moved, recalled and called off on its own line, in the words that people use, and by nobody else."""

from __future__ import annotations

from datetime import datetime

import pytest
from channels.db import database_sync_to_async

from conversations.flows import calling_customers
from conversations.models import ActionItem, Consent
from conversations.services import facts
from routing.models import WorkItem
from tests.assistant.conftest import Line
from tests.assistant.test_several_needs import on
from tests.assistant.test_wrap_up import ended

BOTH = pytest.mark.parametrize("channel", ["chat", "voice"])


async def promised(channel: str, *, number: str = "07700 900444") -> Line:
    """A line on which a call was promised for tomorrow at three."""
    line = await on(channel)
    for words in ("can you call me back tomorrow at 3pm", number, "yes"):
        await line.say(words)
    assert (await ActionItem.objects.aget()).due_at == datetime.fromisoformat("2026-11-24T15:00:00+00:00")
    return line


@BOTH
@pytest.mark.parametrize(
    "words", ["actually make it 4pm", "4 o'clock is better", "can you move the call to 4pm", "tomorrow at 4pm instead"]
)
async def test_it_is_moved(monday: datetime, record: None, channel: str, words: str) -> None:
    """Read back, done after a yes, told in the history; there is one call, and what was asked for holds for its new time."""
    line = await promised(channel)
    said = await line.say(words)
    assert "07700 900444 tomorrow, Tuesday 24 November, at 16:00. Is that right?" in said
    assert "will call you on 07700 900444 tomorrow, Tuesday 24 November, at 16:00" in await line.say("yes")
    item = await ActionItem.objects.aget()
    assert item.due_at == datetime.fromisoformat("2026-11-24T16:00:00+00:00")
    assert "16:00" in item.title
    assert "15:00" not in item.title
    assert len(await line.entries("callback.changed")) == 1
    assert await Consent.objects.filter(purpose="outbound_call", asked_for=True, value="+447700900444").acount() == 2


@BOTH
@pytest.mark.parametrize("words", ["use a different number, 07700 900777", "call me on 07700 900777 instead"])
async def test_it_is_made_to_another_number(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await promised(channel)
    assert "on 07700 900777 tomorrow, Tuesday 24 November, at 15:00. Is that right?" in await line.say(words)
    await line.say("yes")
    assert (await ActionItem.objects.aget()).phone == "+447700900777"


@BOTH
async def test_another_need_with_a_time_moves_no_call(monday: datetime, record: None, channel: str) -> None:
    line = await promised(channel)
    assert "postcode" in await line.say("actually my boiler leaks, can someone come tomorrow morning")


@BOTH
@pytest.mark.parametrize("words", ["what time did we say?", "when are you calling me?", "remind me when is the call back"])
async def test_it_is_recalled(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await promised(channel)
    assert "on 07700 900444 tomorrow, Tuesday 24 November, at 15:00" in await line.say(words)
    assert await ActionItem.objects.filter(done_at__isnull=True).acount() == 1


@BOTH
@pytest.mark.parametrize("words", ["cancel the call back", "cancel it", "dont bother calling me", "I don't need the call any more"])
async def test_it_is_called_off(monday: datetime, record: None, channel: str, words: str) -> None:
    """Nobody has to show who they are, and nobody else is looked for."""
    line = await promised(channel)
    assert "at 15:00 is called off; nobody will call you" in await line.say(words)
    assert not await ActionItem.objects.filter(done_at__isnull=True).aexists()
    assert len(await line.entries("callback.cancelled")) == 1
    assert not await line.entries("handoff.requested")
    assert "no call that was promised" in await line.say("when are you calling me?")


@BOTH
async def test_it_is_called_off_while_it_is_being_moved(monday: datetime, record: None, channel: str) -> None:
    line = await promised(channel)
    await line.say("make it 4pm")
    said = await line.say("oh cancel the call back")
    assert "is called off" in said
    assert "aside" not in said


async def test_what_was_asked_for_is_taken_back_by_whose_number_it_is(monday: datetime, record: None) -> None:
    """On the phone that is called; it can be asked for again. A number that was only typed gets no lasting no from a stranger."""
    call = await promised("voice", number="on this number please")
    await call.say("cancel the call back")
    revoked = Consent.objects.filter(purpose="outbound_call", decision="revoked")
    assert await revoked.acount() == 1
    for words in ("can you call me back tomorrow at 3pm", "yes"):
        said = await call.say(words)
    assert "A colleague will call you" in said
    await ActionItem.objects.all().adelete()
    chat = await promised("chat")
    await chat.say("cancel the call back")
    assert await revoked.acount() == 1


async def test_it_is_nobody_elses(monday: datetime, record: None) -> None:
    await promised("chat")
    stranger = Line()
    for words in ("cancel the call back", "what time are you calling me?", "move the call back to 4pm"):
        said = await stranger.say(words)
        assert "07700" not in said
        assert "no call that was promised" in said
    assert await ActionItem.objects.filter(done_at__isnull=True, due_at="2026-11-24T15:00:00+00:00").acount() == 1


@BOTH
async def test_what_was_begun_after_it_is_stopped_and_the_call_stands(monday: datetime, record: None, channel: str) -> None:
    line = await promised(channel)
    await line.say("book a boiler service")
    said = await line.say("never mind")
    assert "nothing was booked" not in said
    assert "The call that we promised stays" in said
    await line.say("book a boiler service")
    assert "nothing was booked" not in await line.say("thanks bye")


@BOTH
@pytest.mark.parametrize("words", ["its about my bill", "my boiler is leaking again"])
async def test_what_it_is_about_is_told_before_the_yes(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    await line.say("can you call me back tomorrow at 3pm")
    await line.say("07700 900444")
    assert "at 15:00. Is that right?" in await line.say(words)
    assert "A colleague will call you" in await line.say("yes")
    assert words in (await ActionItem.objects.aget()).title


async def test_a_call_back_asked_for_in_a_chat_without_a_time(monday: datetime, record: None, chat: Line) -> None:
    """When, is asked; nobody is looked for to write with."""
    assert "On which day shall we call?" in await chat.say("can someone ring me back please")
    await chat.say("07700 900444")
    assert "at 15:00. Is that right?" in await chat.say("tomorrow at 3")
    assert "A colleague will call you" in await chat.say("yes")
    assert not await chat.entries("handoff.requested")


async def test_in_spanish(monday: datetime, record: None, chat: Line) -> None:
    await chat.say("¿me pueden llamar mañana a las 15:00?")
    await chat.say("07700 900444")
    assert "¿Es correcto?" in await chat.say("es por la factura")
    await chat.say("sí")
    assert "a las 16:00. ¿Es correcto?" in await chat.say("mejor a las 16:00")
    await chat.say("sí")
    assert "a las 16:00" in await chat.say("¿a qué hora me llaman?")
    assert "nadie le llamará" in await chat.say("quiero cancelar la llamada")


async def told_at_night(channel: str, *, number: str = "07700 900131") -> Line:
    """A line on which a call back was promised since nobody is in: on the number that a chat told or a call shows."""
    line = await on(channel)
    said = await line.say("I want to speak to a manager")
    if channel == "chat":
        said = await line.say(number)
    assert "we will call you back on" in said
    return line


async def rung(line: Line) -> str:
    """The number that “Call now” would ring."""
    return await database_sync_to_async(calling_customers.number_to_call)(await line.conversation())


@BOTH
@pytest.mark.parametrize("words", ["07700900132", "no sorry, call me on 07700 900132 instead", "use a different number, 07700 900132"])
async def test_another_number_for_a_call_that_is_promised_by_a_time(sunday_night: datetime, record: None, channel: str, words: str) -> None:
    """Kept, read back, the one that is rung, and all that the wrap-up and the to-do know; it may be rung there."""
    line = await told_at_night(channel)
    before = await rung(line)
    assert "we will call you back on 07700 900132 by tomorrow, Monday 23 November, at 12:00" in await line.say(words)
    assert "we will call you back on 07700 900132 by" in await line.say("which number will you call me on?")
    assert await rung(line) == "+447700900132"
    assert await Consent.objects.filter(purpose="outbound_call", asked_for=True, value="+447700900132").acount() == 1
    told = await ended(line)
    assert [each["text"] for each in told.data["action_items"]] == ["The call back is now on 07700 900132 by 23 Nov, 12:00."]
    assert facts.phone(before) not in told.body.partition("In their words")[0]


@BOTH
async def test_a_number_for_a_visit_changes_no_call(sunday_night: datetime, record: None, channel: str) -> None:
    """And it is the promised one that is said when it is asked for."""
    line = await told_at_night(channel)
    before = facts.phone(await rung(line))
    for words in ("book a boiler service", "HB1 4QT", "the first one", "Sam Okafor", "07700 900188"):
        await line.say(words)
    assert f"call you back on {before} by" in await line.say("which number will you call me on?")
    assert facts.phone(await rung(line)) == before


@BOTH
async def test_another_time_takes_the_place_of_the_call_by_a_time(sunday_night: datetime, record: None, channel: str) -> None:
    """On its own day, where no other is said. One call is left, at the time that was chosen: nobody is rung before."""
    line = await told_at_night(channel)
    before = await rung(line)
    assert "tomorrow, Monday 23 November, at 15:00. Is that right?" in await line.say("can you make it 3pm instead")
    assert "A colleague will call you on" in await line.say("yes")
    item = await ActionItem.objects.aget()
    assert (item.phone, item.due_at) == (before, datetime.fromisoformat("2026-11-23T15:00:00+00:00"))
    assert not await WorkItem.objects.filter(state__in=WorkItem.LIVE_STATES).aexists()
    assert "by" not in (await line.conversation()).form_state["callback"]
    assert "at 15:00" in await line.say("when are you calling me?")
    assert "is called off; nobody will call you" in await line.say("cancel the call back")


@BOTH
async def test_a_call_by_a_time_is_called_off(sunday_night: datetime, record: None, channel: str) -> None:
    """Nobody is told any more that it comes; what they came about still waits for people."""
    line = await told_at_night(channel)
    assert "we will not call you back on" in await line.say("cancel the call back")
    assert "no call that was promised" in await line.say("when are you calling me?")
    assert len(await line.entries("callback.cancelled")) == 1
    assert await WorkItem.objects.filter(state="queued").aexists()
    assert "by" not in (await line.conversation()).form_state["callback"]


async def test_a_call_by_a_time_is_nobody_elses(sunday_night: datetime, record: None) -> None:
    line = await told_at_night("chat")
    stranger = Line()
    for words in ("cancel the call back", "call me on 07700 900199 instead", "what time are you calling me?"):
        assert "900131" not in await stranger.say(words)
    assert await rung(line) == "+447700900131"


async def test_a_new_need_on_another_call_while_nobody_is_in(sunday_night: datetime, record: None) -> None:
    """It is arranged: nobody is on the way to whom it could be passed."""
    first = await told_at_night("voice")
    again = Line("voice", party=first.party)
    await again.begin()
    said = await again.say("I'd like somebody to call me tomorrow at three about a new boiler")
    assert "as soon as one is free" not in said
    assert "at 15:00. Is that right?" in said
    assert "A colleague will call you" in await again.say("yes")
    assert (await ActionItem.objects.aget()).due_at == datetime.fromisoformat("2026-11-23T15:00:00+00:00")


@BOTH
async def test_a_visit_that_is_to_be_moved_moves_no_call(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("can you call me back tomorrow at 3pm")
    await line.say("07700 900444")
    assert "call you on" not in await line.say("I want to move my visit to Thursday")
