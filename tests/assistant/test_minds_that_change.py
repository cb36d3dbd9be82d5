"""Customers who drop what they began, answer something else than was asked, or take an offer by telling where and when."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import Booking, Entry
from tests.assistant.conftest import Line
from tests.assistant.test_identifying import answers, jane_is_known_by, known_jane
from tests.assistant.test_several_needs import on

BOTH = pytest.mark.parametrize("channel", ["chat", "voice"])


async def at_the_questions(channel: str, wish: str = "I want to cancel my visit") -> Line:
    """A line on which no code can be sent, so that a name is asked for to show who they are."""
    line = await on(channel)
    await line.say(wish)
    assert "full name" in await line.say("I have no email or phone")
    return line


@BOTH
async def test_what_was_begun_is_dropped_for_something_else_in_one_breath(monday: datetime, record: None, channel: str) -> None:
    line = await at_the_questions(channel)
    said = await line.say("never mind, just the price of a new tap please")
    assert said.startswith("All right, I have stopped that.")
    assert "£110" in said
    assert "full name" not in said
    assert "postcode" in await line.say("yes")


@BOTH
async def test_a_visit_that_was_booked_before_is_not_forgotten_by_it(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    for words in ("I want a plumber on Tuesday", "HB2 3AB", "the first one", "Cate Moss", "07700 900562"):
        if not await Booking.objects.aexists():
            await line.say(words)
    await line.say("I would like to book a boiler service")
    assert "£110" in await line.say("never mind,   just the   price of a new tap please")
    assert (await Booking.objects.aget()).reference in await line.say("what day is my visit booked for?")
    assert (await Booking.objects.aget()).reference in await line.say("whats the ref")


@BOTH
async def test_a_question_is_no_answer_that_shows_who_they_are(monday: datetime, record: None, channel: str) -> None:
    """However often: the question that stands is asked again, and no try is used up."""
    line = await at_the_questions(channel)
    for _again in range(4):
        said = await line.say("how long will this take")
        assert "What is your full name?" in said
    assert "date of birth" in await line.say("Sam Okafor")
    said = await line.say("how long will this take")
    assert "date of birth" in said


async def test_no_code_is_wanted(monday: datetime, record: None, chat: Line) -> None:
    """“No code please” is no wish for another one."""
    await chat.say("I want to cancel my visit")
    await chat.say("sam@example.com")
    assert "full name" in await chat.say("no code please")
    sent = Entry.objects.filter(kind="tool.called", data__tool="verify_identity")
    assert await sent.acount() <= 2


@BOTH
async def test_an_offered_visit_is_taken_by_telling_where(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "Shall I book a visit" in await line.say("my boiler keeps losing pressure")
    assert "These times are free" in await line.say("HB1 4QT")


@BOTH
async def test_an_offered_visit_is_taken_by_telling_when(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "Shall I book a visit" in await line.say("how much is a boiler service")
    assert "What is the postcode" in await line.say("Tuesday morning")
    assert "Tuesday 24 November" in await line.say("HB1 4QT")


@BOTH
async def test_somebody_shall_come_about_what_an_article_explains(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "What is the postcode" in await line.say("my boiler keeps losing pressure, can someone come tomorrow")
    assert "Tuesday 24 November" in await line.say("HB1 4QT")


@BOTH
@pytest.mark.parametrize("words", ["whichever", "same as before", "as soon as possible", "you choose", "just the tap price"])
async def test_words_that_are_no_name_are_none(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    for said in ("I want a plumber on Tuesday", "HB2 3AB", "the first one"):
        await line.say(said)
    assert "What name" in await line.say(words)
    assert not await Booking.objects.aexists()
    await line.say("put it under Cate Moss")
    await line.say("07700 900562")
    assert (await Booking.objects.aget()).name == "Cate Moss"


@BOTH
@pytest.mark.parametrize("words", ["forget it", "stop", "cancel the call back", "never mind"])
async def test_a_call_that_is_read_back_is_given_up(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    await line.say("can somebody call me on Friday at 10")
    said = await line.say("07700 900333")
    assert "Is that right?" in said
    said = await line.say(words)
    assert "I have stopped that" in said
    assert "once I know that it is you" not in said
    assert not await Entry.objects.filter(kind="callback.requested").aexists()


@BOTH
async def test_a_call_is_not_read_back_for_a_time_when_nobody_is_there(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    said = await line.say("can somebody call me on Sunday at 10")
    assert "nobody is there" in said
    said = await line.say("Saturday at 16")
    assert "from 09:00 to 13:00" in said
    said = await line.say("Thursday at 10")
    assert "Thursday 26 November, at 10:00" in (said if channel == "voice" else await line.say("07700 900333"))


@BOTH
async def test_no_call_but_a_note(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("can somebody call me on Friday at 10")
    assert "What should we look into?" in await line.say("no I don't want a call, just write it down")


@BOTH
async def test_stop_after_something_was_dropped_ends_no_texts(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("can somebody call me on Friday at 10")
    await line.say("stop")
    await line.say("stop")
    assert not await Entry.objects.filter(kind__startswith="consent.").aexists()


@pytest.mark.parametrize("words", ["eh", "huh?", "sorry what did you just say", "pardon me"])
async def test_who_did_not_hear_hears_it_again(monday: datetime, record: None, words: str) -> None:
    line = await on("voice")
    price = await line.say("how much is a boiler service")
    assert await line.say(words) == price
    assert "I am listening" in await line.say("um")
    assert await line.say("pardon") == price


@BOTH
@pytest.mark.parametrize(
    ("asked", "told"), [("and for two boilers?", "Boiler service: £85"), ("how much for 2 taps", "£110"), ("how much for taps", "£110")]
)
async def test_the_price_of_several(monday: datetime, record: None, channel: str, asked: str, told: str) -> None:
    line = await on(channel)
    await line.say("how much is a boiler service")
    said = await line.say(asked)
    assert told in said
    assert "Care" not in said


async def test_what_a_cancellation_costs_cancels_nothing(monday: datetime, record: None, chat: Line) -> None:
    said = await chat.say("what happens if I cancel on the same day?")
    assert "£30" in said
    assert "code" not in said


@BOTH
async def test_what_they_told_is_told_back(monday: datetime, record: None, channel: str) -> None:
    """What the record says of them is not: they have not shown who they are."""
    line = await on(channel)
    await line.say("my number is 07700 900333")
    assert "07700 900333" in await line.say("what number did I give you?")
    assert "not told me that" in await line.say("which postcode did I tell you?")


@BOTH
async def test_the_day_named_at_first_is_offered_once_it_is_known_who_they_are(monday: datetime, record: None, channel: str) -> None:
    """And the reference, where they have more than one visit."""
    reference = await known_jane()
    await jane_is_known_by(name="Jane Doe", postcode="HB14QT", date_of_birth="1980-05-17")
    line = await on(channel)
    wish = f"please move my visit {reference} to Friday"
    said = await answers(line, "Jane Doe", "HB1 4QT", "the seventeenth of May 1980", wish=wish)
    assert f"Your visit {reference}" in said
    assert "Friday 27 November" in said
    assert "When would suit you better?" not in said
