"""A week that was named, and the days that are named after it."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import Booking
from tests.assistant.conftest import Line
from tests.assistant.test_several_needs import on

CHANNELS = pytest.mark.parametrize("channel", ["chat", "voice"])


@CHANNELS
@pytest.mark.parametrize(
    ("said", "day"),
    [
        (["book a boiler service HB1 4QT", "next week", "tuesday"], "Tuesday 1 December"),
        (["id like a boiler service next week please", "HB1 4QT"], "Monday 30 November"),
        (["id like a boiler service next week please", "HB1 4QT", "tuesday morning"], "Tuesday 1 December"),
        (["boiler service HB1 4QT", "not this week, next week", "wednesday"], "Wednesday 2 December"),
        (["boiler service HB1 4QT", "the week after next", "wednesday"], "Wednesday 9 December"),
        (["boiler service HB1 4QT friday next week"], "Friday 4 December"),
        (["boiler service HB1 4QT next week, ideally thursday"], "Thursday 3 December"),
        (["boiler service in two weeks time please HB1 4QT", "monday"], "Monday 7 December"),
        (["boiler service HB1 4QT", "next week", "this thursday"], "Thursday 26 November"),
        (["quiero una revisión de la caldera HB1 4QT", "la semana que viene", "el martes"], "martes 1 de diciembre"),
        (["quiero una revisión de la caldera HB1 4QT", "el viernes de la semana que viene"], "viernes 4 de diciembre"),
    ],
)
async def test_a_weekday_is_of_the_week_that_was_named(monday: datetime, record: None, channel: str, said: list[str], day: str) -> None:
    line = await on(channel)
    answer = [await line.say(words) for words in said][-1]
    assert day in answer


async def booked_on(line: Line, *said: str) -> None:
    """Books a boiler service as the words say, until it is booked."""
    for words in ("boiler service HB1 4QT", *said, "Sam Okafor", "07700 900123"):
        if not await Booking.objects.aexists():
            await line.say(words)


@CHANNELS
async def test_a_visit_is_moved_to_the_week_that_is_named(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await booked_on(line, "tuesday", "the first one")
    assert "Monday 30 November" in await line.say("can you move it to next week")
    assert "Tuesday 1 December" in await line.say("tuesday")
    assert "now on Tuesday 1 December" in await line.say("the first one")


@CHANNELS
@pytest.mark.parametrize(
    ("moved", "day"), [("can you move it to the week after", "Monday 30 November"), ("can i move it a day later", "Friday 27 November")]
)
async def test_a_visit_is_moved_from_where_it_is(monday: datetime, record: None, channel: str, moved: str, day: str) -> None:
    line = await on(channel)
    await booked_on(line, "thursday", "the first one")
    assert day in await line.say(moved)


async def test_what_was_booked_ends_the_week(monday: datetime, record: None, chat: Line) -> None:
    """A day that is named for something else is the next such day again."""
    await booked_on(chat, "next week", "the first one")
    assert "Tuesday 24 November" in await chat.say("call me on tuesday at ten about my bill, 07700 900333")


@CHANNELS
async def test_a_call_is_promised_in_the_week_that_was_named(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    for words in ("call me next week please on 07700 900333", "tuesday"):
        await line.say(words)
    assert "Tuesday 1 December, at 10:00" in await line.say("10am")


@CHANNELS
@pytest.mark.parametrize("words", ["any time", "i dont mind", "whatever is easiest", "you choose", "me da igual"])
async def test_who_leaves_it_to_us_gets_the_first(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    await line.say("boiler service HB1 4QT" if words != "me da igual" else "quiero una revisión de la caldera HB1 4QT")
    await line.say("thursday" if words != "me da igual" else "el jueves")
    said = await line.say(words)
    assert "08:00" in said
    assert "10:00 to 12:00" not in said


@CHANNELS
@pytest.mark.parametrize(
    ("wants", "day", "refuses", "asks"),
    [
        ("boiler service HB1 4QT", "thursday", "I can't make it", "Which other day or time"),
        ("quiero una revisión de la caldera HB1 4QT", "el jueves", "no puedo a esa hora", "¿Qué otro día u otra hora"),
    ],
)
async def test_who_cannot_come_then_is_asked_for_another_time(
    monday: datetime, record: None, channel: str, wants: str, day: str, refuses: str, asks: str
) -> None:
    line = await on(channel)
    await line.say(wants)
    await line.say(day)
    assert asks in await line.say(refuses)
