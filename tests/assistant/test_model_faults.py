"""Whatever a provider does, at whatever step: an answer in time, nothing done twice, and nobody talks over a person."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from decimal import Decimal

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.core.cache import cache

from conversations.assistant import turn
from conversations.assistant.model import breaker
from conversations.assistant.stand_in.scenes import FAULTS, Call, Gate, Scene, calls, refuses_with, says
from conversations.assistant.stand_in.server import StandIn
from conversations.flows import takeover
from conversations.models import Booking, Conversation, Entry, TurnTrace
from conversations.services.announce import conversation_group
from routing.models import AgentProfile
from tests.assistant.conftest import Line
from tests.assistant.test_booking import ready_to_choose

MANY = 12
CHAT_SECONDS, VOICE_SECONDS = 4.5, 2.5
"""How long the model may have been waited for: the budgets of these tests, and what a busy machine adds."""
LOOK_UP = Call("search_knowledge", {"query": "opening hours"})
AFTER_A_BOOKING = ("overloaded", "silence", "cut_before_text", "cut_after_text", "error_in_stream", "refusal", "empty", "unknown_tool")


def again_and_again(fault: str) -> list[Scene]:
    """A fault that does not go away."""
    return [FAULTS[fault]() for _number in range(MANY)]


async def offered(chat: Line) -> Call:
    """The booking of the first time that was offered, as the model would ask for it."""
    state = (await chat.conversation()).form_state
    given = {"name": "Kim Lee", "phone": "+447700900333", "postcode": "HB1 4QT"}
    known = {name: fact["value"] for name, fact in (await chat.conversation()).facts.items() if name in given}
    return Call("book", {"service": "Boiler service", "start": state["offered"][0]["start"], **given, **known})


@pytest.mark.parametrize("fault", sorted(FAULTS))
async def test_every_fault_on_both_channels_at_the_first_request_and_after_a_look_up(
    monday: datetime, chat: Line, model: StandIn, fault: str
) -> None:
    """The rules answer within the channel's budget, and the trace says why the model did not."""
    call = Line("voice")
    await call.begin()
    for number, (line, seconds, before) in enumerate([(chat, CHAT_SECONDS, []), (call, VOICE_SECONDS, [calls(LOOK_UP)])]):
        settings.ANTHROPIC_API_KEY = f"{fault}-{number}"
        model.play(*before, *again_and_again(fault))
        assert "8 am" in await line.say("what are your opening hours?"), line.channel
        trace = await TurnTrace.objects.aget(conversation=line.conversation_id, reply_seq=line.last.seq)
        assert (trace.answered_by, bool(trace.fallback)) == ("rules", True), line.channel
        assert trace.model_ms < seconds * 1000, line.channel


@pytest.mark.parametrize("fault", AFTER_A_BOOKING)
async def test_what_was_booked_before_a_fault_is_told_and_booked_once(monday: datetime, chat: Line, model: StandIn, fault: str) -> None:
    """The rules tell what the model did and could not say."""
    await _ready_by_rules(chat)
    model.play(calls(await offered(chat)), *again_and_again(fault))
    reply = await chat.say("the first one")
    booking = await Booking.objects.aget()
    assert booking.reference in reply
    assert (await chat.conversation()).form_state["step"] == "done"
    assert (await TurnTrace.objects.aget(reply_seq=chat.last.seq)).answered_by == "rules"


async def _ready_by_rules(chat: Line) -> None:
    """Up to the choice of a time without the model."""
    key, settings.ANTHROPIC_API_KEY = settings.ANTHROPIC_API_KEY, ""
    await ready_to_choose(chat)
    settings.ANTHROPIC_API_KEY = key


async def test_a_retry_of_the_provider_and_a_model_that_repeats_itself_book_once(monday: datetime, chat: Line, model: StandIn) -> None:
    """The same call twice in one answer, then an overloaded provider that comes back: one visit, told by the model."""
    await _ready_by_rules(chat)
    book = await offered(chat)
    model.play(calls(book, book), refuses_with(529))
    reply = await chat.say("the first one")
    assert (await Booking.objects.aget()).reference in reply
    assert (await TurnTrace.objects.aget(reply_seq=chat.last.seq)).answered_by == "model"
    assert await Entry.objects.filter(kind="booking.made").acount() == 1


async def test_words_that_do_not_stand_are_taken_off_the_screen(monday: datetime, chat: Line, model: StandIn) -> None:
    """What was streamed before the cut is replaced by the rules' reply."""
    await chat.say("hello")
    layer = get_channel_layer()
    assert layer is not None
    channel = await layer.new_channel()
    await layer.group_add(conversation_group((await chat.conversation()).public_id.hex), channel)
    model.play(*again_and_again("cut_after_text"))
    await chat.say("what are your opening hours?")
    shown = []
    while not shown or shown[-1][0] != "entry":
        frame = await asyncio.wait_for(layer.receive(channel), 10)
        if frame["type"] == "activity":
            shown.append((frame["what"], frame["text"]))
        elif any(entry["kind"] == "message" and entry["actor_kind"] == "assistant" for entry in frame.get("entries", [])):
            shown.append(("entry", ""))
    assert [what for what, _text in shown] == ["draft", "typing", "entry"]
    assert "We open at".startswith(shown[0][1][:10])


