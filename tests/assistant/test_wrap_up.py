"""The wrap-up of what ended: once, on every channel, whoever answered; and what became of drafts."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.db import IntegrityError, transaction
from django.test import Client

from conversations import tasks
from conversations.assistant import recap
from conversations.flows import inbound, takeover
from conversations.models import Conversation, DraftReview, Entry, EntryPoint, Interaction
from conversations.selectors.invariants import wrap_ups_in_limbo
from conversations.services import roll_out, timeline, wrap_ups
from conversations.services.timeline import NewEntry
from routing.models import AgentProfile, DispositionCode
from tests.assistant.conftest import Line
from tests.assistant.test_several_needs import on
from tests.support.locks import meanwhile

off_loop = partial(database_sync_to_async, thread_sensitive=False)


async def ended(line: Line) -> Entry:
    """The line ends, the sweep runs, and this is the wrap-up."""
    await off_loop(inbound.end_interaction)(line.provider_id, reason="left")
    assert await off_loop(tasks.write_wrap_ups)() == 1
    return await Entry.objects.select_related("conversation").aget(kind="wrapped_up", interaction=line.interaction_id)


async def answered_by_ann(line: Line, text: str) -> AgentProfile:
    """A person takes over and says something."""
    ann = await AgentProfile.objects.select_related("user").order_by("pk").afirst()
    conversation = await line.conversation()
    await off_loop(takeover.take_over)(conversation, ann)
    said = NewEntry(
        kind="message", actor_kind="agent", actor_name=ann.display_name, body=text, interaction=await line.interaction()
    )
    await off_loop(timeline.append)(conversation.pk, said)
    return ann


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_the_same_on_every_channel(monday: datetime, channel: str) -> None:
    """A visit is booked, an answer found, a question left open: all of it stands in the one entry, for staff alone."""
    line = Line(channel=channel)
    if channel == "voice":
        await line.begin()
    await line.say("what are your opening hours?")
    await line.say("I'm Sam Okafor, book a boiler service on Wednesday 10 to 12 at HB1 4QT, my number is 07700 900123")
    await line.say("yes")
    entry = await ended(line)
    assert entry.audience == "staff"
    assert "Sam Okafor came about: " in entry.body
    assert "Answered from: “" in entry.body
    assert "Booked" in entry.body or "booked" in entry.body
    assert entry.data["suggested"] == "booked"
    assert entry.data["because"] == "A visit was booked."
    assert entry.data["channel"] == channel
    assert entry.data["with_person"] is False
    assert entry.data["writer"] == "extractive"
    assert set(entry.data["mood"]) == {"start", "end", "lowest"}
    assert await off_loop(tasks.write_wrap_ups)() == 0
    interaction = await line.interaction()
    assert interaction.wrap_up_due_at is None
    again = await off_loop(recap.write)(line.interaction_id)
    assert not again


async def test_what_a_person_promised_and_left_open(monday: datetime, chat: Line) -> None:
    """A promise and an unanswered question are picked out with their places; a closed conversation has its outcome, kept or changed."""
    await chat.say("This is terrible, I want to talk to a person")
    ann = await answered_by_ann(chat, "I am sorry. I will send you the invoice tomorrow. Is there anything else?")
    received = await chat.send("Will the engineer bring the part?")
    conversation = await chat.conversation()
    suggested = await off_loop(recap.suggested_for)(conversation)
    assert suggested.code == "customer_left"
    solved = await DispositionCode.objects.aget(code="resolved")
    await off_loop(takeover.close)(conversation, ann, solved, suggested=suggested.code)
    assert await off_loop(tasks.write_wrap_ups)() == 1
    entry = await Entry.objects.aget(kind="wrapped_up", conversation=conversation)
    assert [point["text"] for point in entry.data["action_items"]] == ["I will send you the invoice tomorrow."]
    assert entry.data["open_questions"] == [{"text": "Will the engineer bring the part?", "seq": received.seq}]
    assert (entry.data["disposition"], entry.data["suggested"], entry.data["with_person"]) == ("resolved", "customer_left", True)
    outcome = await Entry.objects.aget(kind="outcome.set", conversation=conversation)
    assert outcome.data == {"disposition": "resolved", "suggested": "customer_left"}


async def test_nobody_said_anything(monday: datetime, record: None) -> None:
    """A call without a word owes nothing that could be written."""
    call = Line(channel="voice")
    await call.begin()
    await off_loop(inbound.end_interaction)(call.provider_id, reason="left")
    await off_loop(tasks.write_wrap_ups)()
    assert (await call.interaction()).wrap_up_due_at is None
    assert not await Entry.objects.filter(kind="wrapped_up", data__mood__start__isnull=False).aexists()


async def test_two_workers_write_one(monday: datetime, chat: Line) -> None:
    """Both have read the record when the first one commits; the second finds nothing owed. The database holds it, too."""
    await chat.say("what are your opening hours?")
    await off_loop(inbound.end_interaction)(chat.provider_id, reason="left")

    def both() -> list[Any]:
        with meanwhile(lambda: recap.write(chat.interaction_id), "conversations_conversation") as other:
            Conversation.objects.select_for_update().get(pk=chat.conversation_id)
            other.begins()
            first = recap.write(chat.interaction_id)
        return [first, *other.came]

    assert await off_loop(both)() == [True, False]
    line = await chat.interaction()
    twice = NewEntry(kind="wrapped_up", actor_kind="system", audience="staff", interaction=line)

    def written_again() -> None:
        with pytest.raises(IntegrityError, match="interaction_is_wrapped_up_once"), transaction.atomic():
            timeline.append(chat.conversation_id, twice)

    await off_loop(written_again)()


async def test_a_worker_that_dies_loses_nothing(monday: datetime, chat: Line) -> None:
    """It had claimed the wrap-up; when its lease is over the next sweep writes it."""
    await chat.say("what are your opening hours?")
    await off_loop(inbound.end_interaction)(chat.provider_id, reason="left")
    assert await off_loop(wrap_ups.claim)(limit=9, lease=recap.LEASE) == [chat.interaction_id]
    assert await off_loop(tasks.write_wrap_ups)() == 0, "somebody is at it"
    await Interaction.objects.filter(pk=chat.interaction_id).aupdate(
        started_at=monday - timedelta(hours=3), ended_at=monday - timedelta(hours=2)
    )
    assert len(await off_loop(wrap_ups_in_limbo)()) == 1, "doctor tells of it when nobody comes"
    await Interaction.objects.filter(pk=chat.interaction_id).aupdate(wrap_up_due_at=datetime(2026, 1, 1).astimezone())
    assert await off_loop(tasks.write_wrap_ups)() == 1


async def test_drafts_are_compared_with_what_people_sent(monday: datetime, chat: Line) -> None:
    """Alike or not, the same reason or another, the tool that was used or not; and a thumb, whose last word counts."""
    await EntryPoint.objects.filter(channel="chat").aupdate(mode="shadow")
    await chat.say("what are your opening hours?")
    draft = await Entry.objects.aget(kind="draft")
    ann = await answered_by_ann(chat, "We are open from 8 am to 6 pm on weekdays, and on Saturday mornings until 1 pm.")
    address = f"/inbox/c/{(await chat.conversation()).public_id}/"
    browser = Client()
    await off_loop(browser.force_login)(ann.user)
    for verdict, status in (("reject", 204), ("accept", 204), ("perhaps", 422)):
        answer = await off_loop(browser.post)(f"{address}judge/", {"seq": draft.seq, "verdict": verdict})
        assert answer.status_code == status
    page = (await off_loop(browser.get)(address)).content.decode()
    assert 'data-verdict="accept"' in page
    await ended(chat)
    review = await DraftReview.objects.select_related("answer", "judged_by").aget()
    assert (review.verdict, review.judged_by) == ("accept", ann)
    assert review.similarity is not None
    assert review.similarity > 0.5
    assert review.same_reason is True
    assert review.same_tools is None, "there was nothing to do"
    assert review.answer is not None
    assert review.answer.body.startswith("We are open")


async def test_a_draft_that_would_have_booked(monday: datetime, chat: Line) -> None:
    """The person only answered, so the tools differ; a draft that nobody answered is compared with nothing."""
    await EntryPoint.objects.filter(channel="chat").aupdate(mode="shadow")
    await chat.say("I'm Sam Okafor, book a boiler service on Wednesday 10 to 12 at HB1 4QT, my number is 07700 900123")
    await chat.say("yes")
    await ended(chat)
    reviews = [each async for each in DraftReview.objects.order_by("pk")]
    assert reviews
    assert {each.answer_id for each in reviews} == {None}
    assert all(each.compared_at for each in reviews)


async def test_a_stopped_agent_drafts_nothing(monday: datetime, chat: Line) -> None:
    await EntryPoint.objects.filter(channel="chat").aupdate(mode="shadow")
    await off_loop(roll_out.stop)(by="Mona", why="Trial.")
    try:
        await chat.say("what are your opening hours?")
        assert not await Entry.objects.filter(kind="draft").aexists()
    finally:
        await off_loop(roll_out.start)(by="Mona")


async def test_what_was_taken_out_is_not_quoted(monday: datetime, chat: Line) -> None:
    """A message that was redacted before is in no wrap-up; one that is erased later takes the words of the wrap-up along."""
    await chat.say("what are your opening hours?")
    secret = await chat.send("The spare key lies under the red pot, do not tell anybody")
    message = await Entry.objects.aget(conversation=chat.conversation_id, seq=secret.seq)
    await off_loop(timeline.redact)(message, reason="A secret.")
    entry = await ended(chat)
    assert "red pot" not in str([entry.body, entry.data])
    await off_loop(timeline.redact)(entry, reason="Asked for.")
    await entry.arefresh_from_db()
    assert (entry.body, entry.data.get("open_questions"), entry.data.get("action_items")) == ("", None, None)
    assert entry.data["suggested"] is not None


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_what_was_not_known_is_open_and_no_answer(monday: datetime, channel: str) -> None:
    """That an article beside it was named makes a question no answered one."""
    line = Line(channel=channel)
    if channel == "voice":
        await line.begin()
    await line.say("which boiler is best?")
    entry = await ended(line)
    assert entry.data["suggested"] == ""
    assert [each["text"] for each in entry.data["open_questions"]] == ["which boiler is best?"]
    assert "Answered from" not in entry.body


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_a_price_that_was_told_is_an_answer(monday: datetime, channel: str) -> None:
    line = Line(channel=channel)
    if channel == "voice":
        await line.begin()
    await line.say("how much is a boiler service?")
    await line.say("no thank you")
    entry = await ended(line)
    assert "Answered from: “Price list”." in entry.body
    assert entry.data["suggested"] == "answered"


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_who_leaves_in_the_middle_was_not_answered_to_the_end(monday: datetime, channel: str) -> None:
    line = Line(channel=channel)
    if channel == "voice":
        await line.begin()
    await line.say("boiler service at HB1 4QT")
    entry = await ended(line)
    assert "left without answering the last question" in entry.body
    assert "to the end" not in entry.body


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_sentences_stay_apart_and_only_times_that_hold_are_told(monday: datetime, record: None, channel: str) -> None:
    """Of a visit that was moved only the new time, of a call that is promised each thing in a sentence of its own."""
    line = await on(channel)
    for words in ("book a boiler service", "HB1 4QT", "Wednesday 10 to 12", "Sam Okafor", "07700 900188"):
        await line.say(words)
    moved = await line.say("can you move it to Thursday 10 to 12")
    if "?" in moved:
        await line.say("the first one")
    for words in ("can somebody call me tomorrow at 3pm about it", "07700 900188", "yes"):
        await line.say(words)
    entry = await ended(line)
    assert "Thursday 26 November" in entry.body
    assert "Wednesday 25 November" not in entry.body.partition("In their words")[0]
    assert "Booked Boiler service for Wednesday" not in entry.body
    assert not re.search(r"[a-z] (?:Put|Changed|Booked|Cancelled|Answered|Passed|Call back) ", entry.body)
