"""A visit is booked for what the customer says, however and whenever they say it."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import Booking
from tests.assistant.test_several_needs import book, on

BOTH = pytest.mark.parametrize("channel", ["chat", "voice"])


@BOTH
@pytest.mark.parametrize(
    ("words", "service"),
    [
        ("hi can i get a boiler service next week, HB1 4QT", "Boiler service"),
        ("can you come to HB1 4QT tomorrow to fix a leaky tap", "Repair visit"),
        ("can I get a plumber round on wednesday, HB1 4QT", "Repair visit"),
        ("pueden venir el jueves a hacer la revision de la caldera? HB1 4QT", "Boiler service"),
    ],
)
async def test_a_wish_with_a_postcode_asks_for_no_area(monday: datetime, record: None, channel: str, words: str, service: str) -> None:
    line = await on(channel)
    await line.say(words)
    assert (await line.conversation()).form_state.get("service") == service
    assert (await line.conversation()).form_state.get("offered")


@BOTH
async def test_what_was_said_before_a_yes_is_what_the_visit_is_for(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "we come to HB1 4QT" in await line.say("do you come to HB1 4QT for a boiler service")
    assert "What is the visit for?" not in await line.say("yes")
    assert (await line.conversation()).form_state.get("service") == "Boiler service"


@BOTH
async def test_a_day_does_not_say_what_a_visit_is_for(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("do you come to HB1 4QT?")
    assert "What is the visit for?" in await line.say("yes")
    assert "What is the visit for?" in await line.say("thursday")
    said = await line.say("a boiler service")
    assert (await line.conversation()).form_state.get("service") == "Boiler service"
    assert "Thursday 26 November" in said


@BOTH
@pytest.mark.parametrize(
    ("words", "service"),
    [
        ("Hi, I need a landlord gas certificate for a flat I rent out", "Landlord gas safety check"),
        ("i need a gas safety certificate", "Landlord gas safety check"),
        ("can I get a CP12 certificate done", "Landlord gas safety check"),
        ("necesito un certificado de gas", "Landlord gas safety check"),
        ("boiler service and gas safety certificate please", "Boiler service with gas safety check"),
        ("I need my gas boiler serviced", "Boiler service"),
        ("yearly boiler check please", "Boiler service"),
        ("la caldera lleva 2 meses sin funcionar", "No heating"),
    ],
)
async def test_one_reason_stands_for_several_services(monday: datetime, record: None, channel: str, words: str, service: str) -> None:
    line = await on(channel)
    await line.say(words)
    await book(line)
    assert [each.service async for each in Booking.objects.all()] == [service]


@BOTH
@pytest.mark.parametrize(
    ("asked", "told", "service"),
    [
        ("hello I'd like to make an appointment please", "it's for my boiler it needs its annual service", "Boiler service"),
        ("i want to book an appointment", "for a blocked toilet", "Blocked drain or toilet"),
        ("book me in for tomorrow", "boiler service", "Boiler service"),
        ("quiero pedir una cita", "es para la revision de la caldera", "Boiler service"),
        ("power flush how much", "book that for next wednesday", "Power flush"),
        ("how much is a power flush", "can someone come on wednesday for that", "Power flush"),
        ("quiero pedir cita para una revisión", "gracias", "Boiler service"),
        ("my tap is dripping, can I book a visit", "my boiler is fine", "Repair visit"),
    ],
)
async def test_what_is_told_after_the_wish_reaches_the_booking(
    monday: datetime, record: None, channel: str, asked: str, told: str, service: str
) -> None:
    line = await on(channel)
    await line.say(asked)
    await line.say(told)
    await book(line)
    assert [each.service async for each in Booking.objects.all()] == [service]


@BOTH
async def test_what_it_is_for_may_be_told_when_times_are_offered(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("i want to book an appointment")
    await line.say("HB1 4QT")
    assert "which of the times I named suits you?" in await line.say("it's for a boiler service")
    assert (await line.conversation()).form_state.get("service") == "Boiler service"


@BOTH
@pytest.mark.parametrize(
    ("words", "service"),
    [
        ("can you repair my boiler please", "Plumber or heating engineer call-out"),
        ("pueden arreglar mi caldera?", "Plumber or heating engineer call-out"),
        ("are you able to fix a leaking shower", "Repair visit"),
        ("can u sort my blocked loo", "Clearing a blocked drain"),
    ],
)
async def test_work_that_is_wished_for_begins_a_visit(monday: datetime, record: None, channel: str, words: str, service: str) -> None:
    line = await on(channel)
    await line.say(words)
    assert (await line.conversation()).form_state.get("service") == service


@BOTH
@pytest.mark.parametrize(("words", "offered"), [("do you repair boilers?", "Shall I book"), ("arreglan calderas?", "una visita?")])
async def test_whether_we_do_some_work_is_told_with_its_price(
    monday: datetime, record: None, channel: str, words: str, offered: str
) -> None:
    line = await on(channel)
    said = await line.say(words)
    assert "95" in said
    assert offered in said


@BOTH
@pytest.mark.parametrize("words", ["can you fix my car", "can you look at my radiator"])
async def test_what_is_on_no_list_begins_no_visit(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    assert "postcode" not in await line.say(words)
