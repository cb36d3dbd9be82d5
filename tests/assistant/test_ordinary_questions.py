"""What ordinary customers ask of a company, short and in whatever order of words, and how they go on from the answer."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import Handoff
from tests.assistant.conftest import Line
from tests.assistant.test_several_needs import on

CHANNELS = pytest.mark.parametrize("channel", ["chat", "voice"])


@CHANNELS
@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("do i need to be home for the service", "You need to be home"),
        ("do we have to be in when you come", "Somebody over 18 has to be at home"),
        ("where are you based", "2 Quay Street"),
        ("do you do emergency call outs", "emergency call-outs"),
        ("the repair you did last week has failed, do I have to pay again", "you do not pay again"),
        ("are you gas safe registered", "Gas Safe registered"),
        ("¿tengo que estar en casa cuando vengan?", "mayor de edad"),
        ("¿hacen reformas de baño?", "reformas de cuartos de baño"),
        ("¿tienen descuento para jubilados?", "10 %"),
        ("¿aceptan tarjeta?", "Aceptamos tarjeta de débito o crédito"),
    ],
)
async def test_an_ordinary_question_is_answered(monday: datetime, record: None, channel: str, asked: str, told: str) -> None:
    line = await on(channel)
    assert told in await line.say(asked)
    assert not await Handoff.objects.aexists()


@CHANNELS
async def test_a_question_goes_on_about_what_was_answered(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("do i need to be home for the service")
    assert "about an hour" in await line.say("how long does it take")


@CHANNELS
@pytest.mark.parametrize("words", ["are you open xmas eve", "¿abren en nochebuena?"])
async def test_feasts_by_their_short_names(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    await line.say("when are you open" if words.startswith("are") else "¿qué horario tienen?")
    assert "08:00" in await line.say(words)


@CHANNELS
async def test_hours_are_asked_on_in_spanish(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("¿abren los sábados?")
    assert "24 de diciembre" in await line.say("¿y en nochebuena?")
    assert "08:00 a 18:00" in await line.say("hasta qué hora están hoy")


@CHANNELS
async def test_until_when_after_the_hours(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("are you open now")
    assert "to 18:00" in await line.say("until when")
    assert "Tuesday 24 November" in await line.say("and tomorrow")


@CHANNELS
@pytest.mark.parametrize(
    ("first", "then", "told"),
    [
        ("price for emergency call out at night", "and sunday?", "£140"),
        ("how much do you charge on a sunday?", "and on a tuesday", "£95"),
        ("cuánto cuesta una visita el sábado", "y el domingo", "£140"),
    ],
)
async def test_a_price_is_asked_on_of_another_day(
    monday: datetime, record: None, channel: str, first: str, then: str, told: str
) -> None:
    line = await on(channel)
    await line.say(first)
    assert told in await line.say(then)
    assert not (await line.conversation()).form_state.get("form")


async def test_a_yes_with_a_day_takes_the_visit_that_was_offered(monday: datetime, record: None, chat: Line) -> None:
    await chat.say("how much do you charge on a sunday?")
    assert "postcode" in await chat.say("yes on monday")


@CHANNELS
async def test_the_link_is_that_of_what_was_answered(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("how do i pay my bill")
    said = await line.say("can you send me the link")
    assert "refund" not in said
    assert "shall I send it" in said if channel == "chat" else "The link" in said or "sent you the link" in said


@CHANNELS
@pytest.mark.parametrize(
    "asked", ["what's the earliest you could come for a leaky pipe", "how soon can someone get here for a dripping tap"]
)
async def test_who_asks_how_soon_somebody_comes_wants_a_visit(monday: datetime, record: None, channel: str, asked: str) -> None:
    line = await on(channel)
    assert "What is the postcode" in await line.say(asked)
    assert "These times are free" in await line.say("HB1 4QT")


@CHANNELS
@pytest.mark.parametrize(
    "asked", ["hi can i check what time you're coming tomorrow", "what time are you coming on tuesday please", "a qué hora vienen mañana"]
)
async def test_when_somebody_comes_is_looked_up(monday: datetime, record: None, channel: str, asked: str) -> None:
    line = await on(channel)
    said = await line.say(asked)
    assert "once I know that it is you" in said or "en cuanto sepa que es usted" in said


@CHANNELS
async def test_who_asks_to_be_heard_is(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "Yes, I" in await line.say("hello can you hear me")
    await line.say("I need a boiler service")
    said = await line.say("can you hear me?")
    assert "Yes, I" in said
    assert "What is the postcode" in said
    assert "What is the postcode" in await line.say("sorry I can't hear you")


@CHANNELS
async def test_what_was_not_heard_first_is_said_again(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "AI assistant" in await line.say("sorry can you say that again")


@CHANNELS
@pytest.mark.parametrize(
    "words",
    ["I want to leave a review, your engineer Gwen was fantastic", "the lad who came was very helpful", "el técnico fue muy amable"],
)
async def test_praise_is_no_complaint(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    said = await line.say(words)
    assert "good to hear" in said or "me alegra" in said
    assert (await line.conversation()).reason is None
    assert not await Handoff.objects.aexists()


@CHANNELS
@pytest.mark.parametrize(
    "words",
    ["your engineer never put the cover back on my boiler", "estoy muy enfadado, es la tercera vez que llamo y nadie me hace caso"],
)
async def test_what_was_done_badly_is_a_complaint(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    await line.say(words)
    reason = (await line.conversation()).reason
    assert reason is not None
    assert reason.code == "complaint"
    assert await Handoff.objects.aexists()


@CHANNELS
@pytest.mark.parametrize("words", ["me llamo Rosa, se me ha roto el grifo de la cocina", "se me ha estropeado la ducha"])
async def test_what_is_broken_in_spanish_is_a_repair(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    assert "código postal" in await line.say(words)


async def test_the_price_of_what_was_booked(monday: datetime, record: None, chat: Line) -> None:
    """It is told, and no visit is offered that there is already."""
    for said in ("se me ha atascado el váter", "HB1 4QT", "la primera", "Ana Ruiz", "07700 900123"):
        await chat.say(said)
    assert "120" in (priced := await chat.say("y cuánto me va a costar"))
    assert "reserve una visita" not in priced


@CHANNELS
async def test_a_call_this_afternoon_in_spanish(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "hoy, lunes 23 de noviembre" in await line.say("¿me pueden llamar esta tarde? al 07700 900333")


@CHANNELS
async def test_an_hour_alone_is_one_of_today(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "today, Monday 23 November, at 17:00" in await line.say("can you ring me at 5 on 07700 900333")


async def test_who_cannot_pay_yet_in_spanish_promises(monday: datetime, record: None, chat: Line) -> None:
    assert "en cuanto sepa que es usted" in await chat.say("no puedo pagar hasta final de mes")


@CHANNELS
@pytest.mark.parametrize(
    ("begins", "then", "email", "sent"),
    [
        ("i want to cancel my visit", "i cant make it that day", "sam@example.com", "is on its way"),
        ("necesito cambiar la cita que tengo", "no puedo ese día", "mi correo es rosa@example.com", "Le llegará un código"),
    ],
)
async def test_who_cannot_come_that_day_can_get_a_code(
    monday: datetime, record: None, channel: str, begins: str, then: str, email: str, sent: str
) -> None:
    line = await on(channel)
    await line.say(begins)
    await line.say(then)
    assert sent in await line.say(email)


async def test_a_need_beside_a_yes_is_no_wish_for_a_person(monday: datetime, record: None, chat: Line) -> None:
    await chat.say("how do i get a quote for a new boiler")
    await chat.say("do you know the moon")
    await chat.say("ok can someone come and give me a quote")
    assert not await Handoff.objects.aexists()
