"""What people say who have read no manual: in the middle of something, around it, and instead of it."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import Booking, Handoff
from tests.assistant.conftest import Line
from tests.assistant.test_not_knowing import sources
from tests.assistant.test_several_needs import on

BOTH = pytest.mark.parametrize("channel", ["chat", "voice"])


@BOTH
@pytest.mark.parametrize("gives_up", ["no don't bother, I'll do it myself", "I've changed my mind", "I don't need it any more, thanks"])
async def test_whoever_gives_up_is_not_asked_again(monday: datetime, record: None, channel: str, gives_up: str) -> None:
    line = await on(channel)
    await line.say("my tap drips")
    assert "nothing was booked" in await line.say(gives_up)


@BOTH
@pytest.mark.parametrize("has_none", ["no", "no I don't", "I haven't got one", "I don't have the reference", "sorry, I can't find it"])
async def test_what_may_be_skipped_is_skipped_in_any_words(monday: datetime, record: None, channel: str, has_none: str) -> None:
    line = await on(channel)
    assert "reference" in await line.say("My invoice looks wrong")
    assert "amount" in await line.say(has_none)


async def test_an_address_that_nobody_has_is_skipped_in_spanish(monday: datetime, chat: Line) -> None:
    for words in ("necesito un presupuesto para una caldera nueva", "HB2 3AB", "me llamo Luis Prado", "07700 900334"):
        said = await chat.say(words)
    assert "correo electrónico" in said
    await chat.say("no tengo correo")
    assert await Handoff.objects.aexists()


@BOTH
async def test_a_question_that_an_article_answers_leaves_no_form(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("I want to book a plumber, my tap is dripping")
    await line.say("HB1 4QT")
    said = await line.say("can I pay on the day?")
    assert "aside" not in said
    assert "which of the times" in said


@BOTH
async def test_whether_one_may_pay_by_card_is_a_question_and_no_bill_that_is_wrong(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    said = await line.say("Can I pay by card?")
    assert "reference of the visit" not in said
    assert sources(line) == ["Ways to pay, and paying in instalments"]


@BOTH
async def test_whether_one_may_pay_in_parts_is_answered_without_knowing_who_asks(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "once I know" not in await line.say("can i pay in instalments?")
    assert sources(line) == ["Ways to pay, and paying in instalments"]


@BOTH
async def test_who_cannot_pay_until_a_day_wants_to_promise(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "once I know that it is you" in await line.say("I can't pay my bill until the end of the month")


@BOTH
@pytest.mark.parametrize("asks", ["how much for a new bathroom?", "what does it cost to get a quote?"])
async def test_one_word_of_the_price_list_is_no_price(monday: datetime, record: None, channel: str, asks: str) -> None:
    line = await on(channel)
    assert "2150" not in await line.say(asks)


@BOTH
async def test_a_question_at_the_end_is_one(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("my radiators are hot at the bottom but cold at the top, what do I do")
    assert sources(line) == ["How to bleed a radiator"]


async def test_who_waits_for_a_person_and_asks_something_else_is_told(monday: datetime, chat: Line) -> None:
    await chat.say("get me a manager")
    assert "8 am to 6 pm" in await chat.say("actually never mind, what are your opening hours")


@BOTH
async def test_what_is_not_wanted_is_no_need(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "8 am to 6 pm" in await line.say("No I don't want a person, I just want to know your opening times")


@BOTH
async def test_a_denied_service_is_not_booked(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    said = await line.say("I don't need a boiler service, I want to know whether you service oil boilers")
    assert "What is the postcode" not in said


@BOTH
async def test_what_is_not_wanted_any_more_is_a_wish_to_cancel(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("I don't need the plumber any more. Please can I speak to a real person.")
    reason = (await line.conversation()).reason
    assert reason is not None
    assert reason.code == "cancel_booking"


async def test_where_somebody_is_is_no_need_of_its_own(monday: datetime, chat: Line) -> None:
    said = await chat.say("We have a newborn and no hot water since last night. How soon can you come? We're at HB1 4QT")
    assert "afterwards" not in said


@BOTH
async def test_sorry_alone_has_the_last_answer_said_again(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    said = await line.say("When are you open?")
    assert "8 am to 6 pm" in said
    assert "8 am to 6 pm" in await line.say("sorry?")


@BOTH
@pytest.mark.parametrize("calls", ["hello, I need help", "is anyone there?", "I have a problem"])
async def test_who_calls_out_is_asked_what_it_is(monday: datetime, record: None, channel: str, calls: str) -> None:
    line = await on(channel)
    assert "What can I do for you?" in await line.say(calls)


@BOTH
@pytest.mark.parametrize("chats", ["nice weather today, isn't it", "are you married?", "what's the weather like today"])
async def test_small_talk_is_no_failure(monday: datetime, record: None, channel: str, chats: str) -> None:
    line = await on(channel)
    await line.say(chats)
    await line.say(chats)
    assert "What can I do for you?" in await line.say(chats)
    assert not await Handoff.objects.aexists()


@BOTH
async def test_what_is_no_postcode_is_not_called_a_wrong_one(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("I need a plumber")
    said = await line.say("there is a bit of dripping under the sink")
    assert "not a postcode I know" not in said
    assert "postcode" in said
    assert "not a postcode I know" in await line.say("HB1 4Q5")


@BOTH
async def test_no_to_where_a_code_shall_go_means_that_none_can(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("can I move my visit?")
    if channel == "voice":
        await line.say("no")
    assert "What is your full name" in await line.say("no")


async def test_a_postcode_told_anew_tells_no_hour(monday: datetime, chat: Line) -> None:
    await chat.say("I want a boiler service at HB1 4QT")
    said = await chat.say("sorry I meant HB2 3AB")
    assert "changed that: postcode HB2 3AB" in said
    assert "12:00 to 14:00" in said


@BOTH
async def test_not_before_two(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    said = await line.say("boiler service please, HB2 3AB, next friday but not before 2")
    assert "14:00 to 16:00" in said
    assert "08:00" not in said


@BOTH
@pytest.mark.parametrize("postcode", ["HB12 4QT", "HB15 1AA"])
async def test_a_district_is_not_the_one_whose_number_begins_like_its_own(
    monday: datetime, record: None, channel: str, postcode: str
) -> None:
    line = await on(channel)
    await line.say("I want to book a boiler service")
    assert f"do not come to {postcode}" in await line.say(postcode)
    assert not await Booking.objects.aexists()


@BOTH
async def test_smoke_is_a_danger(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("smoke is coming out of my boiler")
    assert (await Handoff.objects.aget()).why
    assert (await line.conversation()).urgency == "emergency"
    assert line.last.body.startswith("If anybody is in danger")
    assert not sources(line)


@BOTH
async def test_christmas_day_is_a_day(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("boiler service at HB2 3AB please")
    assert "Nothing is free then" in await line.say("on Christmas day")


@BOTH
async def test_the_hours_of_the_holidays_are_told(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "31 December, from 10 am to 1 pm" in await line.say("are you open on new year's eve?")


@BOTH
async def test_what_the_articles_say_in_other_words_is_found(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "10 % off" in await line.say("do you do discounts for pensioners?")


async def test_dogs_are_found(monday: datetime, chat: Line) -> None:
    assert "dogs and other pets" in await chat.say("Do your engineers mind dogs in the house?")


async def test_no_code_goes_to_the_number_that_is_to_become_the_new_one(monday: datetime, record: None) -> None:
    line = await on("voice")
    said = await line.say("change my phone number to 07700 900999")
    assert "six-digit code" in said
    assert "900999" not in said


@BOTH
async def test_an_amount_is_said_back_as_money(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("My invoice looks wrong")
    await line.say("skip")
    assert "£85" in await line.say("85 pounds")


@BOTH
async def test_the_window_that_is_taken_is_said(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("I want to book a boiler service at HB1 4QT")
    assert "I take Monday 23 November, 12:00 to 14:00. What name" in await line.say("as soon as possible")


@BOTH
async def test_next_week_is_its_beginning(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("I want to book a boiler service at HB1 4QT")
    assert "Monday 30 November" in await line.say("sometime next week")


@BOTH
async def test_a_need_in_few_words_among_where_and_when(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "These times are free" in await line.say("boiler service HB1 4QT next week please")


async def test_one_more_place_is_asked_about_by_its_name_alone(monday: datetime, chat: Line) -> None:
    await chat.say("do you cover EH1 1AA?")
    await chat.say("what about SW1A 1AA?")
    assert "do not come to HB9 9ZZ" in await chat.say("HB9 9ZZ?")
    assert "Yes, we come to HB1" in await chat.say("hb1")


@BOTH
async def test_a_nod_is_no_failure(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("how much is a power flush?")
    for nod in ("cool", "lol", "hmm I see"):
        await line.say(nod)
    assert not await Handoff.objects.aexists()


@BOTH
async def test_what_only_tells_a_fact_is_noted_and_no_failure(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    for words in ("my email is jo@example.com", "HB1 4QT"):
        assert "What can I do for you?" in await line.say(words)
    assert not await Handoff.objects.aexists()


async def test_a_boiler_that_broke_is_understood_in_spanish(monday: datetime, chat: Line) -> None:
    said = await chat.say("¿pueden venir mañana a las 10? se me ha roto la caldera")
    assert "código postal" in said


async def test_the_history_names_the_service_in_the_customers_language(monday: datetime, chat: Line) -> None:
    for words in ("hola, quiero reservar una revisión de la caldera en HB1 4QT", "la primera", "me llamo Ana Gil", "07700 900333"):
        await chat.say(words)
    (booked,) = await chat.entries("booking.made")
    assert booked.body.startswith("Reservado: Revisión de la caldera")
    told = [each.body for each in await chat.entries("tool.called") if each.data["tool"] == "book"]
    assert told
    assert not any("Revisión" in each for each in told)
