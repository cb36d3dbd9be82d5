"""Customers who name a week or a month first and a day of it afterwards: the day is one of that week, on whichever line they say it."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.assistant.conftest import Line
from tests.assistant.test_several_needs import on

CHANNELS = pytest.mark.parametrize("channel", ["chat", "voice"])


async def asked(channel: str, *said: str) -> str:
    """What the AI agent says to the last of several messages to it."""
    return await _last(await on(channel), *said)


async def _last(line: Line, *said: str) -> str:
    answer = ""
    for words in said:
        answer = await line.say(words)
    return answer


@CHANNELS
@pytest.mark.parametrize(
    ("said", "day"),
    [
        (("next week", "tuesday"), "Tuesday 1 December"),
        (("not this week, next week", "wednesday"), "Wednesday 2 December"),
        (("the week after next", "wednesday"), "Wednesday 9 December"),
        (("in two weeks", "thursday"), "Thursday 10 December"),
        (("next week", "or the week after that", "friday morning"), "Friday 11 December"),
        (("next week", "actually tomorrow"), "Tuesday 24 November"),
        (("next week", "tomorrow", "wednesday"), "Wednesday 25 November"),
        (("tuesday", "next week"), "Monday 30 November"),
        (("this week", "friday"), "Friday 27 November"),
        (("friday next week",), "Friday 4 December"),
        (("next week, on friday",), "Friday 4 December"),
        (("in january", "the 12th"), "Tuesday 12 January"),
        (("sometime in january", "a wednesday"), "Wednesday 6 January"),
        (("next month", "the fourteenth"), "Monday 14 December"),
        (("end of next week",), "Thursday 3 December"),
        (("a week on wednesday",), "Wednesday 2 December"),
        (("the week of 7 december", "thursday"), "Thursday 10 December"),
        (("the week commencing the 7th", "thursday"), "Thursday 10 December"),
    ],
)
async def test_a_day_is_one_of_the_week_that_was_named(
    monday: datetime, record: None, channel: str, said: tuple[str, ...], day: str
) -> None:
    assert f"{day}, 08:00" in await asked(channel, "book a boiler service HB1 4QT", *said)


@CHANNELS
@pytest.mark.parametrize(
    ("said", "day"),
    [
        (("la semana que viene", "el martes"), "martes 1 de diciembre"),
        (("el martes de la semana que viene",), "martes 1 de diciembre"),
        (("dentro de dos semanas", "el jueves"), "jueves 10 de diciembre"),
        (("la semana que viene", "mejor la semana siguiente"), "lunes 7 de diciembre"),
        (("la semana del 7 de diciembre", "el jueves"), "jueves 10 de diciembre"),
        (("en enero", "el 12"), "martes 12 de enero"),
        (("el mes que viene", "el catorce"), "lunes 14 de diciembre"),
    ],
)
async def test_in_spanish_too(monday: datetime, record: None, channel: str, said: tuple[str, ...], day: str) -> None:
    line = await on(channel)
    assert f"{day}, de 08:00" in await _last(line, "quiero reservar una revisión de la caldera en HB1 4QT", *said)


@CHANNELS
async def test_a_week_that_is_said_with_the_wish_is_kept_until_it_is_asked_for(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("I'd like a boiler service next week please")
    assert "Monday 30 November" in await line.say("HB1 4QT")
    assert "Tuesday 1 December, 08:00" in await line.say("tuesday morning")
    assert "Tuesday 1 December" in await line.say("the first one")


async def test_a_week_in_which_somebody_is_away_is_not_meant(monday: datetime, record: None) -> None:
    line = await on("chat")
    assert "Monday 7 December" in await line.say("I'm away next week so can someone service my boiler the week after, HB1 4QT")


async def booked(channel: str) -> Line:
    """A customer with a visit on Thursday 26 November at eight."""
    line = await on(channel)
    await line.say("book a boiler service HB1 4QT thursday 8 to 10, Ann Lee, 07700 900123")
    assert "is booked" in await line.say("yes")
    return line


@CHANNELS
@pytest.mark.parametrize(
    ("said", "day"),
    [
        (("can you move it to next week", "tuesday"), "is now on Tuesday 1 December"),
        (("can you move it to the week after", "wednesday"), "is now on Wednesday 2 December"),
        (("can i move it a day later",), "Friday 27 November"),
        (("can you move it to tuesday next week",), "Tuesday 1 December"),
        (("can you move it to a week later",), "Thursday 3 December"),
    ],
)
async def test_a_visit_is_moved_into_the_week_that_was_named(
    monday: datetime, record: None, channel: str, said: tuple[str, ...], day: str
) -> None:
    answer = await _last(await booked(channel), *said)
    assert day in answer
    assert "Monday 23 November" not in answer


@CHANNELS
async def test_so_is_a_promised_call(monday: datetime, record: None, channel: str) -> None:
    answer = await asked(channel, "call me next week please on 07700 900333", "tuesday", "10am")
    assert "Tuesday 1 December" in answer


async def test_the_week_of_a_call_is_none_of_a_visit(monday: datetime, record: None) -> None:
    line = await on("chat")
    await _last(line, "call me next week please on 07700 900333", "tuesday", "10am", "yes")
    answer = await _last(line, "book a boiler service HB1 4QT", "thursday")
    assert "Thursday 26 November" in answer
