"""A chat that waited too long for a person becomes a call back, and its customer hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from conversations import tasks
from conversations.models import Conversation, Entry
from routing import clock
from routing.models import AgentProfile, DispositionCode, Queue, RoutingStep, WorkItem
from routing.services import presence
from routing.tasks import dispatch_waiting_work
from tests.assistant.conftest import Line

NOBODY = "None of my colleagues has become free yet."


@pytest.fixture(autouse=True)
def step(record: None) -> Iterator[None]:
    """After a minute in any queue, none of which is ever closed, work becomes a call back."""
    hours = dict(Queue.objects.values_list("pk", "hours"))
    Queue.objects.update(hours=None)
    made = [RoutingStep.objects.create(queue=queue, after_seconds=60, becomes_kind="callback") for queue in Queue.objects.all()]
    yield
    for queue in Queue.objects.all():
        Queue.objects.filter(pk=queue.pk).update(hours=hours[queue.pk])
    RoutingStep.objects.filter(pk__in=[each.pk for each in made]).delete()


@sync_to_async
def a_minute_later() -> None:
    """The sweeps of the time after the step."""
    with clock.at(clock.now() + timedelta(seconds=61)):
        dispatch_waiting_work()
        tasks.tell_of_call_backs()


async def told(chat: Line) -> list[str]:
    return [entry.body for entry in await chat.entries("message") if entry.body.startswith(NOBODY)]


async def test_the_number_is_asked_for_and_then_noted(monday: datetime, chat: Line) -> None:
    """Once; the call back stays one whatever is said afterwards, and the history says why."""
    await chat.say("I want to talk to a person")
    await a_minute_later()
    await a_minute_later()
    (words,) = await told(chat)
    assert "On which phone number may we call you back by" in words
    assert [entry.body for entry in await chat.entries("work.overflowed")] == [
        "Nobody became free in Service in time, so the customer is to be called back."
    ]
    assert await chat.entries("callback.requested") == []
    assert "we will call you back on 07700 900123 by" in await chat.say("07700 900123")
    await chat.say("it is about the new pipes")
    await a_minute_later()
    assert [entry.data["phone"] for entry in await chat.entries("callback.requested")] == ["+447700900123"]
    work = await WorkItem.objects.aget()
    assert (work.kind, work.state, len(await told(chat))) == ("callback", "queued", 1)


async def test_a_number_that_was_given_is_named(monday: datetime, chat: Line) -> None:
    """And nothing is asked; the event alone tells, without the sweep."""
    await chat.say("My phone number is 07700 900123 and I want to talk to a person")
    with clock.at((await WorkItem.objects.aget()).enqueued_at + timedelta(seconds=61)):
        await sync_to_async(dispatch_waiting_work)()
    (words,) = await told(chat)
    assert "You need not wait here: we will call you back on 07700 900123 by" in words
    assert [entry.data["phone"] for entry in await chat.entries("callback.requested")] == ["+447700900123"]


async def test_what_was_lost_is_told_by_the_sweep(monday: datetime, chat: Line) -> None:
    """As when the process died between the step and its event."""
    await chat.say("I want to talk to a person")
    await WorkItem.objects.aupdate(kind="callback")
    await sync_to_async(tasks.tell_of_call_backs)()
    assert len(await told(chat)) == 1
    assert await Entry.objects.filter(kind="work.overflowed").acount() == 1


async def test_somebody_of_the_demo_company_is_offered_the_call_back_and_makes_it(monday: datetime, chat: Line) -> None:
    """After the company's own step; whoever takes it reads the number, and ends it with how it went."""
    await chat.say("My phone number is 07700 900123 and I want to talk to a person")
    queue = await Queue.objects.aget(work_items__state="queued")
    wait = max(await sync_to_async(list)(queue.steps.filter(becomes_kind="callback").values_list("after_seconds", flat=True)))
    assert await sync_to_async(calls_ann_back)(chat, wait + 1) == "callback_arranged"


def calls_ann_back(chat: Line, seconds: int) -> str:
    """Ann comes to work so much later, takes what she is offered in the inbox, and closes it; how it ended."""
    client, ann = Client(), AgentProfile.objects.get(user__username="ann")
    client.force_login(ann.user)
    with clock.at(clock.now() + timedelta(seconds=seconds)):
        dispatch_waiting_work()
        presence.set_state(ann, "available")
        offer = ann.reservations.select_related("work_item").get(state="pending")
        assert (offer.work_item.kind, offer.weight) == ("callback", ann.capacity)
        assert "Call back" in client.get("/inbox/lists/").content.decode()
        assert client.post(f"/inbox/offers/{offer.pk}/accept/").status_code in (200, 204, 302)
        conversation = Conversation.objects.get(pk=chat.conversation_id)
        assert conversation.owner_agent == ann
        page = f"/inbox/c/{conversation.public_id}/"
        assert "Call back on 07700 900123 by" in client.get(page).content.decode()
        outcome = DispositionCode.objects.get(code="callback_arranged")
        client.post(f"{page}close/", {"disposition": outcome.pk})
    ann.refresh_from_db()
    assert (WorkItem.objects.get().state, ann.load) == ("completed", 0)
    return Conversation.objects.get(pk=chat.conversation_id).disposition.code
