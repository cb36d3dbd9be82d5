"""What is told of a visit reaches whoever goes there: the name, the street, another time, a call before; and what is of a call does not."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import ActionItem, Booking
from tests.assistant.conftest import Line
from tests.assistant.test_several_needs import on

BOTH = pytest.mark.parametrize("channel", ["chat", "voice"])


async def begun(channel: str, *words: str) -> Line:
    """A line on which a boiler service is being booked, after some words more."""
    line = await on(channel)
    for each in ("book a boiler service", *words):
        await line.say(each)
    return line


async def booked(channel: str, *words: str) -> Line:
    """A line on which one was booked."""
    line = await begun(channel, "HB2 4QT", *words, "the first", "Sam Hill")
    if not await Booking.objects.aexists():
        await line.say("07700 900123")
    return line


async def titles() -> list[str]:
    """What is noted for people, without references."""
    return [item.title.partition(": ")[2] async for item in ActionItem.objects.order_by("pk")]


@BOTH
@pytest.mark.parametrize("name", ["Jon Smyth", "Maria Lopez", "peter brown"])
async def test_a_name_told_where_the_postcode_is_asked_is_kept(monday: datetime, record: None, channel: str, name: str) -> None:
    line = await begun(channel)
    said = await line.say(name)
    assert f"name {name.title()}" in said
    assert "postcode" in said
    await line.say("HB2 4QT")
    said = await line.say("the first")
    assert "What name" not in said
    assert (await line.conversation()).facts["name"]["value"] == name.title()


@BOTH
@pytest.mark.parametrize("words", ["Market Weston", "Mill Hill", "Gullhaven"])
async def test_a_town_told_where_the_postcode_is_asked_is_no_name(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await begun(channel)
    await line.say(words)
    assert "name" not in (await line.conversation()).facts


@BOTH
@pytest.mark.parametrize(
    ("words", "address"),
    [("my address is 14 Mill Lane HB2 4QT and I'd like a boiler service", "14 Mill Lane"),
     ("I need a boiler service at HB2 4QT, 14 Mill Lane", "14 Mill Lane")],
)  # fmt: skip
async def test_an_address_ends_where_something_else_begins(
    monday: datetime, record: None, channel: str, words: str, address: str
) -> None:
    line = await on(channel)
    said = await line.say(words)
    assert f"postcode HB2 4QT and address {address}." in said
    assert "These times are free" in said


@BOTH
async def test_a_spelled_postcode_and_a_house_are_two_things(monday: datetime, record: None, channel: str) -> None:
    line = await begun(channel)
    assert "postcode HB2 4QT and address 14 Mill Lane" in await line.say("H B two four Q T, fourteen Mill Lane")


@BOTH
@pytest.mark.parametrize("street", ["14 Mill Lane", "14 The Elms"])
async def test_a_street_told_before_is_noted_for_the_visit(monday: datetime, record: None, channel: str, street: str) -> None:
    """Where a time is asked for, its number is no hour, and told once more it is no wrong answer."""
    line = await begun(channel, "HB2 4QT")
    said = await line.say(street)
    assert f"address {street}" in said
    assert "I take" not in said
    assert "I did not get" not in await line.say(street)
    for each in ("the first", "Sam Hill", "07700 900123"):
        if not await Booking.objects.aexists():
            await line.say(each)
    assert f"“address {street}”" in line.last.body
    assert await titles() == [f"address {street}"]


@BOTH
async def test_a_street_told_afterwards_is_noted_for_the_visit(monday: datetime, record: None, channel: str) -> None:
    """That of another visit, at another postcode, is not taken from it."""
    line = await booked(channel)
    visit = await Booking.objects.aget()
    said = await line.say("my address is 14 Mill Lane")
    assert f"I have noted for your visit {visit.reference}: “address 14 Mill Lane”." in said
    for each in ("book a tap repair at HB1 4QT", "the first"):
        await line.say(each)
    assert await Booking.objects.acount() == 2
    assert await titles() == ["address 14 Mill Lane"]


@BOTH
async def test_another_of_the_times_is_taken_while_the_name_is_asked(monday: datetime, record: None, channel: str) -> None:
    line = await begun(channel, "HB2 4QT", "the first")
    assert "I take Monday 23 November, 14:00 to 16:00." in await line.say("no wait make it the second one")


@BOTH
async def test_a_time_later_that_day_is_offered_before_the_visit_is_booked(monday: datetime, record: None, channel: str) -> None:
    line = await begun(channel, "HB2 4QT", "friday", "the first")
    said = await line.say("can it be later that day")
    assert "Friday 27 November, 10:00 to 12:00" in said
    assert "08:00" not in said
    reason = (await line.conversation()).reason
    assert reason is not None
    assert reason.code == "boiler_service_booking"
    assert "I take Friday 27 November, 12:00 to 14:00." in await line.say("the second")


@BOTH
@pytest.mark.parametrize("words", ["change the address to 16 Mill Lane", "change the adress to 16 Mill Lane"])
async def test_the_address_is_changed_while_the_name_is_asked(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await begun(channel, "HB2 4QT", "my address is 14 Mill Lane", "the first")
    said = await line.say(words)
    assert "changed that: address 16 Mill Lane" in said
    assert "What name" in said
    reason = (await line.conversation()).reason
    assert reason is not None
    assert reason.code == "boiler_service_booking"


@BOTH
async def test_wrong_answers_come_to_an_end(monday: datetime, record: None, channel: str) -> None:
    """After three a person is offered, and after each one more; what is understood in between begins anew."""
    line = await begun(channel, "HB2 4QT", "the first")
    for each in ("whatever", "whatever"):
        assert "I did not get that" in await line.say(each)
    assert "Shall I pass you to a person?" in await line.say("whatever")
    assert "I did not get that" not in await line.say("whatever")


@BOTH
@pytest.mark.parametrize(
    "words",
    ["can I have the engineer ring me before", "have the engineer ring me before he comes", "ring me half an hour before you come",
     "can the engineer text me when he sets off"],
)  # fmt: skip
async def test_a_call_before_the_engineer_comes_is_noted_for_the_visit(
    monday: datetime, record: None, channel: str, words: str
) -> None:
    line = await booked(channel)
    assert "I have noted for your visit" in await line.say(words)
    assert await titles() == [words]
    assert "You are welcome" in await line.say("cheers thats all")
    assert await Booking.objects.acount() == 1


@BOTH
async def test_a_call_before_is_kept_beside_the_time(monday: datetime, record: None, channel: str) -> None:
    line = await begun(channel, "HB2 4QT")
    said = await line.say("tomorrow at ten, but call me before")
    assert "I keep that for your visit" in said
    assert "Tuesday 24 November, 10:00 to 12:00" in said


@BOTH
@pytest.mark.parametrize("words", ["which number will the engineer call me on", "when is the engineer coming"])
async def test_what_is_asked_of_a_visit_is_no_note(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await booked(channel)
    await line.say(words)
    assert await titles() == []


@BOTH
async def test_another_day_while_the_name_is_asked_is_no_other_reason(monday: datetime, record: None, channel: str) -> None:
    line = await begun(channel, "HB2 4QT", "the first")
    assert "Thursday 26 November, 08:00 to 10:00" in await line.say("can it be thursday instead")
    reason = (await line.conversation()).reason
    assert reason is not None
    assert reason.code == "boiler_service_booking"


@BOTH
async def test_the_day_of_a_call_is_no_wish_for_a_visit(monday: datetime, record: None, channel: str) -> None:
    """Put aside or promised, until it is said again."""
    line = await on(channel)
    await line.say("can you ring me on thursday at 10")
    assert "put the call back aside" in await line.say("book me a boiler service")
    said = await line.say("HB2 4QT")
    assert "Nothing is free" not in said
    assert "Thursday" not in said
    assert "Thursday 26 November, 10:00 to 12:00" in await line.say("thursday at 10")
