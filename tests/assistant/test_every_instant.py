"""A person takes over at every await of a turn: what the AI agent has said and done comes before that, and nothing after it."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from datetime import datetime
from typing import Any

from channels.db import database_sync_to_async
from django.db.models import Q
from pytest_django import Settings

from conversations.assistant import turn
from conversations.assistant.brain import BrainEvent, Reply, TextDelta, ToolBox, TurnContext
from conversations.assistant.recording import TurnRecord
from conversations.flows import takeover
from conversations.models import Conversation, Entry
from routing.models import AgentProfile, DispositionCode
from tests.assistant.conftest import Line
from tests.assistant.test_booking import ready_to_choose
from tests.assistant.test_turn import say_unheard, until_waiting
from tests.support.locks import locked, other_connection

EFFECTS = Q(kind__startswith="consent.") | Q(kind__startswith="booking.")
FEWEST_AWAITS = 8


class TakesSteps:
    """A brain that awaits at every kind of step: a look-up, a piece of a draft, a tool that changes something, the last word."""

    async def answer(self, context: TurnContext, tools: ToolBox, record: TurnRecord) -> AsyncGenerator[BrainEvent, None]:
        """See `brain.Brain`."""
        await tools.call("search_knowledge", {"query": "opening hours"})
        yield TextDelta("I note that. ")
        await tools.call("set_consent", {"purpose": "marketing", "agrees": False})
        yield TextDelta("It is noted.")
        await asyncio.sleep(0)
        yield Reply("I note that. It is noted.")


class Instants:
    """Counts the awaits of a turn, in all its tasks; when the one of number `at` is over, something is done before it goes on."""

    def __init__(self, at: int, does: Callable[[], Awaitable[Any]]) -> None:
        self.at, self.does, self.awaits = at, does, 0
        self.done = asyncio.Event()

    def task(self, loop: asyncio.AbstractEventLoop, steps: Any, **options: Any) -> asyncio.Task[Any]:
        """A factory of tasks whose awaits are counted."""
        return asyncio.Task(self.through(steps), loop=loop, **options)

    async def through(self, steps: Coroutine[Any, Any, Any]) -> Any:
        return await Interrupted(steps, self)


class Interrupted:
    """A coroutine, step by step."""

    def __init__(self, steps: Coroutine[Any, Any, Any], instants: Instants) -> None:
        self.steps, self.instants = steps, instants

    def __await__(self) -> Generator[Any, Any, Any]:
        goes_on = functools.partial(self.steps.send, None)
        while True:
            try:
                awaited = goes_on()
            except StopIteration as over:
                return over.value
            self.instants.awaits += 1
            number = self.instants.awaits
            try:
                yield awaited
                goes_on = functools.partial(self.steps.send, None)
            except BaseException as problem:
                goes_on = functools.partial(self.steps.throw, problem)
            if number == self.instants.at:
                yield from self.instants.does().__await__()
                self.instants.done.set()


async def interrupted(chat: Line, at: int) -> int:
    """Takes a turn with a person taking over at its nth await, or not at all; returns how many awaits it had."""
    await chat.send("no adverts please")
    await turn.settle(60)
    await database_sync_to_async(say_unheard)(chat.conversation_id, "no offers either")
    agent = await AgentProfile.objects.select_related("user").afirst()

    async def takes_over() -> None:
        await database_sync_to_async(takeover.take_over, thread_sensitive=False)(await chat.conversation(), agent)

    instants, loop = Instants(at, takes_over), asyncio.get_running_loop()
    loop.set_task_factory(instants.task)
    try:
        await loop.create_task(turn.take(chat.conversation_id))
    finally:
        loop.set_task_factory(None)
    if instants.awaits < at:
        await takes_over()
    elif at:
        await instants.done.wait()
    return instants.awaits


async def test_a_person_takes_over_at_every_await(monday: datetime, record: None, settings: Settings) -> None:
    settings.ASSISTANT_BRAIN = f"{__name__}.TakesSteps"
    awaits = await interrupted(Line(), at=0)
    assert awaits >= FEWEST_AWAITS
    words_after, effects_after, came_first = [], [], 0
    for at in range(1, awaits + 1):
        chat = Line()
        await interrupted(chat, at)
        joined = await Entry.objects.aget(conversation=chat.conversation_id, kind="handoff.accepted")
        after = Entry.objects.filter(conversation=chat.conversation_id, seq__gt=joined.seq)
        words_after += [at] if await after.filter(kind="message", actor_kind="assistant").aexists() else []
        effects_after += [at] if await after.filter(EFFECTS).aexists() else []
        answers = Entry.objects.filter(conversation=chat.conversation_id, seq__lt=joined.seq, kind="message", actor_kind="assistant")
        came_first += await answers.acount() > 1
        await database_sync_to_async(_close)(chat.conversation_id)
    assert (words_after, effects_after) == ([], [])
    assert 0 < came_first < awaits, "some instants lie before the answer and some after it"


def _close(conversation_id: int) -> None:
    row = Conversation.objects.select_related("owner_agent").get(pk=conversation_id)
    assert row.owner_agent
    takeover.close(row, row.owner_agent, DispositionCode.objects.first())
    AgentProfile.objects.update(load=0)


async def test_a_person_waits_for_what_a_tool_has_begun(monday: datetime, chat: Line) -> None:
    """The visit is being booked when a person takes over: it is booked before they join, and the AI agent says no more."""
    await ready_to_choose(chat)
    agent = await AgentProfile.objects.afirst()
    with other_connection() as other:
        other.execute("LOCK TABLE conversations_booking IN SHARE ROW EXCLUSIVE MODE")
        received = await chat.send("the first one")
        await until_waiting("conversations_booking")
        takes = database_sync_to_async(takeover.take_over, thread_sensitive=False)
        joining = asyncio.create_task(takes(await chat.conversation(), agent))
        other.rollback()
    await joining
    await turn.schedule(received.conversation_id)
    kinds = [entry.kind for entry in await chat.entries("booking.made", "handoff.accepted")]
    assert kinds == ["booking.made", "handoff.accepted"]
    joined = (await chat.entries("handoff.accepted"))[0]
    assert not [entry for entry in await chat.entries("message") if entry.seq > joined.seq]


async def test_three_messages_in_a_row_get_one_answer(monday: datetime, chat: Line) -> None:
    await chat.say("hello")
    with locked("routing_ruleset"):
        first = await chat.send("I want to book a boiler service")
        await until_waiting("routing_ruleset")
        await chat.send("the postcode is HB1 4QT")
        await chat.send("on Wednesday please")
    await turn.schedule(first.conversation_id)
    said = Entry.objects.filter(conversation_id=chat.conversation_id, seq__gt=first.seq, kind="message", actor_kind="assistant")
    replies = [entry async for entry in said]
    assert len(replies) == 1
    assert "HB1 4QT" in replies[0].body or "postcode" not in replies[0].body
    assert all("Wednesday" in each["label"] for each in replies[0].data["quick_replies"])
