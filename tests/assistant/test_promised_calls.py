"""A call back that was promised: moved, recalled and called off on its own line, in the words that people use, and by nobody else."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import ActionItem, Consent
from tests.assistant.conftest import Line
from tests.assistant.test_several_needs import on

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
