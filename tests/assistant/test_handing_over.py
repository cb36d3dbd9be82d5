"""When a person should act: who is told what, in hours and out of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db.models.functions import Now

from conversations.flows import takeover
from conversations.models import Booking, Conversation, Handoff
from routing.models import AgentProfile, DispositionCode, Presence, Queue, Reservation, ServiceHours, WorkItem
from routing.services import presence
from tests.assistant.conftest import Line


async def test_a_smell_of_gas(monday: datetime, chat: Line) -> None:
    """Safety is said first, from the company's own article; the urgent queue gets the package; nothing is queued twice."""
    said = await chat.say("I smell gas in my kitchen")
    steps = ("everybody out", "no switches", "no flames", "open doors", "outside", "0800 111 999", "colleague")
    order = [said.index(step) for step in steps]
    assert order == sorted(order)
    assert len(said.split()) <= 45
    assert chat.last.data["sources"][0]["title"] == "What to do if you smell gas"
    work = await WorkItem.objects.select_related("queue").aget()
    assert (work.queue.code, work.priority_class, work.kind) == ("urgent", 1, "messaging")
    handoff = await Handoff.objects.aget()
    assert "Gas or carbon monoxide" in handoff.why
    assert handoff.summary.startswith("Emergency. The customer came about: Gas smell")
    assert "“I smell gas in my kitchen”" in handoff.summary
    assert "safe" in handoff.next_step
    await chat.say("please hurry")
    assert await WorkItem.objects.acount() == 1
    assert "“please hurry”" in (await Handoff.objects.aget()).summary, "what is said meanwhile reaches the person"


async def test_a_smell_of_gas_on_the_phone_on_a_sunday_night(sunday_night: datetime, record: None) -> None:
    """The same queue as in the chat, as live work, at any hour."""
    call = Line(channel="voice")
    await call.begin()
    said = await call.say("i can smell gas")
    assert said.startswith("Get everybody out now.")
    assert said.index("0800 111 999") < said.index("Please stay on the line")
    assert len(said.split()) <= 45, "short enough to be taken in by somebody in danger"
    assert call.last.data["sources"][0]["title"] == "What to do if you smell gas"
    work = await WorkItem.objects.select_related("queue").aget()
    assert (work.queue.code, work.priority_class, work.kind) == ("urgent", 1, "live_voice")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("my carbon monoxide alarm is going off", ["alarm sounds", "go outside"]),
        ("emergency, a burst pipe, water is pouring through the ceiling", ["Turn the water off", "sockets"]),
    ],
)
async def test_other_dangers(monday: datetime, chat: Line, words: str, told: list[str]) -> None:
    """Their own articles say what to do, too: the first paragraph, or the whole list of steps."""
    said = await chat.say(words)
    assert [each for each in told if each not in said] == []
    assert said.index(told[0]) < said.index("colleague")


async def test_asking_for_a_person_in_the_middle_of_a_form(monday: datetime, chat: Line) -> None:
    """The package says what is known, what was tried and what is still to ask."""
    await chat.say("I'd like to book a boiler service at HB1 4QT")
    said = await chat.say("can I speak to a person please")
    assert "colleague" in said
    assert "need not repeat" in said
    handoff = await Handoff.objects.aget()
    assert [(fact["name"], fact["value"], fact["from"]) for fact in handoff.facts] == [
        ("postcode", "HB1 4QT", "Web chat · Claimed")
    ]
    assert handoff.tried[0] == "Checked HB1 4QT: served."
    assert handoff.next_step == "Still to ask: date, time, name and phone."


async def test_nothing_is_to_be_asked_of_a_visit_that_is_booked(monday: datetime, chat: Line) -> None:
    """The time was chosen from those that were offered, and stands in the visit alone."""
    for said in ("I want to book a boiler service for tuesday, HB2 4QT", "the first one", "Paula Adams", "07700 900123"):
        await chat.say(said)
    assert await Booking.objects.filter(state="booked").acount() == 1
    await chat.say("can I speak to someone please")
    assert (await Handoff.objects.aget()).next_step == "Answer the customer; everything that was asked for is above."


async def test_an_emergency_moves_waiting_work_up(monday: datetime, chat: Line) -> None:
    """Who waits already and then smells gas is not told to wait."""
    await chat.say("I want to talk to a person")
    assert "Get everybody out" in await chat.say("now I can smell gas")
    work = await WorkItem.objects.select_related("queue").aget()
    assert (work.queue.code, work.priority_class) == ("urgent", 1)