BOOKING_AT = [0, 1, 3, 5, 6, 12, 20]
"""After how many events of the answer that asks for the booking: before it begins, in its words, in the arguments, at its end."""


@pytest.mark.parametrize("moment", [*BOOKING_AT, "telling"])
async def test_a_person_takes_over_while_the_model_answers(monday: datetime, chat: Line, model: StandIn, moment: int | str) -> None:
    """No message of the AI agent comes after the person has joined, and no booking that was not begun before."""
    await _ready_by_rules(chat)
    gate, book = Gate(), await offered(chat)
    if isinstance(moment, int):
        model.play(says("Let me book that.", book, gate=gate, gate_after=moment))
    else:
        model.play(calls(book), says("It is booked for you, I will give you", gate=gate, gate_after=4))
    agent = await AgentProfile.objects.afirst()
    assert agent is not None
    received = await chat.send("the first one")
    running = turn.schedule(received.conversation_id)
    assert await asyncio.to_thread(gate.reached.wait, 20)
    await database_sync_to_async(takeover.take_over)(await chat.conversation(), agent)
    joined = (await Entry.objects.filter(conversation_id=chat.conversation_id, kind="handoff.accepted").alatest("seq")).seq
    gate.passed.set()
    assert (await running).what in ("dropped", "nothing")
    later = [entry async for entry in Entry.objects.filter(conversation_id=chat.conversation_id, seq__gt=joined, actor_kind="assistant")]
    assert later == []
    assert await Booking.objects.acount() == (0 if isinstance(moment, int) else 1)
    assert (await TurnTrace.objects.filter(model__gt="").alatest("pk")).outcome == "dropped"


async def test_three_messages_in_a_row_get_one_answer(monday: datetime, chat: Line, model: StandIn) -> None:
    """What is being written for the first is dropped; the model is asked anew with all three."""
    await chat.say("hello")
    gate = Gate()
    model.play(says("About the first", gate=gate, gate_after=4), says("One answer to all three."))
    first = await chat.send("do you repair boilers?")
    running = turn.schedule(first.conversation_id)
    assert await asyncio.to_thread(gate.reached.wait, 20)
    for more in ("and on Saturdays?", "in Harbor Bay"):
        turn.schedule((await chat.send(more)).conversation_id)
    assert (await running).what == "answered"
    said = Entry.objects.filter(conversation_id=chat.conversation_id, seq__gt=first.seq, kind="message", actor_kind="assistant")
    assert [entry.body async for entry in said] == ["One answer to all three."]
    last = model.requests[-1]["messages"][-1]["content"][-1]["text"]
    assert all(words in last for words in ("repair boilers", "Saturdays", "Harbor Bay"))
    gate.passed.set()


async def test_a_dead_provider_is_left_alone_and_tried_again(monday: datetime, chat: Line, model: StandIn) -> None:
    """After three failures nobody asks; when the time is over one turn tries, and an answer ends it."""
    model.play(*again_and_again("server_error"))
    for question in ("do you come to HB1?", "what does a boiler service cost?", "how do I bleed a radiator?"):
        await chat.say(question)
    model.play(says("I am back."))
    assert "8 am" in await chat.say("what are your opening hours?")
    assert len(model.requests) == 0
    assert (await TurnTrace.objects.alatest("pk")).fallback == "left_alone"
    await database_sync_to_async(_time_is_over)()
    assert await chat.say("and on a bank holiday?") == "I am back."
    model.play(says("And again."))
    assert await chat.say("are you sure?") == "And again."


async def test_whoever_tries_a_provider_that_was_down_does_not_wait_for_it(monday: datetime, chat: Line, model: StandIn) -> None:
    """A provider that says nothing after it was down costs the one turn that tries it a few seconds, and not what a turn may take."""
    settings.MODEL_SILENCE_SECONDS, settings.MODEL_TIMEOUT_SECONDS = 20, 60
    model.play(*again_and_again("rate_limit"))
    for question in ("do you come to HB1?", "what does a boiler service cost?", "how do I bleed a radiator?"):
        await chat.say(question)
    await database_sync_to_async(_time_is_over)()
    model.play(*again_and_again("silence"))
    began = time.monotonic()
    assert "8 am" in await chat.say("what are your opening hours?")
    assert time.monotonic() - began < 10
    assert (await TurnTrace.objects.alatest("pk")).fallback == "timed_out"
    assert len(model.requests) == 1


def _time_is_over() -> None:
    """As when the seconds have passed for which the provider is left alone."""
    cache.delete(breaker.key_of("open"))


async def test_a_model_that_writes_no_arguments_is_not_asked_eight_times(monday: datetime, chat: Line, model: StandIn) -> None:
    model.play(*(FAULTS["invalid_json"]() for _time in range(8)))
    assert "8 am to 6 pm" in await chat.say("When are you open?")
    assert len(model.requests) == 3


async def test_a_turn_has_an_end_in_money(monday: datetime, chat: Line, model: StandIn) -> None:
    """A model that goes on and on is stopped by what it costs."""
    settings.MODEL_PRICES = {"other": (Decimal(90_000), Decimal(90_000))}
    model.play(calls(LOOK_UP), says("Dear."))
    assert "8 am" in await chat.say("what are your opening hours?")
    assert (await TurnTrace.objects.aget()).fallback == "over_budget"
    assert len(model.requests) == 1
    assert await Conversation.objects.filter(failed_turns=0).aexists()
