"""One turn at a time, whoever dies, whoever interrupts: answered exactly once, or not at all."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from channels.db import database_sync_to_async
from django.conf import settings
from django.db.models.functions import Now

from conversations.assistant import turn
from conversations.flows import takeover
from conversations.models import Booking, Conversation, Entry, Interaction
from conversations.services import timeline, turns
from conversations.services.timeline import NewEntry
from routing.models import AgentProfile, RuleSet, WorkItem
from routing.rules import publish
from tests.assistant.conftest import Line
from tests.assistant.test_booking import ready_to_choose
from tests.support.locks import locked, other_connection, until, waits_for_lock
from tests.support.processes import child_environment


async def until_waiting(table: str) -> None:
    """Waits, without holding up the event loop, until somebody waits for the table."""
    await asyncio.to_thread(until, lambda: waits_for_lock(table))


async def test_a_person_takes_over_while_the_brain_answers(monday: datetime, chat: Line) -> None:
    """Not a word of the AI agent comes after the person has joined."""
    await chat.say("hello")
    agent = await AgentProfile.objects.afirst()
    assert agent is not None
    with locked("conversations_knowledgepassage"):
        received = await chat.send("how do I bleed a radiator?")
        await until_waiting("knowledgepassage")
        await database_sync_to_async(takeover.take_over)(await chat.conversation(), agent)
    outcome = await turn.schedule(received.conversation_id)
    assert outcome.what in ("dropped", "nothing")
    after = [entry async for entry in Entry.objects.filter(conversation_id=chat.conversation_id, seq__gt=received.seq).order_by("seq")]
    assert not [entry for entry in after if entry.kind == "message"]
    assert "handoff.accepted" in [entry.kind for entry in after]
    assert await chat.say("are you there?") == "", "a person has it now"


async def test_the_customer_says_more_while_the_brain_answers(monday: datetime, chat: Line) -> None:
    """The first answer is dropped; one answer deals with both."""
    await chat.say("I want to book a boiler service at HB1 4QT")
    with locked("conversations_technicianshift"):
        first = await chat.send("tomorrow")
        await until_waiting("technicianshift")
        await chat.send("no, on Wednesday")
    await turn.schedule(first.conversation_id)
    said = Entry.objects.filter(conversation_id=chat.conversation_id, seq__gt=first.seq, kind="message", actor_kind="assistant")
    replies = [entry async for entry in said]
    assert len(replies) == 1
    assert all("Wednesday" in each["label"] for each in replies[0].data["quick_replies"])


async def test_what_was_done_is_told_even_when_the_customer_says_more(monday: datetime, chat: Line) -> None:
    """A booking that was made is read back first; the new words then move it instead of booking a second."""
    await ready_to_choose(chat)
    with other_connection() as other:
        other.execute("LOCK TABLE conversations_booking IN SHARE ROW EXCLUSIVE MODE")
        first = await chat.send("the first one")
        await until_waiting("conversations_booking")
        await chat.send("sorry, can I move it to Wednesday?")
        other.rollback()
    await turn.schedule(first.conversation_id)
    said = Entry.objects.filter(conversation_id=chat.conversation_id, seq__gt=first.seq, kind="message", actor_kind="assistant")
    bodies = [entry.body async for entry in said.order_by("seq")]
    assert len(bodies) == 2
    assert "is booked" in bodies[0]
    assert "Wednesday" in bodies[1]
    assert await Booking.objects.acount() == 1


async def test_many_processes_claim_one_turn(monday: datetime, chat: Line) -> None:
    """Eight takers at once write one answer."""
    await chat.say("hello")
    await database_sync_to_async(say_unheard)(chat.conversation_id, "what are your opening hours?")
    outcomes = await asyncio.gather(*(turn.take(chat.conversation_id) for _number in range(8)))
    assert sorted(outcome.what for outcome in outcomes) == ["answered"] + ["nothing"] * 7
    assert len([entry for entry in await chat.entries("message") if "8 am" in entry.body]) == 1


async def test_asking_again_while_a_turn_runs_gives_the_same_task(monday: datetime, chat: Line) -> None:
    """The task is kept, answers what was said meanwhile, and is forgotten when it is done."""
    await chat.say("hello")
    received = await chat.send("what are your opening hours?")
    task = turn.schedule(received.conversation_id)
    assert turn.schedule(received.conversation_id) is task
    assert (await task).what == "answered"
    assert turn.schedule(received.conversation_id) is not task


def say_unheard(conversation_id: int, text: str) -> None:
    """What a process wrote down before it died: the words are kept, and nobody works on the answer."""
    line = Interaction.objects.filter(conversation_id=conversation_id).latest("pk")
    timeline.append(
        conversation_id, NewEntry(kind="message", actor_kind="customer", body=text, interaction=line, wants_turn=True)
    )


def lease_has_run_out(conversation_id: int) -> None:
    """Moves the end of the lease into the past, as a minute of waiting would."""
    Conversation.objects.filter(pk=conversation_id).update(turn_lease_until=Now() - timedelta(seconds=1))


def sweep_until_found() -> None:
    """Sweeps until a turn was found to be due."""
    until(lambda: turn.sweep() > 0)


def test_the_sweep_finishes_a_turn_whose_worker_died(monday: datetime, record: None) -> None:
    """A lease that ran out is taken over once, and a second sweep finds nothing."""
    chat = Line()
    asyncio.run(chat.say("hello"))
    say_unheard(chat.conversation_id, "what are your opening hours?")
    assert turns.claim(chat.conversation_id, worker="died", lease=timedelta(seconds=1)) is not None
    assert turn.sweep() == 0, "the lease still runs"
    sweep_until_found()
    assert turn.sweep() == 0
    answers = Entry.objects.filter(conversation_id=chat.conversation_id, kind="message", actor_kind="assistant", body__contains="8 am")
    assert answers.count() == 1


@contextmanager
def worker_taking(conversation_id: int) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that runs the conversation's turn, killed at the end."""
    program = (
        "import asyncio, django, time_machine; django.setup();"
        "from conversations.assistant import turn;"
        "from tests.assistant.conftest import MONDAY;"
        f"time_machine.travel(MONDAY, tick=True).start(); asyncio.run(turn.take({conversation_id}))"
    )
    environment = child_environment()
    with subprocess.Popen([sys.executable, "-c", program], env=environment, cwd=settings.BASE_DIR) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGKILL)