async def test_while_waiting(monday: datetime, chat: Line) -> None:
    """Questions are still answered; everything else is acknowledged once and reaches the package."""
    await chat.say("I want to talk to a person")
    assert "8 am" in await chat.say("what are your opening hours?")
    assert "added that for my colleague" in await chat.say("it is about the new pipes")
    assert await chat.say("they are blue") == ""
    assert await WorkItem.objects.acount() == 1
    assert len(await chat.entries("handoff.requested")) == 1
    assert "“they are blue”" in (await Handoff.objects.aget()).summary


async def test_twice_not_understood(monday: datetime, chat: Line) -> None:
    """First the likely reasons are named, then a person is asked to take over."""
    said = await chat.say("purple monkey dishwasher")
    assert "Is it about one of these" in said
    assert chat.choices
    assert (await chat.conversation()).failed_turns == 1
    assert "colleague" in await chat.say("flibber jabber wocky")
    assert (await Handoff.objects.aget()).why == "Two answers that did not help are enough."


async def test_a_reason_chosen_from_the_likely_ones(monday: datetime, chat: Line) -> None:
    """The name of a suggestion settles the reason and ends the row of failures."""
    await chat.say("it is broken")
    assert "Repair visit" in chat.choices
    assert "postcode" in await chat.say("Repair visit")
    conversation = await chat.conversation()
    assert conversation.reason is not None
    assert conversation.reason.code == "repair_booking"
    assert conversation.failed_turns == 0


async def test_out_of_hours_a_call_back_is_noted(sunday_night: datetime, chat: Line) -> None:
    """Without a number it is asked for; then the truth is told: when the office opens, which number is rung and by when."""
    said = await chat.say("I want to speak to a person")
    assert "tomorrow, Monday 23 November, at 08:00" in said
    assert "phone number" in said
    assert chat.last.data["field"]["fact"] == "phone"
    assert "by tomorrow, Monday 23 November, at 12:00" in said
    assert "07700 900123 by tomorrow, Monday 23 November, at 12:00" in await chat.say("07700 900123")
    noted = await chat.entries("callback.requested")
    assert [entry.data["phone"] for entry in noted] == ["+447700900123"]
    assert noted[0].data["by"] == "2026-11-23T12:00:00+00:00", "four hours to answer, counted from the opening"
    assert "23 Nov, 12:00" in noted[0].body
    assert (await WorkItem.objects.select_related("queue").aget()).queue.code == "service"
    assert "about an hour" in await chat.say("how long does a boiler service take?"), "the AI agent goes on meanwhile"


async def test_out_of_hours_with_a_known_number(sunday_night: datetime, record: None) -> None:
    """A caller is not asked for the number they call from."""
    call = Line(channel="voice", party="+447700900321")
    await call.begin()
    said = await call.say("put me through to a human please")
    assert "they are back tomorrow" in said
    assert "07700 900321 by tomorrow, Monday 23 November, at 12:00" in said
    noted = await call.entries("callback.requested")
    assert [entry.data["by"] for entry in noted] == ["2026-11-23T12:00:00+00:00"]


@pytest.mark.parametrize("mode", ["off", "shadow"])
async def test_an_entry_point_where_people_answer(monday: datetime, chat: Line, mode: str) -> None:
    """The conversation goes to people at once; on trial, staff see what the AI agent would have said, and nobody else."""
    from conversations.models import EntryPoint

    await EntryPoint.objects.filter(channel="chat").aupdate(mode=mode)
    await chat.say("what are your opening hours?")
    assert chat.last.actor_kind == "system"
    assert "colleague" in chat.last.body
    assert await WorkItem.objects.acount() == 1
    drafts = await chat.entries("draft")
    assert [entry.audience for entry in drafts] == ["staff"] * (mode == "shadow")
    assert all("8 am" in entry.body for entry in drafts)
    assert "A colleague will join you here" in await chat.say("hello?"), "it was seen"
    assert chat.last.actor_kind == "system"
    assert await chat.say("hello?") == "", "that is said once"


async def test_a_draft_books_nothing(monday: datetime, chat: Line) -> None:
    """On trial the tools change nothing, however complete the request."""
    from conversations.models import Booking, EntryPoint

    await EntryPoint.objects.filter(channel="chat").aupdate(mode="shadow")
    await chat.say("I'm Sam Okafor, book a boiler service on Wednesday 10 to 12 at HB1 4QT, my number is 07700 900123")
    await chat.say("yes")
    assert not await Booking.objects.aexists()


