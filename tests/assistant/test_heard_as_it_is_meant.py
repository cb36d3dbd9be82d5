"""What is said in everyday words is heard as it is meant: numbers, days, who is at home, what works and what does not."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import Booking, Handoff
from conversations.understanding.danger import read_at_risk, read_urgency
from conversations.understanding.dates import find_date
from conversations.understanding.languages import read_language
from conversations.understanding.normalise import meaning
from tests.assistant.conftest import MONDAY
from tests.assistant.test_danger import queue_of_the_handoff
from tests.assistant.test_several_needs import on

BOTH = pytest.mark.parametrize("channel", ["chat", "voice"])


def test_one_letter_decides_no_language() -> None:
    assert read_language("o seven seven double o nine hundred one two three").language == ""
    assert read_language("o double o o").language == ""
    assert read_language("a las 9 o a las 10").language == "es"


async def test_a_phone_number_with_o_for_zero_is_heard_in_english(monday: datetime, record: None) -> None:
    line = await on("voice")
    for words in ("I need to rearrange my visit", "I haven't got the reference", "my name's John Smith"):
        await line.say(words)
    said = await line.say("o seven seven double o nine hundred one two three")
    conversation = await line.conversation()
    assert conversation.language != "es", said
    assert conversation.facts["phone"]["value"] == "+447700900123"


@BOTH
@pytest.mark.parametrize(
    "words", ["can someone come wed morning, no heating", "no heating, i am in wed 10 to 12", "no heating, any chance of wed at 10"]
)
async def test_a_short_day_beside_a_part_of_it_or_an_hour_is_a_day(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    await line.say(words)
    said = await line.say("HB3 1AB")
    assert "Wednesday 25 November" in said
    assert "Tuesday" not in said


@pytest.mark.parametrize(("words", "day"), [("can you come sat", 28), ("thurs or sat", 26), ("are you open sun", 29)])
def test_a_short_day_at_the_end_is_a_day(words: str, day: int) -> None:
    found = find_date(words, now=MONDAY)
    assert found is not None
    assert found.day.day == day


@pytest.mark.parametrize("words", ["we sat in the sun and waited", "she wed a plumber", "the sun at noon"])
def test_words_that_only_look_like_days_are_none(words: str) -> None:
    assert find_date(words, now=MONDAY) is None


@BOTH
@pytest.mark.parametrize(
    "words",
    [
        "no hot water and my little one is 5 weeks",
        "we have twins, 4 months, and the heating wont come on",
        "estamos sin calefaccion con dos niños pequeños",
        "my mum is old and heating is off",
        "i have asthma and theres no heating",
        "my boy is 3 and heating is broke",
    ],
)
async def test_who_is_endangered_by_the_cold_in_everyday_words(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    await line.say(words)
    assert await queue_of_the_handoff() == "urgent"


@pytest.mark.parametrize(
    "words", ["heating broken, house is 82 years old", "no heating in an 80 year old house", "no heating, my daughter is 2 minutes away"]
)
async def test_an_old_house_is_nobody_old(monday: datetime, record: None, words: str) -> None:
    line = await on("chat")
    assert "postcode" in await line.say(words)


def test_an_old_house_hides_nobody_old() -> None:
    assert read_at_risk(meaning("the house is 80 years old and my father is 88")) == "father is 88"


@BOTH
@pytest.mark.parametrize(
    "words",
    [
        "me cae agua del vecino por el techo",
        "theres a leak in my kitchen ceiling and its getting bigger",
        "hay una fuga en el techo y cada vez es más grande",
    ],
)
async def test_water_from_above_that_grows_or_has_a_source_is_a_danger(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    said = await line.say(words)
    assert await queue_of_the_handoff() == "urgent"
    assert "?" not in said


def test_low_pressure_that_gets_worse_is_no_danger() -> None:
    assert read_urgency(meaning("the water pressure in the shower upstairs is getting worse")) == "high"


@BOTH
@pytest.mark.parametrize("words", ["do you do emergency plumbing", "do you offer emergency repairs"])
async def test_whether_there_is_help_in_an_emergency_is_a_question(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    said = await line.say(words)
    assert "24 hours" in said or "day and night" in said
    assert not await Handoff.objects.aexists()


def test_an_emergency_behind_the_question_is_one() -> None:
    assert read_urgency(meaning("do you do emergency plumbing, it is an emergency")) == "emergency"
    assert read_urgency(meaning("do you do emergency plumbing? there's a burst pipe")) == "emergency"


@BOTH
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("hot water but no heating", "no_heating"),
        ("hot water fine but heating wont come on", "no_heating"),
        ("no heating but the hot water works", "no_heating"),
        ("tengo agua caliente pero no calefacción", "no_heating"),
        ("tengo agua caliente pero los radiadores están fríos", "no_heating"),
        ("heating works fine but no hot water", "no_hot_water"),
        ("no hot water but the heating is ok", "no_hot_water"),
    ],
)
async def test_what_works_is_not_the_need(monday: datetime, record: None, channel: str, words: str, reason: str) -> None:
    line = await on(channel)
    await line.say(words)
    found = (await line.conversation()).reason
    assert found is not None
    assert found.code == reason


@BOTH
@pytest.mark.parametrize("words", ["can we do the same time next week instead", "could you move it to the same time the week after"])
async def test_the_same_time_of_another_week(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    await line.say("boiler service please")
    await line.say("HB1 4QT")
    await line.say("tuesday")
    for told in ("the first one", "Sam Okafor", *(["07700 900123"] if channel == "chat" else [])):
        await line.say(told)
    said = await line.say(words)
    assert "Tuesday 1 December, 08:00 to 10:00 is free" in said
    await line.say("yes")
    assert (await Booking.objects.aget()).window.lower.isoformat().startswith("2026-12-01T08:00")


@BOTH
@pytest.mark.parametrize(
    "words",
    [
        "can i have a call at 10 tomorrow",
        "someone to call me please its about my bill",
        "i'd like a phone call about my bill",
        "call me when you can 07700 900444",
    ],
)
async def test_a_call_later_is_promised_however_it_is_asked_for(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    said = await line.say(words)
    assert "shall we call" in said or "We will call" in said
    if "On which day" in said:
        await line.say("07700 900123")
        said = await line.say("tomorrow 10ish")
    elif channel == "chat":
        said = await line.say("07700 900123")
    assert "at 10:00. Is that right?" in said
    assert "A colleague will call you" in await line.say("yes")


@pytest.mark.parametrize("words", ["i need a call out tomorrow", "my boiler needs a call-out at 10 tomorrow"])
async def test_a_call_out_is_no_call(monday: datetime, record: None, words: str) -> None:
    line = await on("chat")
    assert "call you" not in await line.say(words)


@BOTH
@pytest.mark.parametrize("words", ["hello can I just check when the engineer is coming tomorrow", "what time is he coming on friday"])
async def test_when_somebody_comes_on_a_day_ahead_is_looked_up(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    assert "once I know that it is you" in await line.say(words)
    conversation = await line.conversation()
    assert conversation.reason is None
    assert conversation.urgency == "normal"
    assert not await Handoff.objects.aexists()
