"""Several needs in one breath, and a new one in the middle of another: none is lost, on either channel."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import Booking, Handoff
from conversations.understanding import needs
from conversations.understanding.normalise import without_fillers
from tests.assistant.conftest import Line

THREE = "my boiler leaks, I also want to move Friday's appointment and what do I owe?"


async def on(channel: str) -> Line:
    """A line of a channel that has begun."""
    line = Line(channel=channel)
    if channel == "voice":
        await line.begin()
    return line


async def book(line: Line, slot: str = "the first one") -> str:
    """Gives what a visit needs, in the order in which it is asked for; returns the last answer."""
    await line.say("HB1 4QT")
    await line.say(slot)
    said = await line.say("Sam Okafor")
    return await line.say("07700 900123") if line.channel == "chat" else said


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_all_of_three_needs_are_served_in_order(monday: datetime, record: None, channel: str) -> None:
    """The first is begun, the others are named; each is offered when its turn has come, and gone on with after a yes."""
    line = await on(channel)
    said = await line.say(THREE)
    assert "move Friday's appointment" in said
    assert "what do I owe" in said
    assert said.rstrip().endswith(("address?", "out."))
    said = await book(line)
    assert "is booked" in said
    assert "move Friday's appointment" in said
    assert line.choices == ["Yes", "No"]
    assert "When would suit you better?" in await line.say("yes")
    assert "what do I owe" in await line.say("never mind")
    assert "six-digit code" in await line.say("yes please")


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_questions_are_answered_together(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    said = await line.say("How much is a boiler service? And are you open on Saturdays?")
    assert said.index("£85") < said.index("on Saturday from 9 am")
    assert said.endswith("Shall I book a visit for you?")


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ("my tap is dripping and um well what do i owe you", ["my tap is dripping", "what do i owe you"]),
        ("i need to book a repair um what does it cost", ["i need to book a repair", "what does it cost"]),
        ("my boiler is cold and uh i was wondering are you open on saturdays", ["my boiler is cold", "are you open on saturdays"]),
        ("quiero reservar una revisión y eh bueno pues cuánto cuesta", ["quiero reservar una revisión", "cuánto cuesta"]),
        ("mi caldera gotea y este a qué hora abren los sábados", ["mi caldera gotea", "a qué hora abren los sábados"]),
        ("i would like to know um what does a service cost", ["i would like to know what does a service cost"]),
        ("the boiler um is leaking", ["the boiler is leaking"]),
    ],
)
def test_what_people_say_before_they_come_to_it_hides_no_question(said: str, parts: list[str]) -> None:
    """A hesitation before a question is a pause between two things, unless the words before it lead on."""
    assert [needs.bare(part) for part in needs.parts_of(without_fillers(said))] == parts


async def test_a_question_behind_a_hesitation_is_answered_on_the_phone(monday: datetime, record: None) -> None:
    line = await on("voice")
    said = await line.say("my kitchen tap is dripping and um well are you open on saturdays")
    assert "on Saturday from 9 am" in said
    assert "What is the postcode of the address?" in said


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_what_is_left_goes_along_to_a_person(monday: datetime, record: None, channel: str) -> None:
    """Whoever takes over reads what was not come to, and the customer hears that it was passed on."""
    line = await on(channel)
    await line.say(THREE)
    assert "what do I owe?" in await line.say("I want to talk to a person")
    package = await Handoff.objects.aget()
    assert "move Friday's appointment" in package.summary
    assert "what do I owe?" in package.summary
    at_once = await on(channel)
    said = await at_once.say("Are you open on Saturdays? I also want to complain about your engineer")
    assert "are you open on saturdays?" in said.lower()


@pytest.mark.parametrize("mood", ["I am very unhappy with you.", "I'm really fed up!"])
async def test_how_somebody_feels_is_no_need_besides(monday: datetime, chat: Line, mood: str) -> None:
    said = await chat.say(f"My kitchen tap is dripping. {mood}")
    assert "postcode" in said
    assert mood.rstrip(".!") not in said
    reason = (await chat.conversation()).reason
    assert reason is not None
    assert reason.code == "repair_booking"


async def test_a_danger_goes_before_everything_else(monday: datetime, chat: Line) -> None:
    said = await chat.say("How much is a boiler service? And I can smell gas in the kitchen")
    assert said.startswith("Get everybody out now.")
    assert "How much" in (await Handoff.objects.aget()).summary


@pytest.mark.parametrize(
    "words",
    [
        "My toilet keeps running and I need a plumber", "My kitchen tap is dripping and I need someone to fix it",
        "My boiler has stopped working. Can you send me somebody?",
    ],
)  # fmt: skip
async def test_a_symptom_and_the_visit_for_it_are_one_need(monday: datetime, chat: Line, words: str) -> None:
    await chat.say(words)
    assert "later" not in (await chat.conversation()).form_state


async def test_a_day_of_another_visit_is_no_wish_for_this_one(monday: datetime, chat: Line) -> None:
    await chat.say("my boiler leaks, I also want to move my appointment to Friday")
    assert "date" not in (await chat.conversation()).facts


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_a_new_subject_in_the_middle_puts_a_visit_aside(monday: datetime, record: None, channel: str) -> None:
    """With a word; the new one is served, and the visit goes on at the same question."""
    line = await on(channel)
    await line.say("I'd like to book a boiler service")
    await line.say("HB1 4QT")
    said = await line.say("actually I have a question about my bill, it looks wrong")
    assert "put your visit aside" in said
    for answer in ("skip", "skip"):
        await line.say(answer)
    said = await line.say("Sam Okafor")
    if channel == "chat":
        said = await line.say("07700 900123")
    assert "The billing team" in said
    assert "We had begun with your visit." in said
    assert "which of the times" in await line.say("yes")
    await line.say("the first one")
    assert await Booking.objects.aexists()


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_what_was_put_aside_may_be_left(monday: datetime, record: None, channel: str) -> None:
    """No leaves it; whoever says something else is asked once more, and then no more."""
    line = await on(channel)
    await line.say("I'd like to book a boiler service")
    assert "put your visit aside" in await line.say("where is my parcel?")
    assert "We had begun with your visit" in await line.say("never mind")
    assert "leave that" in await line.say("no")
    assert not (await line.conversation()).form_state.get("later")


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_what_only_the_record_says_waits_until_the_form_is_done(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("I'd like to book a boiler service")
    said = await line.say("how much do I owe?")
    assert "I will come to this afterwards" in said
    assert "postcode" in said
    assert "how much do I owe" in await book(line)


@pytest.mark.parametrize(
    "words", ["book a repair", "I need an engineer", "book an appointment", "can you send a plumber please", "I want a visit"]
)
async def test_a_wish_for_a_visit_alone_is_one(monday: datetime, chat: Line, words: str) -> None:
    assert "postcode" in await chat.say(words)


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_questions_in_a_form_count_as_no_wrong_answers(monday: datetime, record: None, channel: str) -> None:
    """Answered where there is an answer, said where there is none; the same question stands, and nobody is passed on for asking."""
    line = await on(channel)
    await line.say("I'd like to book a boiler service")
    assert "Saturday" in await line.say("do you work Saturdays?")
    assert "£85" in await line.say("how much is that?")
    said = await line.say("HB1 4QT, do you bring your own ladder?")
    assert "no answer" in said
    assert "free" in said
    for question in ("is there a radio in the van?", "which football club do your engineers like?", "do you know my aunt?"):
        said = await line.say(question)
        assert "which of the times" in said
    await line.say("the first one")
    said = await line.say("why do you need my name?")
    assert "asks for that name" in said
    assert "What name" in said
    await line.say("Sam Okafor")
    asked = [entry.body for entry in await line.entries("message") if entry.body.endswith("?") and entry.actor_kind == "customer"]
    assert len(asked) == 7


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (THREE, 3), ("how much is it and are you open on saturdays i also want to complain", 3), ("no", 1), ("", 1), ("?!., ;", 1),
        ("Hola, mi caldera gotea y también quiero cambiar la cita, ¿y cuánto debo?", 3), ("A pipe has burst and water is pouring down", 1),
        ("İstanbul? " * 300, 1), ("what? " * 50, needs.MOST),
    ],
)  # fmt: skip
def test_where_one_ends_and_the_next_begins(text: str, parts: int) -> None:
    """At most six, and what is long stays whole."""
    found = needs.parts_of(text)
    assert len(found) == parts or (parts == 3 and len(found) == 4)
