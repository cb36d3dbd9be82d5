"""A customer books, changes and cancels in words: asked once, corrected at any time, never booked twice."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from conversations.models import Booking
from tests.assistant.conftest import Line

EVERYTHING = (
    "Hi, I'm Sam Okafor, my boiler needs a service on Wednesday between 10 and 12 at HB1 4QT, my number is 07700 900123"
)


async def ready_to_choose(line: Line, postcode: str = "HB1 4QT") -> None:
    """Gives everything but the choice of a window."""
    await line.say(f"I'd like to book a boiler service at {postcode}")
    await line.say("my name is Sam Okafor and my number is 07700 900123")
    assert line.choices


async def test_a_booking_from_nothing(monday: datetime, chat: Line) -> None:
    """Postcode, time, name and phone are asked for in turn; the visit is booked and read back."""
    assert "postcode" in await chat.say("I'd like to book a boiler service please")
    assert "free" in await chat.say("HB1 4QT")
    assert len(chat.choices) == 3
    assert "name" in await chat.say("the second one")
    assert "phone" in await chat.say("Sam Okafor")
    said = await chat.say("07700 900123")
    booking = await Booking.objects.aget()
    assert {booking.reference, "Sam", "07700"} <= set(said.replace(",", " ").replace(".", " ").split())
    assert booking.service == "Boiler service"
    assert (booking.name, booking.postcode, booking.phone) == ("Sam Okafor", "HB1 4QT", "+447700900123")
    assert chat.replies[1].data["quick_replies"][1]["label"] in said
    kinds = [entry.kind for entry in await chat.entries("booking.made", "tool.called", "reason.recognised", "routing.decided")]
    assert kinds.count("booking.made") == 1
    assert {"tool.called", "reason.recognised", "routing.decided"} <= set(kinds)


async def test_what_is_known_is_never_asked(monday: datetime, chat: Line) -> None:
    """Somebody who says everything at once is only asked whether to take the window they named."""
    said = await chat.say(EVERYTHING)
    assert "Wednesday 25 November, 10:00 to 12:00 is free" in said
    assert "07700 900123" in said
    assert "What" not in said
    await chat.say("yes please")
    booking = await Booking.objects.aget()
    assert booking.window.lower.isoformat() == "2026-11-25T10:00:00+00:00"
    assert not [reply for reply in chat.replies if "field" in reply.data]


async def test_the_same_need_said_on_the_phone(monday: datetime, record: None) -> None:
    """The caller's own number is not asked for; the times are numbered for the ear; there is no address in an answer."""
    call = Line(channel="voice", party="+447700900777")
    await call.begin()
    assert "postcode" in await call.say("um i'd like to book a boiler service please")
    assert "first, Monday" in await call.say("h b one four q t")
    assert "name" in await call.say("the second one please")
    assert "07700 900777" in await call.say("my name is sam okafor")
    assert (await Booking.objects.aget()).phone == "+447700900777"
    await call.say("how do I bleed a radiator?")
    assert call.last.data["sources"]
    assert "/help" not in call.last.body
    assert "our help page" in call.last.body
    assert len(call.last.body) < 400


async def test_a_correction_in_the_middle(monday: datetime, chat: Line) -> None:
    """A corrected fact replaces the old one, is read back, and nothing is asked again."""
    await ready_to_choose(chat)
    assert "changed that: phone 07700 900456" in await chat.say("no, my number is 07700 900456")
    assert chat.choices
    await chat.say("the first one")
    assert (await Booking.objects.aget()).phone == "+447700900456"


async def test_a_correction_after_booking(monday: datetime, chat: Line) -> None:
    """What was booked is put right, not only noted."""
    await ready_to_choose(chat)
    await chat.say("the first one")
    assert "07700 900456" in await chat.say("no, my number is 07700 900456")
    assert (await Booking.objects.aget()).phone == "+447700900456"
    assert len(await chat.entries("booking.changed")) == 1


async def test_another_postcode_makes_the_offers_void(monday: datetime, chat: Line) -> None:
    """Windows that were offered belong to the area of the old postcode."""
    await ready_to_choose(chat)
    await chat.say("sorry, the postcode is HB6 1AA")
    assert all("Monday" not in choice for choice in chat.choices), "nobody works in HB6 on a Monday"
    await chat.say("the first one")
    assert (await Booking.objects.aget()).postcode == "HB6 1AA"


