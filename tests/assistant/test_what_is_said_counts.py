"""What a customer says counts as it was meant: times that they chose, names that they told, all that they want."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import Booking
from tests.assistant.conftest import Line
from tests.assistant.test_several_needs import on

BOTH = pytest.mark.parametrize("channel", ["chat", "voice"])


async def at_the_times(channel: str) -> Line:
    """A line on which a visit is being booked and times of this Monday are offered."""
    line = await on(channel)
    await line.say("I want to book a boiler service")
    assert "free: " in await line.say("HB1 2AB")
    return line


def offers(said: str) -> bool:
    return "free" in said and "I take" not in said


@BOTH
async def test_a_part_of_the_day_offers_what_is_free_in_it(monday: datetime, record: None, channel: str) -> None:
    line = await at_the_times(channel)
    assert "Wednesday 25 November, 08:00 to 10:00" in await line.say("no, wednesday")
    said = await line.say("afternoon please")
    assert offers(said)
    assert "12:00 to 14:00" in said
    assert "16:00 to 18:00" in said
    assert "I take Wednesday 25 November, 14:00 to 16:00" in await line.say("the second one")


@BOTH
@pytest.mark.parametrize(
    "words",
    ["monday", "any evening", "next week some time", "any time tomorrow is fine", "whichever, but in the afternoon", "not mornings"],
)
async def test_a_wish_takes_nothing(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await at_the_times(channel)
    said = await line.say(words)
    assert "I take" not in said
    assert offers(said)
    assert words != "not mornings" or "08:00" not in said
    assert not (await line.conversation()).form_state.get("slot")


@BOTH
async def test_a_day_named_again_is_offered_again(monday: datetime, record: None, channel: str) -> None:
    line = await at_the_times(channel)
    first = await line.say("wednesday")
    assert await line.say("wednesday please") == first
    assert "I take Wednesday 25 November, 08:00 to 10:00" in await line.say("the first one")


@BOTH
@pytest.mark.parametrize("words", ["wednesday first slot", "the first slot on wednesday", "the earliest you have on wednesday"])
async def test_the_first_of_a_day_is_of_that_day(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await at_the_times(channel)
    assert "Wednesday 25 November, 08:00 to 10:00 is free. Shall I take it?" in await line.say(words)
    assert "I take Wednesday 25 November, 08:00 to 10:00" in await line.say("yes")


@BOTH
async def test_what_alone_fits_is_taken_and_said_back(monday: datetime, record: None, channel: str) -> None:
    """Of the evenings on offer one is on Tuesday, and no other evening window of that day is free."""
    line = await at_the_times(channel)
    await line.say("any evening")
    assert "I take Tuesday 24 November, 16:00 to 18:00" in await line.say("tuesday")


async def test_a_month_that_is_a_name_swallows_no_hour(monday: datetime, record: None) -> None:
    line = await at_the_times("voice")
    assert "Tuesday 24 November, 10:00 to 12:00" in await line.say("tomorrow ten to twelve june will")
    assert not await Booking.objects.aexists()


async def test_a_part_of_the_day_in_spanish_offers(monday: datetime, record: None, chat: Line) -> None:
    await chat.say("quiero reservar una revisión de caldera")
    await chat.say("HB1 2AB")
    await chat.say("el miércoles")
    assert "de 14:00 a 16:00" in await chat.say("por la tarde")
    assert "miércoles 25 de noviembre, de 12:00 a 14:00" in await chat.say("la primera")


@BOTH
@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("Will Hope", "Will Hope"),
        ("Monday Jones", "Monday Jones"),
        ("Rose Hill and my number is 07700 900444", "Rose Hill"),
        ("Summer May, 07700 900444, any time", "Summer May"),
        ("tomorrow 10 to 12 june will", "June Will"),
    ],
)
async def test_a_name_told_before_it_is_asked_for_is_kept(monday: datetime, record: None, channel: str, words: str, name: str) -> None:
    line = await at_the_times(channel)
    await line.say(words)
    said = await line.say("the first one")
    if "I take" not in said and "booked" not in said:
        said = await line.say("yes")
    assert "What name" not in said
    if "What phone number" in said:
        said = await line.say("07700 900444")
    assert f"It is in the name of {name}" in said


@BOTH
async def test_a_name_told_with_the_postcode_is_kept(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("I want to book a boiler service")
    await line.say("HB1 2AB, Summer May, 07700 900444")
    assert "It is in the name of Summer May" in await line.say("the first one")


@BOTH
@pytest.mark.parametrize("words", ["Quay Street", "Sounds Good", "Leaking Tap", "any evening", "top floor"])
async def test_what_is_no_name_is_asked_for(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await at_the_times(channel)
    await line.say(words)
    assert "name " not in await line.say("wednesday at 10")
    assert "What name shall I put" in await line.say("yes")


@BOTH
@pytest.mark.parametrize("words", ["ten oclock", "weekends?", "half ten", "twenty", "Monday morning"])
async def test_an_hour_or_a_day_is_no_name(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await at_the_times(channel)
    await line.say("the first one")
    said = await line.say(words)
    assert "noted: name" not in said
    assert "in the name of" not in said


@BOTH
async def test_a_name_that_is_a_day_is_one_and_is_put_right(monday: datetime, record: None, channel: str) -> None:
    line = await at_the_times(channel)
    await line.say("the first one")
    said = await line.say("Monday Jones")
    assert "Monday Jones" in said
    assert "23 November" not in said.replace("Monday 23 November, 12:00 to 14:00", "")
    assert "Mandy Jones" in await line.say("you got my name wrong its Mandy Jones")


@BOTH
async def test_both_is_all_that_was_asked_about(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("how much is a boiler service")
    await line.say("and the landlord gas check?")
    said = await line.say("ok book both")
    assert "I begin with Boiler service." in said
    assert "Landlord gas safety check" in said


@BOTH
@pytest.mark.parametrize(
    "words",
    [
        "ok so my boilers making a noise and i want someone monday morning",
        "the boiler keeps losing pressure, need a plumber out tomorrow",
        "my boiler makes odd noises, I'd like someone round this week",
    ],
)
async def test_somebody_is_wanted_for_what_an_article_explains(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    assert "What is the postcode" in await line.say(words)
    assert "free" in await line.say("HB1 2AB")


@BOTH
async def test_several_postcodes_in_answer_are_told_back(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("I want to book a boiler service")
    said = await line.say("HB1 2AB, HB1 4QT and HB2 1AA")
    for postcode in ("HB1 2AB", "HB1 4QT", "HB2 1AA"):
        assert postcode in said


@BOTH
async def test_whoever_has_no_reference_has_none_without_an_apostrophe(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "reference" in await line.say("my bill is wrong")
    assert "reference" not in await line.say("i dont have one")


CARD = {
    "chat": "my card is 4111 1111 1111 1111",
    "voice": "my card number is four one one one one one one one one one one one one one one one",
}


@BOTH
@pytest.mark.parametrize("wish", ["I want to book a boiler service", "my bill is wrong", "hello"])
async def test_a_card_number_is_kindly_refused(monday: datetime, record: None, channel: str, wish: str) -> None:
    line = await on(channel)
    question = (await line.say(wish)).rpartition(". ")[2]
    said = await line.say(CARD[channel])
    assert "I have hidden that card number and not kept it." in said
    assert "please do not send card details here" in said
    assert "I did not get that" not in said
    if wish != "hello":
        assert said.endswith(question)
    again = await line.say("did you store that?")
    assert again.startswith("No. The card number is not kept")


async def test_a_card_number_is_kindly_refused_in_spanish(monday: datetime, record: None, chat: Line) -> None:
    await chat.say("quiero reservar una revisión de caldera")
    said = await chat.say("mi tarjeta es 4111 1111 1111 1111")
    assert "He ocultado ese número de tarjeta" in said
    assert "código postal" in said


@BOTH
@pytest.mark.parametrize(
    ("words", "again"),
    [("I don't want to give my name", "I said no"), ("no", "I won't tell you that"), ("i'd rather not say", "no")],
)
async def test_nobody_has_to_tell_anything(monday: datetime, record: None, channel: str, words: str, again: str) -> None:
    line = await on(channel)
    await line.say("I want to book a boiler service")
    said = await line.say(words)
    assert "You do not have to tell me that." in said
    assert "What is the postcode" in said
    assert "Shall I pass you to a person?" in await line.say(again)


@BOTH
async def test_the_number_of_an_invoice_or_a_refund_will_do(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "reference" in await line.say("my bill is wrong")
    said = await line.say("HR-4458")
    assert "HR-4458" in said
    assert "I did not get that" not in said


@BOTH
async def test_several_needs_in_a_list_are_kept(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    said = await line.say("my bill is wrong, there is a leak under the sink and I am moving house")
    assert "I will come to this afterwards" in said
    assert "leak under the sink" in said
    assert "reference" in said


@BOTH
@pytest.mark.parametrize(("words", "taken"), [("the later one", "16:00 to 18:00"), ("the earlier one please", "12:00 to 14:00")])
async def test_the_earlier_and_the_later_one_are_chosen(monday: datetime, record: None, channel: str, words: str, taken: str) -> None:
    line = await at_the_times(channel)
    assert f"I take Monday 23 November, {taken}" in await line.say(words)


async def test_spanish_afternoons_and_refusals(monday: datetime, record: None, chat: Line) -> None:
    await chat.say("quiero reservar una revisión de caldera")
    assert "No tiene que decírmelo" in await chat.say("no quiero dar mi dirección")
    await chat.say("HB1 2AB, Rosa García, 07700 900444")
    said = await chat.say("cualquier tarde")
    assert "Están libres" in said
    assert "tomo nota" not in said.lower()
    assert "a nombre de Rosa García" in await chat.say("la primera")