async def test_a_share_of_none(monday: datetime, chat: Line) -> None:
    """With a live share of 0 % every conversation goes to people, and nobody is told that an AI answers."""
    from conversations.models import EntryPoint

    await EntryPoint.objects.filter(channel="chat").aupdate(live_share_percent=0)
    await chat.say("what are your opening hours?")
    assert await WorkItem.objects.acount() == 1
    assert chat.last.actor_kind == "system"
    assert not await chat.entries("disclosure.shown")


async def test_a_share_between_none_and_all(monday: datetime, record: None) -> None:
    """Some conversations are answered by the AI agent, which then says what it is, and some by people; none by both."""
    from conversations.models import EntryPoint

    await EntryPoint.objects.filter(channel="chat").aupdate(live_share_percent=50)
    seen = set()
    while len(seen) < 2:
        visitor = Line()
        await visitor.say("what are your opening hours?")
        disclosed = bool(await visitor.entries("disclosure.shown"))
        assert visitor.last.actor_kind == ("assistant" if disclosed else "system")
        assert bool(await visitor.entries("handoff.requested")) != disclosed
        seen.add(disclosed)


@pytest.fixture
def open_all_day(record: None) -> Iterator[None]:
    """The office has been open for as long as the pace of a queue is looked at, whatever the database's clock says."""
    office = ServiceHours.objects.get(code="office")
    ServiceHours.objects.filter(pk=office.pk).update(expression="24/7")
    yield
    office.save()


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_who_waits_is_told_their_place_and_for_how_long(monday: datetime, open_all_day: None, channel: str) -> None:
    """On both channels the same, and only what is known: nothing for the first, and no time before the queue has moved."""
    told = []
    for taken_lately in (0, 0, 10):
        line = Line(channel=channel)
        if channel == "voice":
            await line.begin()
        first = await WorkItem.objects.order_by("pk").afirst()
        for number in range(taken_lately):
            await WorkItem.objects.acreate(
                subject=f"served-{number}", kind="messaging", queue_id=first.queue_id, state="completed", deadline=Now(), answered_at=Now(),
                ended_at=Now(),
            )  # fmt: skip
        told.append(await line.say("I want to talk to a person please"))
    assert "in line" not in told[0]
    assert "You are number 2 in line." in told[1]
    assert "You are number 3 in line, about 9 minutes." in told[2]


async def test_who_took_care_of_a_customer_last_is_asked_first(monday: datetime, chat: Line) -> None:
    """Also in a later conversation, before who is idle longer; whoever passed it on is not preferred when more is said."""
    await chat.say("I want to talk to a person")
    await sync_to_async(ben_helps)(chat)
    again = Line(party=chat.party)
    await again.say("I want to talk to a person")
    assert again.conversation_id != chat.conversation_id
    offer = await Reservation.objects.select_related("agent").aget(state="pending")
    assert (offer.agent.display_name, offer.reason) == ("Ben", "The preferred agent, and free.")
    await sync_to_async(ben_passes_it_on)(again)
    await again.say("hello?")
    assert (await WorkItem.objects.select_related("preferred_agent").alatest("pk")).preferred_agent is None


def ben_helps(chat: Line) -> None:
    """He takes it and ends it; Ann comes, who has been idle longer than he has."""
    ann, ben = (AgentProfile.objects.get(user__username=name) for name in ("ann", "ben"))
    presence.set_state(ben, "available")
    takeover.accept(Reservation.objects.get(state="pending").pk, ben)
    conversation = Conversation.objects.get(pk=chat.conversation_id)
    takeover.close(conversation, ben, DispositionCode.objects.get(code="resolved"))
    presence.set_state(ann, "available")
    Presence.objects.filter(agent=ann).update(idle_since=Now() - timedelta(hours=1))


def ben_passes_it_on(chat: Line) -> None:
    ben = AgentProfile.objects.get(user__username="ben")
    presence.set_state(AgentProfile.objects.get(user__username="ann"), "away")
    takeover.accept(Reservation.objects.get(state="pending").pk, ben)
    conversation = Conversation.objects.get(pk=chat.conversation_id)
    takeover.transfer(conversation, ben, Queue.objects.get(code="billing"), "About a bill.")