async def test_a_question_in_the_middle_is_answered_and_the_form_goes_on(monday: datetime, chat: Line) -> None:
    """A digression gets its answer with a source, and the same question again."""
    await chat.say("I want to book a boiler service")
    said = await chat.say("how long does it take?")
    assert "about an hour" in said
    assert said.endswith("What is the postcode of the address?")
    assert chat.last.data["sources"] == [{"title": "What happens at a boiler service", "url": "/help/boiler-service"}]
    await chat.say("HB1 4QT")
    said = await chat.say("what if the engineer is late?")
    assert "two-hour window" in said
    assert len(chat.choices) == 3, "the offered times are still there"


@pytest.mark.parametrize("words", ["never mind", "cancel that", "start over"])
async def test_stopping_in_the_middle(monday: datetime, chat: Line, words: str) -> None:
    """Whoever stops has booked nothing; the facts are kept for another time."""
    await ready_to_choose(chat)
    await chat.say(words)
    assert not await Booking.objects.aexists()
    assert not (await chat.conversation()).form_state.get("form")
    assert "postcode" not in await chat.say("book a boiler service please")


async def test_an_area_that_is_not_served(monday: datetime, chat: Line) -> None:
    """It is said at once, and another postcode is taken."""
    await chat.say("I want to book a boiler service")
    assert "do not come to ZZ9 9ZZ" in await chat.say("ZZ9 9ZZ")
    await chat.say("HB1 4QT")
    assert len(chat.choices) == 3


async def test_moving_and_cancelling(monday: datetime, chat: Line) -> None:
    """A visit is moved by a day and a choice, and cancelled after a yes; both are read back and in the history."""
    await ready_to_choose(chat)
    await chat.say("the first one")
    await chat.say("can I move it to Wednesday?")
    assert all("Wednesday" in choice for choice in chat.choices)
    said = await chat.say("the second one")
    booking = await Booking.objects.aget()
    assert f"{booking.window.lower:%H:%M}" in said
    assert booking.window.lower.date().isoformat() == "2026-11-25"
    assert "Shall I cancel" in await chat.say("I need to cancel my booking")
    assert "stays as it is" in await chat.say("no, keep it")
    await chat.say("cancel my booking please")
    assert "is cancelled" in await chat.say("yes")
    assert (await Booking.objects.aget()).state == "cancelled"
    assert [entry.kind for entry in await chat.entries("booking.made", "booking.changed", "booking.cancelled")] == [
        "booking.made",
        "booking.changed",
        "booking.cancelled",
    ]


@pytest.mark.parametrize("words", ["No wait, cancel it", "cancel it instead", "no, cancel the visit please", "can you cancel it instead?"])
async def test_cancelling_instead_of_moving(monday: datetime, chat: Line, words: str) -> None:
    """Whoever changes their mind while a new time is being asked is asked once whether to cancel, and yes does it."""
    await ready_to_choose(chat)
    await chat.say("the first one")
    await chat.say("can I move it to Wednesday?")
    assert "Shall I cancel your visit" in await chat.say(words)
    assert (await Booking.objects.aget()).state == "booked", "nothing is cancelled before a yes"
    assert "is cancelled" in await chat.say("yes")
    assert (await Booking.objects.aget()).state == "cancelled"


@pytest.mark.parametrize("words", ["cancel that", "never mind", "no, don't cancel it", "what does it cost to cancel it?"])
async def test_words_that_cancel_no_visit_while_it_is_moved(monday: datetime, chat: Line, words: str) -> None:
    """Stopping the move, wishing to keep the visit and asking about cancelling leave it as it is."""
    await ready_to_choose(chat)
    await chat.say("the first one")
    await chat.say("can I move it to Wednesday?")
    assert "Shall I cancel" not in await chat.say(words)
    assert (await Booking.objects.aget()).state == "booked"


async def test_two_conversations_race_for_one_window(monday: datetime, record: None) -> None:
    """One technician works in HB6: of two who choose the same window one gets it and the other is offered another."""
    first, second = Line(), Line()
    await ready_to_choose(first, "HB6 1AA")
    await ready_to_choose(second, "HB6 2BB")
    offered = first.choices
    assert second.choices == offered
    said = await asyncio.gather(first.say("the first one"), second.say("the first one"))
    assert await Booking.objects.acount() == 1
    assert sorted("is booked" in each for each in said) == [False, True]
    loser = second if "is booked" in said[0] else first
    assert "has just been taken" in loser.last.body
    assert offered[0] not in loser.choices
    await loser.say("the first one")
    assert await Booking.objects.acount() == 2


