"""What was said before is put right in a few words, at any step, and the read-back shows it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from conversations.models import Booking
from conversations.understanding import corrections
from tests.assistant.conftest import Line
from tests.assistant.test_several_needs import on


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_day_hour_and_place_in_the_list_before_it_is_booked(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("I'd like to book a boiler service at HB1 4QT")
    assert "Tuesday 24" in await line.say("Tuesday")
    assert "name" in await line.say("make that two")
    assert "Wednesday 25 November, 08:00" in await line.say("no, Wednesday")
    assert "name" in await line.say("the first")
    assert "Wednesday 25 November, 10:00 to 12:00 is free" in await line.say("actually 11 please")
    await line.say("yes")
    said = await line.say("Sam Okafor")
    if channel == "chat":
        assert "name Sam Okoro." in await line.say("sorry, it's Sam Okoro not Okafor")
        said = await line.say("07700 900123")
    assert "Wednesday 25 November, 10:00 to 12:00" in said
    assert (await Booking.objects.aget()).name == ("Sam Okoro" if channel == "chat" else "Sam Okafor")


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_the_weekday_of_today_is_next_weeks_when_nothing_of_today_is_on_offer_for_it(record: None, channel: str) -> None:
    """Late on a Friday morning: this afternoon is free, and so is next Friday's morning."""
    with time_machine.travel(datetime(2026, 11, 27, 9, 30, tzinfo=UTC), tick=True):
        line = await on(channel)
        assert "Friday 27 November, 12:00" in await line.say("I'd like to book a boiler service at HB1 4QT")
        assert "Friday 4 December, 08:00" in await line.say("Friday morning")
        assert "Wednesday 2 December, 08:00" in await line.say("no, Wednesday morning")
        assert "Friday 4 December, 08:00" in await line.say("no, Friday morning")
        assert "Friday 4 December, 08:00" in await line.say("Friday morning")
        assert "name" in await line.say("the first one")


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_the_weekday_of_today_is_todays_when_it_is_on_offer(record: None, channel: str) -> None:
    with time_machine.travel(datetime(2026, 11, 27, 9, 30, tzinfo=UTC), tick=True):
        line = await on(channel)
        await line.say("I'd like to book a boiler service at HB1 4QT")
        assert "Friday 27 November, 12:00" in await line.say("Friday afternoon")


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_after_it_was_booked(monday: datetime, record: None, channel: str) -> None:
    """Day and hour move the visit; another address is another visit, which is said and offered."""
    line = await on(channel)
    await line.say("I'd like to book a boiler service at HB1 4QT, my name is Sam Okafor, my number is 07700 900123")
    await line.say("the first")
    assert "in the name of Sam Okoro" in await line.say("sorry, it's Okoro not Okafor")
    assert "Friday 27" in await line.say("no, Friday")
    assert "is now on Friday 27" in await line.say("the first one")
    assert "14:00 to 16:00" in await line.say("actually 3 pm please")
    await line.say("yes")
    said = await line.say("sorry, it's HB2 not HB1")
    assert "postcode HB2 4QT" in said
    assert "Shall I book it there?" in said
    assert "free" in await line.say("yes")


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_a_number_in_a_story(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("I'd like a quote please")
    await line.say("New radiators at 21 Mill Lane, 3 of them")
    said = await line.say("sorry, it's 12 not 21 Mill Lane")
    assert "at 12 Mill Lane, 3 of them" in said
    assert "postcode" in said
    assert "at 12 Mill Lane, 2 of them" in await line.say("make that two")


async def test_at_the_confirmation(monday: datetime, record: None) -> None:
    """What is read back is read back anew, and done as it is then; a cancellation can become a move."""
    call = await on("voice")
    assert "Tuesday 24 November, at 10:00" in await call.say("please call me back on Tuesday at 10")
    assert "Wednesday 25 November, at 10:00" in await call.say("no, Wednesday")
    assert "Wednesday 25 November, at 11:00. Is that right?" in await call.say("actually 11 please")
    assert "at 11:00" in await call.say("yes")
    chat = Line()
    await chat.say("I'd like to book a boiler service at HB1 4QT, my name is Sam Okafor, my number is 07700 900123")
    await chat.say("the first")
    assert "Shall I cancel" in await chat.say("I want to cancel my visit")
    assert "When would suit you better?" in await chat.say("no, I'd rather move it")
    assert "Tuesday 24" in await chat.say("Tuesday")


@pytest.mark.parametrize(
    ("text", "known", "right"),
    [
        ("it's 12 not 21 Mill Lane", {"address": "21 Mill Lane"}, {"address": "12 Mill Lane"}),
        ("it's 12 not 21", {"address": "21 Mill Lane", "details": "taps at 21 Mill Lane"},
         {"address": "12 Mill Lane", "details": "taps at 12 Mill Lane"}),
        ("not 21 but 12", {"address": "21 Mill Lane"}, {"address": "12 Mill Lane"}),
        ("twelve not twenty one mill lane", {"address": "21 Mill Lane"}, {"address": "12 Mill Lane"}),
        ("it's Sam Okoro not Okafor", {"name": "Sam Okafor"}, {"name": "Sam Okoro"}),
        ("Okoro, not Okafor", {"postcode": "HB1 4QT", "name": "Sam Okafor"}, {"name": "Sam Okoro"}),
        ("make that two please", {"details": "3 taps", "other": "4 taps"}, {"details": "2 taps"}),
        ("it's 5 not 9", {"address": "21 Mill Lane"}, {}),
        ("it is not working", {"details": "it is working"}, {}),
        ("I am not at home", {"name": "home"}, {}),
        ("make that two", {"name": "Sam"}, {}),
    ],
)  # fmt: skip
def test_what_is_put_right(text: str, known: dict[str, str], right: dict[str, str]) -> None:
    assert corrections.put_right(text, known) == right


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("actually 11 please", "11"), ("no, at 3 pm", "3 pm"), ("make it 10:30", "10:30"), ("11", ""), ("no", ""),
        ("actually I have 11 radiators", ""),
    ],
)  # fmt: skip
def test_an_hour_in_the_place_of_another(text: str, hour: str) -> None:
    assert corrections.hour(text) == hour


@given(st.text(max_size=300), st.dictionaries(st.text(max_size=8), st.text(max_size=60), max_size=3))
def test_any_text_puts_right_known_facts_alone(text: str, known: dict[str, str]) -> None:
    assert corrections.put_right(text, known).keys() <= known.keys()
    corrections.hour(text)
