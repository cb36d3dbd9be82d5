"""A chat that waited too long for a person becomes a call back, and its customer hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from conversations import tasks
from conversations.models import Consent, Conversation, Entry, EntryPoint
from routing import clock
from routing.models import AgentProfile, DispositionCode, Queue, RoutingStep, WorkItem
from routing.services import presence
from routing.services.service_levels import service_level_of
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
    assert words.endswith("If you would rather wait, say no.")
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
    given = await Consent.objects.aget()
    assert (given.decision, given.asked_for, given.wording.startswith("On which phone number may we call you")) == ("given", True, True)


async def waits_for_a_call_back(chat: Line, number: str) -> str:
    """Gives a number, asks for a person, and waits too long; what is told then. The event alone tells, without the sweep."""
    await chat.say(f"My phone number is {number} and I want to talk to a person")
    with clock.at((await WorkItem.objects.aget()).enqueued_at + timedelta(seconds=61)):
        await sync_to_async(dispatch_waiting_work)()
    (words,) = await told(chat)
    return words


@sync_to_async
def longest_wait() -> int:
    """The seconds for which the service level of the work has it wait at most."""
    work = WorkItem.objects.select_related("decision__service_level", "queue__service_level").get()
    return service_level_of(work.decision, work.queue).max_wait_seconds


async def test_a_number_that_was_given_is_named_and_agreed_to(monday: datetime, chat: Line) -> None:
    """With a press; nothing is kept as consent before."""
    words = await waits_for_a_call_back(chat, "07700 900123")
    promised = datetime.fromisoformat((await chat.entries("callback.requested"))[0].data["by"])
    assert "We will call you back on 07700 900123 by" in words
    assert f"at {promised:%H:%M}. You need not wait here." in words
    begins = (await WorkItem.objects.aget()).enqueued_at + timedelta(seconds=61)
    assert promised - begins == timedelta(seconds=await longest_wait()), "not within the two minutes that were not kept"
    assert words.endswith("You need not wait here. Say no and you keep your place in the line.")
    (told_last,) = [entry for entry in await chat.entries("message") if entry.body == words]
    yes, no = (each["value"] for each in told_last.data["quick_replies"])
    (note,) = await chat.entries("callback.requested")
    assert (note.data["phone"], note.data["consent"]) == ("+447700900123", "not_asked")
    assert note.body.endswith("They have not agreed to it yet.")
    assert not await Consent.objects.aexists()
    assert (await chat.say(yes)).startswith("Thank you. We will call you back on 07700 900123 by")
    agreed = (await chat.entries("callback.requested"))[1]
    assert (agreed.data["consent"], (await Consent.objects.aget()).value) == ("asked_for", "+447700900123")
    await chat.say(no)
    assert (await WorkItem.objects.aget()).kind == "callback", "what was agreed is not undone by a later no to something else"


@pytest.mark.parametrize("no", ["No, I will wait", "no thanks", "please do not call me"])
async def test_who_says_no_waits_on(monday: datetime, chat: Line, no: str) -> None:
    """At the same place; asked once."""
    await waits_for_a_call_back(chat, "07700 900123")
    before = await WorkItem.objects.aget()
    assert "You keep your place in the line." in await chat.say(no)
    await chat.say("I want to talk to a person")
    await a_minute_later()
    after = await WorkItem.objects.aget()
    assert (after.kind, after.state, after.enqueued_at) == ("messaging", "queued", before.enqueued_at)
    assert len(await told(chat)) == 1
    assert [entry.data["reason"] for entry in await chat.entries("callback.refused")] == ["would_rather_wait"]
    kept = [row.decision async for row in Consent.objects.all()]
    assert kept == (["refused"] if "call" in no else []), "a wish for no calls at all is kept as one"


@pytest.mark.parametrize(("answer", "kind"), [("yes please", "callback"), ("no thanks", "messaging")])
async def test_where_the_ai_agent_does_not_answer_the_system_takes_the_answer(
    monday: datetime, chat: Line, answer: str, kind: str
) -> None:
    """As it told of the call back."""
    await EntryPoint.objects.filter(channel="chat").aupdate(mode="off")
    await waits_for_a_call_back(chat, "07700 900123")
    await chat.say(answer)
    assert (chat.last.actor_kind, (await WorkItem.objects.aget()).kind) == ("system", kind)
    assert await Consent.objects.acount() == (kind == "callback")


async def test_who_says_no_to_the_question_for_a_number_waits_on(monday: datetime, chat: Line) -> None:
    """And is not asked for it again."""
    await chat.say("I want to talk to a person")
    await a_minute_later()
    assert "You keep your place in the line." in await chat.say("no, I will wait")
    await a_minute_later()
    assert ((await WorkItem.objects.aget()).kind, len(await told(chat))) == ("messaging", 1)


async def test_who_says_something_else_first_may_still_answer(monday: datetime, chat: Line) -> None:
    """A question in between is answered, and asking for a person is told the truth."""
    await waits_for_a_call_back(chat, "07700 900123")
    assert "8 am" in await chat.say("what are your opening hours?")
    again = await chat.say("I want to talk to a person")
    assert again.startswith("A colleague will call you back by")
    assert again.endswith("If you would rather wait, say no.")
    assert "You keep your place in the line." in await chat.say("no")


async def test_what_is_more_urgent_by_then_is_no_answer(monday: datetime, chat: Line) -> None:
    """“No” in front of an emergency."""
    await waits_for_a_call_back(chat, "07700 900123")
    assert "Get everybody out" in await chat.say("no, I can smell gas")
    assert (await WorkItem.objects.select_related("queue").aget()).queue.code == "urgent"


async def test_a_number_that_is_never_to_be_called(monday: datetime, chat: Line) -> None:
    """Nothing is promised, whether it was given before or when it is asked for; staff read why, the customer does not."""
    words = await waits_for_a_call_back(chat, "07700 900877")
    assert words.startswith(f"{NOBODY} You keep your place in the line.")
    await a_minute_later()
    (refused,) = await chat.entries("callback.refused")
    assert (refused.data["reason"], refused.audience) == ("suppressed", "staff")
    assert "Asked at the door never to be called again." in refused.body
    assert (await WorkItem.objects.aget()).kind == "messaging"
    assert not await chat.entries("callback.requested")


async def test_a_number_that_is_never_to_be_called_given_for_it(monday: datetime, chat: Line) -> None:
    """What was typed is kept as what was asked for, and lets nothing through."""
    await chat.say("I want to talk to a person")
    await a_minute_later()
    said = await chat.say("07700 900877")
    assert said.startswith("We cannot call that number. A colleague will answer you here. You keep your place in the line.")
    await a_minute_later()
    assert (await WorkItem.objects.aget()).kind == "messaging"
    assert [entry.data["reason"] for entry in await chat.entries("callback.refused")] == ["suppressed"]


async def test_out_of_hours_a_number_that_is_never_to_be_called_is_promised_nothing(sunday_night: datetime, chat: Line) -> None:
    """The same answer where a table decides for a call back."""
    said = await chat.say("My phone number is 07700 900877 and I want to talk to a person")
    assert "We cannot call that number. A colleague will answer you here." in said
    assert not await chat.entries("callback.requested")


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