async def test_a_price_with_an_offer(monday: datetime, chat: Line) -> None:
    """A price comes from the price list, and yes to the offer books that service."""
    assert "£85" in await chat.say("how much is a boiler service?")
    await chat.say("yes please")
    await chat.say("HB1 4QT, Sam Okafor, 07700 900123")
    await chat.say("my name is Sam Okafor")
    await chat.say("the first one")
    assert (await Booking.objects.aget()).service == "Boiler service"


async def test_a_form_without_a_tool_becomes_work_for_people(monday: datetime, chat: Line) -> None:
    """A promise that somebody will ring is put into a line, with the facts; the AI agent goes on."""
    assert "postcode" in await chat.say("I'd like a quote for a new combi boiler in a three bedroom house")
    await chat.say("HB2 1AA")
    await chat.say("Lee Chen")
    await chat.say("07700 900111")
    assert "surveyor" in await chat.say("skip")
    requested = (await chat.entries("handoff.requested"))[0]
    assert {fact["name"]: fact["value"] for fact in requested.data["facts"]} == {
        "details": "I'd like a quote for a new combi boiler in a three bedroom house",
        "postcode": "HB2 1AA",
        "name": "Lee Chen",
        "phone": "07700 900111",
        "quote_score": "60",
    }
    assert "8 am" in await chat.say("what are your opening hours?")


async def test_whether_we_come_to_a_place(monday: datetime, chat: Line) -> None:
    """A whole postcode or its first half is looked up; where we come, a visit is offered and the postcode not asked again."""
    assert "we do not come to M1 1AA" in await chat.say("do you cover M1 1AA?")
    assert "Yes, we come to HB4 (Gullhaven" in await chat.say("what about HB4?")
    said = await chat.say("and can you come to HB1 4QT?")
    assert "Yes, we come to HB1 4QT" in said
    assert "book a visit" in said
    said = await chat.say("yes please")
    assert "free" in said
    assert "postcode" not in said


async def test_a_goodbye_in_the_middle_ends_it(monday: datetime, chat: Line) -> None:
    """Somebody who leaves while choosing a time is not asked again, and nothing is booked."""
    await ready_to_choose(chat)
    assert "nothing was booked" in await chat.say("thanks, bye")
    assert not await Booking.objects.aexists()


async def test_a_visit_is_for_what_was_asked(monday: datetime, chat: Line) -> None:
    """A price asked for with the booking is told at once, and the visit is for that service."""
    said = await chat.say("My landlord needs a gas safety check, what does it cost and can I book for Wednesday?")
    assert "Landlord gas safety check: £75" in said
    assert "postcode" in said
    await chat.say("HB1 4QT")
    await chat.say("the first one")
    await chat.say("Lena Fox, 07700 900123")
    assert (await Booking.objects.aget()).service == "Landlord gas safety check"


async def test_what_was_booked_is_read_back(monday: datetime, chat: Line) -> None:
    """Who asks what or when their visit is gets it read back, and nobody else does."""
    await ready_to_choose(chat)
    await chat.say("the first one")
    booking = await Booking.objects.aget()
    for question in ("what did I just book?", "when is my appointment again"):
        said = await chat.say(question)
        assert booking.reference in said
        assert "Boiler service on" in said
    stranger = Line()
    assert booking.reference not in await stranger.say("when is my appointment?")


@pytest.mark.parametrize(("wrong", "repair"), [("12345", "07700 900123"), ("07700 900 12", "07700 900123"), ("abc", "07700 900123")])
async def test_a_number_that_is_none_is_asked_for_again_with_an_example(monday: datetime, chat: Line, wrong: str, repair: str) -> None:
    """The example is the product's own, so it is not taken for a number that somebody made up."""
    await chat.say("I'd like to book a boiler service at HB1 4QT")
    await chat.say("the second one")
    assert "phone" in await chat.say("Sam Okafor")
    assert repair in await chat.say(wrong)
    await chat.say("07700 900456")
    assert (await Booking.objects.aget()).phone == "+447700900456"
    assert not await chat.entries("reply.refused")


async def test_the_name_of_today_means_today_when_today_was_offered(monday: datetime, chat: Line) -> None:
    """It is Monday, Monday's times are shown, and “Monday” is said to them."""
    await chat.say("I'd like to book a boiler service at HB1 4QT")
    offered = chat.choices
    assert all("Monday" in each for each in offered), offered
    await chat.say("Monday please")
    assert chat.choices
    assert all("23 November" in each for each in chat.choices), chat.choices
