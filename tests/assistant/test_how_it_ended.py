"""A wrap-up and the copilot say what happened: what was answered, what was left open, and what was only put right."""

from __future__ import annotations

import html
from datetime import datetime
from functools import partial

from channels.db import database_sync_to_async
from django.test import Client

from conversations import tasks
from conversations.flows import inbound, takeover
from conversations.models import Entry
from routing.models import AgentProfile
from tests.assistant.conftest import Line
from tests.assistant.test_wrap_up import ended

off_loop = partial(database_sync_to_async, thread_sensitive=False)


async def taken_by_ann(line: Line) -> AgentProfile:
    ann = await AgentProfile.objects.select_related("user").order_by("pk").afirst()
    assert ann is not None
    await off_loop(takeover.take_over)(await line.conversation(), ann)
    return ann


def opened(entry: Entry) -> list[str]:
    return [point["text"] for point in entry.data["open_questions"]]


async def test_another_number_on_a_visit_is_no_other_time(monday: datetime, chat: Line) -> None:
    await chat.say("I'm Sam Okafor, book a boiler service on Wednesday 10 to 12 at HB1 4QT, my number is 07700 900123")
    await chat.say("yes")
    await chat.say("no, my number is 07700 900456")
    corrected = await Entry.objects.aget(kind="booking.changed")
    assert corrected.body.startswith("Put the details of Boiler service on ")
    entry = await ended(chat)
    assert (entry.data["suggested"], entry.data["because"]) == ("booked", "A visit was booked.")
    assert "Changed" not in entry.body


async def test_a_question_answered_with_i_do_not_know_is_open(monday: datetime, chat: Line) -> None:
    await chat.say("do you fit solar panels?")
    await chat.say("what are your opening hours?")
    entry = await ended(chat)
    assert opened(entry) == ["do you fit solar panels?"]
    assert "The AI agent could not answer everything." in entry.body
    assert "answered to the end" not in entry.body
    assert entry.data["suggested"] != "answered"


async def test_nobody_answered_though_they_said_thanks(monday: datetime, chat: Line) -> None:
    await chat.say("hello")
    await taken_by_ann(chat)
    await chat.send("when are you open on saturday?")
    await chat.send("and how much is a boiler service?")
    await chat.send("thank you, that is all")
    entry = await ended(chat)
    assert "The customer spoke last, and nobody answered." in entry.body
    assert "The AI agent answered" not in entry.body
    assert opened(entry) == ["when are you open on saturday?", "and how much is a boiler service?"]
    assert entry.data["suggested"] == "customer_left"


async def test_what_is_only_passed_on_to_a_person_is_open(monday: datetime, chat: Line) -> None:
    """The person was asked for on the line before; on this one nobody did anything."""
    await chat.say("This is terrible, I want to talk to a person")
    await off_loop(inbound.end_interaction)(chat.provider_id, reason="left")
    assert await off_loop(tasks.write_wrap_ups)() == 1
    again = Line(party=chat.party, provider_id=f"{chat.provider_id}-again")
    await again.say("I want to move my visit to Tuesday")
    assert again.conversation_id == chat.conversation_id
    entry = await ended(again)
    assert "No person has answered yet." in entry.body
    assert "answered to the end" not in entry.body
    assert opened(entry) == ["I want to move my visit to Tuesday"]


async def test_a_side_question_is_not_how_it_ended(monday: datetime, chat: Line) -> None:
    await chat.say("do you come to SW1A 1AA?")
    await chat.say("where is my order?")
    entry = await ended(chat)
    assert entry.data["suggested"] != "out_of_area"
    assert "answered to the end" not in entry.body


async def test_an_open_point_is_the_question_and_not_all_that_was_said(monday: datetime, chat: Line) -> None:
    asked = "what is the status of my order?"
    assert len(await chat.say(asked)) > 200
    entry = await ended(chat)
    assert opened(entry) == [asked, "We asked, and were not told: Which address or number shall I use?"]
    assert "The customer left without answering the last question." in entry.body
    assert entry.data["suggested"] != "answered"


async def copilot_of(line: Line) -> str:
    ann = await taken_by_ann(line)
    browser = Client()
    await off_loop(browser.force_login)(ann.user)
    answer = await off_loop(browser.get)(f"/inbox/c/{(await line.conversation()).public_id}/copilot/")
    return html.unescape(answer.content.decode())


async def test_a_visit_to_be_moved_is_not_answered_with_what_happens_when_we_move_it(monday: datetime, chat: Line) -> None:
    await chat.say("hello")
    await taken_by_ann(chat)
    await chat.send("I want to move my visit to Tuesday")
    page = await copilot_of(chat)
    assert "£20" not in page
    assert "we call you ourselves" not in page


async def test_a_question_of_theirs_is_no_answer_to_ours(monday: datetime, chat: Line) -> None:
    await chat.say("do you fit solar panels?")
    assert "Shall I pass you to a person?" in chat.last.body
    await chat.say("how much is a boiler service?")
    page = await copilot_of(chat)
    asked = page[page.index("Already asked") : page.index("So far")]
    assert "Shall I pass you to a person?" in asked
    assert "how much is a boiler service" not in asked
    assert "What can I do for you?" not in asked
    assert "Is there anything else" not in asked