@pytest.mark.two_processes
@pytest.mark.parametrize("moment", ["while booking", "after booking"])
def test_a_worker_killed_while_it_books(monday: datetime, record: None, moment: str) -> None:
    """kill -9 in the middle of a booking: the sweep finishes the turn, with one booking, told once."""
    chat = Line()
    asyncio.run(ready_to_choose(chat))
    say_unheard(chat.conversation_id, "the first one")
    with other_connection() as booking_lock, other_connection() as row_lock:
        booking_lock.execute("LOCK TABLE conversations_booking IN SHARE ROW EXCLUSIVE MODE")
        with worker_taking(chat.conversation_id):
            until(lambda: waits_for_lock('insert into "conversations_booking"'))
            assert Conversation.objects.get(pk=chat.conversation_id).form_state["running"]["tool"] == "book"
            if moment == "after booking":
                row_lock.execute("SELECT 1 FROM conversations_conversation WHERE id = %s FOR NO KEY UPDATE", [chat.conversation_id])
                booking_lock.rollback()
                until(lambda: Booking.objects.exists() and waits_for_lock("conversation_append"))
        booking_lock.rollback()
        row_lock.rollback()
    lease_has_run_out(chat.conversation_id)
    assert turn.sweep() == 1
    booking = Booking.objects.get()
    assert Entry.objects.filter(conversation_id=chat.conversation_id, kind="booking.made").count() == 1
    told = Entry.objects.filter(kind="message", actor_kind="assistant", body__contains=booking.reference)
    assert told.count() == 1
    assert turn.sweep() == 0
    assert "is cancelled" in asyncio.run(cancelled(chat))


async def cancelled(chat: Line) -> str:
    """What is said when the booking is cancelled."""
    await chat.say("cancel my booking")
    return await chat.say("yes")


def test_what_fails_three_times_goes_to_a_person(monday: datetime, record: None, caplog: pytest.LogCaptureFixture) -> None:
    """A broken playbook is logged, tried again, and ends with an apology and a person; it never vanishes."""
    from conversations.models import Playbook

    chat = Line()
    asyncio.run(chat.say("hello"))
    Playbook.objects.filter(status="published").update(status="retired")
    try:
        assert asyncio.run(chat.say("what are your opening hours?")) == ""
        until(lambda: turn.sweep() >= 0 and WorkItem.objects.exists())
    finally:
        Playbook.objects.filter(version=1).update(status="published")
    assert "turn_failed" in caplog.text
    last = Entry.objects.filter(conversation_id=chat.conversation_id, kind="message").latest("seq")
    assert "something went wrong on my side" in last.body
    row = Conversation.objects.get(pk=chat.conversation_id)
    assert row.turn_done_seq == row.turn_wanted_seq
    assert turn.sweep() == 0


def test_without_a_published_table_the_turn_stays_due(monday: datetime, record: None) -> None:
    """When even routing cannot answer, nothing is lost: the turn is answered once the table is back."""
    chat = Line()
    asyncio.run(chat.say("hello"))
    published = RuleSet.objects.get(kind="routing", status="published")
    RuleSet.objects.filter(pk=published.pk).update(status="retired")
    try:
        assert asyncio.run(chat.say("what are your opening hours?")) == ""
    finally:
        publish.roll_back_to(published, by="a manager")
    sweep_until_found()
    last = Entry.objects.filter(conversation_id=chat.conversation_id, kind="message").latest("seq")
    assert "8 am" in last.body


