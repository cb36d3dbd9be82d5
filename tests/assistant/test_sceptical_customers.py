"""What customers say who doubt, interrupt and change their mind, where the AI agent once answered something else."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import Booking, Handoff
from tests.assistant.conftest import Line
from tests.assistant.test_several_needs import on

BOTH = pytest.mark.parametrize("channel", ["chat", "voice"])


async def booked(line: Line, first: str = "I want a plumber on Tuesday") -> Booking:
    """A visit for Cate Moss, with whatever is asked answered."""
    for words in (first, "HB2 3AB", "the first one", "Cate Moss", "07700 900562"):
        if not await Booking.objects.aexists():
            await line.say(words)
    return await Booking.objects.aget()


@BOTH
@pytest.mark.parametrize("asked", ["wait how much is that", "hang on, how much is it", "thanks and how much is that"])
async def test_a_price_asked_in_the_middle_of_a_booking_is_told(monday: datetime, record: None, channel: str, asked: str) -> None:
    line = await on(channel)
    await line.say("book me a boiler service")
    said = await line.say(asked)
    assert "£85" in said
    assert "What is the postcode" in said


@BOTH
async def test_another_number_for_the_visit_just_booked_needs_no_code(monday: datetime, record: None, channel: str) -> None:
    """As another name does not; one for the record does."""
    line = await on(channel)
    await booked(line)
    assert "07700 900599" in await line.say("and can you change the number to 07700 900599")
    assert (await Booking.objects.aget()).phone == "+447700900599"
    assert "once I know that it is you" in await line.say("I have a new number, please change my details: 07700 900598")


@BOTH
async def test_they_say_what_they_want_instead_of_a_person(monday: datetime, record: None, channel: str) -> None:
    """The yes in “ok then, book …” is none to the person who was offered."""
    line = await on(channel)
    assert "person?" in await line.say("I would like to know whether you also sell unicorns")
    assert "What is the postcode" in await line.say("ok then, book a boiler service on Wednesday")
    assert not await Handoff.objects.aexists()


@BOTH
async def test_another_need_leaves_the_finding_out_of_who_they_are(monday: datetime, record: None, channel: str) -> None:
    """It is done first, and named rightly; the change is offered afterwards."""
    line = await on(channel)
    assert "once I know that it is you" in await line.say("I need to change my booking")
    said = await line.say("hold on, my toilet is blocked and I need somebody")
    assert "the change of your visit aside" in said
    assert "What is the postcode" in said
    visit = await booked(line, "HB2 3AB")
    assert visit.service != "Change a booking"


@BOTH
@pytest.mark.parametrize("asked", ["fine, can they come on Friday", "ok could someone pop round friday?"])
async def test_they_ask_whether_somebody_comes_after_a_price(monday: datetime, record: None, channel: str, asked: str) -> None:
    line = await on(channel)
    await line.say("what would it cost if someone looks at my boiler")
    assert "What is the postcode" in await line.say(asked)


@BOTH
async def test_a_story_that_ends_in_having_it_looked_at_is_offered_a_visit(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    said = await line.say("my late husband always did the boiler, now it makes a funny noise, I should have it looked at before christmas")
    assert "Shall I book a visit for you?" in said
    assert "What is the postcode" in await line.say("yes please")


@BOTH
async def test_and_how_much_is_about_what_was_said_before_it(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    said = await line.say("do you unblock drains and how much")
    assert "£120" in said
    assert "no answer" not in said


async def test_what_shall_i_do_is_no_question_of_its_own(monday: datetime, chat: Line) -> None:
    said = await chat.say("se sale agua de la caldera por debajo, ¿qué hago?")
    assert "no tengo respuesta" not in said


@BOTH
async def test_whoever_wants_to_think_about_it_may(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("how much is a boiler service?")
    assert "no hurry" in await line.say("can I think about it and ring you back")
    assert not await Handoff.objects.aexists()


@BOTH
async def test_someone_who_explains_it_is_a_person(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("what are your opening hours?")
    await line.say("no I want someone to explain it to me now")
    assert await Handoff.objects.aexists()


async def test_um_alone_is_no_answer_that_did_not_help(monday: datetime) -> None:
    call = await on("voice")
    assert await call.say("um") == "I am listening. Take your time."
    assert (await call.conversation()).failed_turns == 0


@BOTH
async def test_visits_at_two_addresses_are_two_visits(monday: datetime, record: None, channel: str) -> None:
    """The second is named at once and booked afterwards, with what is known."""
    line = await on(channel)
    said = await line.say("I need gas safety certificates for two flats, one at HB1 4QT and one at HB2 3AB")
    assert "HB1 4QT" in said
    assert "I begin with HB2 3AB." in said
    await booked(line, "the first one")
    await line.say("yes")
    await line.say("the second one")
    visits = [(visit.postcode, visit.name) async for visit in Booking.objects.order_by("pk")]
    assert visits == [("HB2 3AB", "Cate Moss"), ("HB1 4QT", "Cate Moss")]


@BOTH
async def test_a_postcode_put_right_in_the_same_breath_is_one_place(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    said = await line.say("boiler service at HB1 4QT, no sorry HB2 3AB")
    assert "postcode HB2 3AB" in said
    assert "HB1 4QT" not in said


@BOTH
@pytest.mark.parametrize("begun", ["I want my money back", "my invoice looks wrong"])
async def test_a_visit_asked_for_in_another_form_is_begun(monday: datetime, record: None, channel: str, begun: str) -> None:
    line = await on(channel)
    assert "reference" in await line.say(begun)
    assert "What is the postcode" in await line.say("ok book a heating repair tomorrow")


@BOTH
async def test_somebody_else_mends_it(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("need someone for my sink")
    assert "nothing was booked" in await line.say("actually my husband will fix it")


async def test_a_visit_wanted_after_a_question_for_the_area_says_what_for(monday: datetime, chat: Line) -> None:
    assert "Shall I book a visit" in await chat.say("do you cover HB3")
    assert await chat.say("yes") == "What is the visit for?"
    assert "What is the postcode" in await chat.say("my tap drips")


@BOTH
@pytest.mark.parametrize("answer", ["forget it", "I'll leave it", "actually I've changed my mind", "I'll think about it", "don't bother"])
async def test_a_visit_is_cancelled_by_a_yes_alone(monday: datetime, record: None, channel: str, answer: str) -> None:
    """What may mean the cancelling as well as the visit leaves the visit as it is."""
    line = await on(channel)
    await booked(line)
    assert "Shall I cancel your visit" in await line.say("cancel my visit")
    assert "your visit stays as it is" in await line.say(answer)
    assert (await Booking.objects.aget()).state != Booking.State.CANCELLED


@BOTH
@pytest.mark.parametrize("answer", ["yes", "cancel it"])
async def test_a_visit_that_is_not_wanted_is_cancelled(monday: datetime, record: None, channel: str, answer: str) -> None:
    line = await on(channel)
    await booked(line)
    await line.say("cancel my visit")
    await line.say(answer)
    assert (await Booking.objects.aget()).state == Booking.State.CANCELLED


@BOTH
async def test_a_yes_to_a_person_that_tells_why_is_a_yes(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "person?" in await line.say("I would like to know whether you also sell unicorns")
    await line.say("yes please, it's about my bill")
    assert await Handoff.objects.aexists()
