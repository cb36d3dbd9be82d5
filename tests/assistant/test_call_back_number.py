"""The number for a call back: asked for once more, taken and confirmed, whoever answers; and what is told once the AI agent is back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

import pytest
from channels.db import database_sync_to_async

from conversations.models import AssistantSwitch, EntryPoint, Handoff
from conversations.services import roll_out
from routing.models import RuleSet, WorkItem
from routing.rules.publish import new_draft_from, publish, roll_back_to
from tests.assistant.conftest import Line

PRICE = "how much is a boiler service?"
off_loop = partial(database_sync_to_async, thread_sensitive=False)


@pytest.fixture(autouse=True)
def running(record: None) -> Iterator[None]:
    """The switch as it was, when the test is over."""
    yield
    AssistantSwitch.objects.all().delete()


async def leave_to_people(how: str) -> None:
    """The AI agent answers nobody: on trial, outside its share, or stopped."""
    if how == "stopped":
        await off_loop(roll_out.stop)(by="Mona", why="It promises refunds.")
    elif how == "shadow":
        await EntryPoint.objects.aupdate(mode="shadow")
    else:
        await EntryPoint.objects.aupdate(live_share_percent=0)


@pytest.mark.parametrize("how", ["shadow", "stopped", "outside the share"])
async def test_the_number_is_taken_by_whoever_asked_for_it(sunday_night: datetime, chat: Line, how: str) -> None:
    """Where the AI agent answers nobody, the promise is kept all the same: noted once, confirmed, and told to people."""
    await leave_to_people(how)
    assert "On which phone number" in await chat.say(PRICE)
    said = await chat.say("07700 900345")
    assert said == "Thank you. I have noted that we will call you back on 07700 900345 by tomorrow, Monday 23 November, at 12:00."
    assert chat.last.actor_kind == "system"
    assert [entry.data["phone"] for entry in await chat.entries("callback.requested")] == ["+447700900345"]
    handoff = await Handoff.objects.select_related("work_item__decision").aget()
    assert "07700 900345" in handoff.summary
    assert handoff.why == "What the AI agent does not answer is called back when the office is closed."
    assert handoff.work_item.decision.escalation_reason == "left_to_people", "nobody asked for a person"
    assert not handoff.work_item.decision.need["asked_for_human"]
    more = await chat.say("07700 900345")
    assert more.startswith("Thank you, I have added that for my colleagues. A colleague will call you back by tomorrow, Monday 23 ")
    assert await chat.say("07700 900345") == "", "it is said once"
    assert len(await chat.entries("callback.requested")) == 1


@pytest.fixture
def tables_that_do_not_ask(record: None) -> Iterator[None]:
    """An escalation table as it was before it could ask whether the AI agent answers; the company's own again afterwards."""
    own = RuleSet.objects.get(kind="escalation", status="published")
    draft = new_draft_from(own)
    draft.rules.filter(conditions__has_key="assistant_answers").delete()
    draft.cases.filter(need__has_key="assistant_answers").delete()
    publish(draft, by="tests")
    yield
    roll_back_to(own, by="tests")


async def test_tables_that_do_not_ask_still_find_people(tables_that_do_not_ask: None, monday: datetime, chat: Line) -> None:
    """Nobody is left to an AI agent that does not answer, whatever the tables say."""
    await leave_to_people("shadow")
    assert "A colleague will join you here" in await chat.say(PRICE)
    work = await WorkItem.objects.select_related("decision", "queue").aget()
    assert work.queue.code == "service"
    assert work.decision is not None
    assert not work.decision.need["assistant_answers"]


@pytest.mark.parametrize("how", ["live", "shadow"])
@pytest.mark.parametrize("words", ["Al Gore", "999", "yes"])
async def test_what_is_no_number_is_asked_for_once_more(sunday_night: datetime, chat: Line, how: str, words: str) -> None:
    """With how one looks; what comes after that is no answer to it any more, unless it is a number."""
    if how != "live":
        await leave_to_people(how)
    question = await chat.say("I want to speak to a person")
    said = await chat.say(words)
    assert said.startswith("That is not a phone number I can use; one looks like 07700 900123. On which phone number may we call you back")
    assert said.endswith(question[question.index("On which") :])
    assert chat.last.data["field"]["fact"] == "phone"
    assert "On which phone number" not in await chat.say("Al Gore")
    assert "07700 900345" in await chat.say("07700 900345")
    assert len(await chat.entries("callback.requested")) == 1


@pytest.mark.parametrize("words", ["how long does a boiler service take?", "no thanks", "never mind", "thank you, bye", "hello"])
async def test_what_says_something_else_is_not_taken_for_a_number(sunday_night: datetime, chat: Line, words: str) -> None:
    await chat.say("I want to speak to a person")
    assert "not a phone number" not in await chat.say(words)


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_back_while_a_person_is_waited_for(monday: datetime, channel: str) -> None:
    """Who was handed over while it was stopped hears once that it is back and that a colleague still comes, and that an AI answers."""
    running, newcomer = Line(channel=channel), Line(channel=channel)
    if channel == "voice":
        await running.begin()
    await running.say("I want to talk to a person")
    await running.say("it is about the new pipes")
    await off_loop(roll_out.stop)(by="Mona", why="It promises refunds.")
    if channel == "voice":
        await newcomer.begin()
    await running.say("HB1 4QT")
    await newcomer.say("I'd like to book a boiler service")
    assert not await newcomer.entries("disclosure.shown")
    await off_loop(roll_out.start)(by="Mona")
    for line in (running, newcomer):
        said = await line.say("HB1 4QT please")
        assert said.startswith("Our AI assistant answers questions again.")
        assert "They will be with you" in said
        assert line.last.actor_kind == "assistant"
        assert len(await line.entries("disclosure.shown")) == 1
        assert "answers questions again" not in await line.say("it leaks")
        assert "8 am" in await line.say("what are your opening hours?")
    spoken = [entry.kind for entry in await newcomer.entries("disclosure.shown", "message") if entry.actor_kind == "assistant"]
    assert spoken[0] == "disclosure.shown"
