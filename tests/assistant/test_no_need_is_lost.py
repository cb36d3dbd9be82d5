"""What is wanted beside something else is served, too: several needs at once, a price and not of what, a call about something."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import ActionItem, Handoff
from tests.assistant.conftest import Line
from tests.assistant.test_several_needs import on

BOTH = pytest.mark.parametrize("channel", ["chat", "voice"])


@BOTH
@pytest.mark.parametrize(
    "words",
    ["I want to know how much a boiler service costs and when you are open on Saturday and also book a tap repair",
     "i'd like to know what a boiler service costs, when are you open on saturday and also book a tap repair"],
)  # fmt: skip
async def test_what_somebody_wants_to_know_is_a_question_among_several_needs(
    monday: datetime, record: None, channel: str, words: str
) -> None:
    line = await on(channel)
    said = await line.say(words)
    assert "£85" in said
    assert "on Saturday from 9 am" in said
    assert "What is the postcode of the address?" in said
    assert (await line.conversation()).form_state["form"] == "booking"


@BOTH
@pytest.mark.parametrize("lead", ["I have two problems: ", "i've got a couple of questions, ", ""])
async def test_the_second_of_two_problems_is_taken_up_later(monday: datetime, record: None, channel: str, lead: str) -> None:
    line = await on(channel)
    said = await line.say(f"{lead}my toilet is blocked and I was charged twice")
    assert "I will come to this afterwards: “I was charged twice”." in said
    assert "postcode" in said
    for words in ("HB1 2AB", "the first one", "Sam Okafor", "07700 900123"):
        said = await line.say(words)
        if "is booked" in said:
            break
    assert "You also said: “I was charged twice”. Shall we go on with that now?" in said


@BOTH
async def test_both_problems_are_kept_in_spanish(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("tengo dos problemas: no tengo agua caliente y me han cobrado dos veces")
    conversation = await line.conversation()
    assert conversation.form_state["form"] == "booking"
    assert [each["text"] for each in conversation.form_state["later"]] == ["me han cobrado dos veces"]


@BOTH
async def test_a_no_to_calls_is_noted_and_the_question_beside_it_answered(monday: datetime, record: None, channel: str) -> None:
    """“Instead” moves no call; who wants no calls and a visit gets the visit."""
    line = await on(channel)
    said = await line.say("don't ring me, write to me instead, when are you open on saturday")
    assert "you want no calls from us" in said
    assert "on Saturday from 9 am" in said
    assert "Shall I pass you" not in said
    said = await line.say("please don't call me any more and book me a boiler service")
    assert said.startswith("All right, I have noted that you want no calls from us. I can arrange a visit for that.")


@BOTH
async def test_who_asks_how_much_and_not_of_what_is_asked_what_for(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert await line.say("how much") == "What would you like to know the price of?"
    said = await line.say("a boiler service")
    assert "£85" in said
    assert said.endswith("Shall I book a visit for you?")
    assert "postcode" in await line.say("yes please")


async def test_who_asks_how_much_is_asked_in_spanish(monday: datetime, record: None, chat: Line) -> None:
    assert await chat.say("¿cuánto cuesta?") == "¿De qué quiere saber el precio?"


@BOTH
async def test_a_price_of_something_more_is_told(monday: datetime, record: None, channel: str) -> None:
    """A wish for a visit is one all the same."""
    line = await on(channel)
    assert "£160" in await line.say("how much is a radiator")
    said = await line.say("and a boiler service")
    assert "£85" in said
    assert "postcode" not in said
    assert "postcode" in await line.say("and book a boiler service")


@BOTH
async def test_the_price_of_each_of_two_things_is_told(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    said = await line.say("how much is a boiler service and a radiator")
    assert "£85" in said
    assert "£160" in said
    conversation = await line.conversation()
    assert (conversation.urgency, conversation.form_state.get("form")) == ("normal", None)


@BOTH
@pytest.mark.parametrize("words", ["can somebody call me about a quote", "can you ring me about a quote"])
async def test_a_call_about_something_is_arranged_and_keeps_its_subject(
    monday: datetime, record: None, channel: str, words: str
) -> None:
    line = await on(channel)
    assert await line.say(words) == "On which day shall we call?"
    await line.say("07700 900123")
    assert "07700 900123 tomorrow, Tuesday 24 November, at 10:00. Is that right?" in await line.say("tomorrow at ten")
    await line.say("yes")
    assert (await ActionItem.objects.aget()).title.endswith("a quote")
    assert not await Handoff.objects.aexists()


@BOTH
async def test_the_subject_of_a_call_holds_no_time(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("can you call me about my bill tomorrow at ten on 07700 900123 please")
    await line.say("yes")
    assert (await ActionItem.objects.aget()).title.endswith("10:00. my bill")


@BOTH
async def test_who_is_at_risk_is_said_of_no_other_need(monday: datetime, record: None, channel: str) -> None:
    """The bill that waits is not taken up since somebody is old."""
    line = await on(channel)
    await line.say("my boiler is making a banging noise and I was charged twice")
    await line.say("I am 92")
    conversation = await line.conversation()
    assert [each["text"] for each in conversation.form_state["later"]] == ["I was charged twice"]
