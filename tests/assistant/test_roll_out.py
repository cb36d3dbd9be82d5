"""How far the AI agent is let: hours, reasons, and the switch that stops it everywhere, on both channels and at any instant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from random import Random
from uuid import UUID

import pytest
from channels.db import database_sync_to_async

from conversations.assistant import turn
from conversations.models import AssistantSwitch, Booking, Entry, EntryPoint
from conversations.services import roll_out
from routing.models import ReasonCode, WorkItem
from tests.assistant.conftest import Line
from tests.support.locks import locked, until, waits_for_lock

OPENING_HOURS = "what are your opening hours?"
off_loop = partial(database_sync_to_async, thread_sensitive=False)


@pytest.fixture(autouse=True)
def running(record: None) -> Iterator[None]:
    """The switch and the doors as they were, when the test is over."""
    yield
    AssistantSwitch.objects.all().delete()
    EntryPoint.objects.update(live_hours="always", live_reasons="all")
    EntryPoint.reasons.through.objects.all().delete()


async def begun(channel: str) -> Line:
    """A line of a channel on which nothing was said yet."""
    line = Line(channel=channel)
    if channel == "voice":
        await line.begin()
    return line


@pytest.mark.parametrize("channel", ["chat", "voice"])
@pytest.mark.parametrize(("live_hours", "by"), [("inside", "assistant"), ("outside", "system")])
async def test_only_at_some_hours(monday: datetime, channel: str, live_hours: str, by: str) -> None:
    """On a Monday morning the AI agent that answers outside the opening hours leaves everything to people, and says nothing of itself."""
    await EntryPoint.objects.aupdate(live_hours=live_hours)
    line = await begun(channel)
    await line.say(OPENING_HOURS)
    assert line.last.actor_kind == by
    assert bool(await line.entries("disclosure.shown")) == (by == "assistant")
    assert await WorkItem.objects.aexists() == (by == "system")


async def test_at_night_the_other_way_round(sunday_night: datetime, chat: Line) -> None:
    await EntryPoint.objects.aupdate(live_hours="outside")
    assert "8 am" in await chat.say(OPENING_HOURS)
    assert chat.last.actor_kind == "assistant"


@pytest.mark.parametrize("channel", ["chat", "voice"])
@pytest.mark.parametrize(("rule", "answers_booking"), [("except", False), ("only", True)])
async def test_only_for_some_reasons(monday: datetime, channel: str, rule: str, answers_booking: bool) -> None:
    """What it is about is found out first; then a reason that is left out goes to people, and the others do not."""
    service = await ReasonCode.objects.aget(code="boiler_service_booking")
    async for door in EntryPoint.objects.all():
        await door.reasons.aset([service])
    await EntryPoint.objects.aupdate(live_reasons=rule)
    line = await begun(channel)
    await line.say("hello")
    assert line.last.actor_kind == "assistant"
    assert ("postcode" in await line.say("I'd like to book a boiler service")) == answers_booking
    assert line.last.actor_kind == ("assistant" if answers_booking else "system")
    assert await WorkItem.objects.aexists() != answers_booking


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_nothing_is_offered_or_booked_for_reasons_that_are_left_to_people(monday: datetime, channel: str) -> None:
    """A price may be told, yet no visit booked under the reason of the price."""
    reasons = [reason async for reason in ReasonCode.objects.filter(code__in=["price_question", "service_area"])]
    await EntryPoint.objects.aupdate(live_reasons="only")
    async for door in EntryPoint.objects.all():
        await door.reasons.aset(reasons)
    line = await begun(channel)
    for asks in ("how much is a boiler service?", "do you come to HB1 4QT?"):
        said = await line.say(asks)
        assert line.last.actor_kind == "assistant"
        assert "Shall I book" not in said
    await line.say("book it please")
    assert not await Booking.objects.aexists()
    assert not (await line.conversation()).form_state.get("form")


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_the_switch_stops_it_everywhere(monday: datetime, channel: str) -> None:
    """Who was talking to the AI agent is told the truth and gets a person; who comes now meets none; and back again."""
    line = await begun(channel)
    await line.say("I'd like to book a boiler service")
    assert await off_loop(roll_out.stop)(by="Mona", why="It promises refunds.")
    assert not await off_loop(roll_out.stop)(by="Max", why="Once more.")
    said = await line.say("HB1 4QT")
    assert "Our AI assistant has been switched off for now." in said
    assert "colleague" in said
    assert line.last.actor_kind == "system"
    assert await WorkItem.objects.acount() == 1
    more = await line.say("are you there?")
    if channel == "chat":
        assert "A colleague will join you here as soon as one is free." in more
        assert line.last.actor_kind == "system"
        assert await line.say("hello?") == "", "once is enough"
    newcomer = await begun(channel)
    said = await newcomer.say(OPENING_HOURS)
    assert newcomer.last.actor_kind == "system"
    assert "switched off" not in said, "nobody told them that an AI answers here"
    assert not await newcomer.entries("disclosure.shown")
    assert await off_loop(roll_out.start)(by="Mona")
    assert not await off_loop(roll_out.start)(by="Mona")
    again = await begun(channel)
    await again.say(OPENING_HOURS)
    assert again.last.actor_kind == "assistant"


@pytest.mark.parametrize(("channel", "place"), [("chat", "routing_decision"), ("voice", "conversations_knowledgepassage")])
async def test_thrown_in_the_middle_of_a_turn(monday: datetime, channel: str, place: str) -> None:
    """Before routing has decided, and while the answer is looked up: it never comes, a person is asked and the customer told."""
    line = await begun(channel)
    await line.say("hello")
    with locked(place):
        received = await line.send(OPENING_HOURS)
        running = turn.schedule(received.conversation_id)
        await off_loop(until)(lambda: waits_for_lock(place))
        await off_loop(roll_out.stop)(by="Mona", why="It promises refunds.")
    outcome = await running
    assert outcome.what == "handed_over"
    after = Entry.objects.filter(conversation=received.conversation_id, seq__gt=received.seq, kind="message")
    said = [(entry.actor_kind, entry.body) async for entry in after]
    assert [by for by, _body in said] == ["system"]
    assert "switched off" in said[0][1]
    assert "8 am" not in said[0][1]
    assert await WorkItem.objects.acount() == 1


async def test_thrown_before_a_tool_changes_anything(monday: datetime, chat: Line) -> None:
    """A visit that was about to be booked is not booked: the turn stands before the tool when the switch is thrown."""
    asked = await chat.say("I'm Sam Okafor, book a boiler service on Wednesday 10 to 12 at HB1 4QT, my number is 07700 900123")
    assert "Wednesday" in asked
    with locked("routing_decision"):
        received = await chat.send("yes")
        running = turn.schedule(received.conversation_id)
        await off_loop(until)(lambda: waits_for_lock("routing_decision"))
        await off_loop(roll_out.stop)(by="Mona", why="It promises refunds.")
    await running
    assert not await Booking.objects.aexists()
    assert await WorkItem.objects.acount() == 1


@pytest.mark.parametrize("share", [1, 30, 50, 99])
def test_of_a_hundred_conversations_the_share_is_answered(share: int) -> None:
    """Of conversations by chance about as many as the share says, and each of them always alike."""
    door = EntryPoint(mode="live", live_share_percent=share)
    chance = Random(share)
    conversations = [UUID(int=chance.getrandbits(128), version=4) for _each in range(20_000)]
    answered = [each for each in conversations if door.is_in_live_share(each)]
    assert abs(100 * len(answered) / len(conversations) - share) < 1.5
    assert all(door.is_in_live_share(each) for each in answered)
    wider = EntryPoint(mode="live", live_share_percent=share + 1)
    assert all(wider.is_in_live_share(each) for each in answered), "who is answered stays so when the share grows"
