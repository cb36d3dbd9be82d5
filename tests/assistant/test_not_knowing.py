"""What the rules say when they have no answer, what people say to be friendly, and what only the record says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from pytest_django import DjangoDbBlocker

from conversations.models import Entry, Playbook, UnansweredQuestion
from conversations.services import playbooks
from tests.assistant.conftest import Line

HOURS, AREA, PRICES = "Nuestro horario", "Dónde trabajamos", "Nuestros precios"


def sources(line: Line) -> list[str]:
    """The titles of the articles that the last answer names."""
    return [each["title"] for each in line.last.data.get("sources", [])]


@pytest.mark.parametrize(
    ("says", "title", "told"),
    [
        (["Hola, ¿a qué hora abren?"], HOURS, "de lunes a viernes"),
        (["Hola, buenos días", "¿cuándo abren?"], HOURS, "de lunes a viernes"),
        (["Hola, ¿dónde trabajan?"], AREA, "Trabajamos en la costa"),
        (["Hola, quiero reservar una visita de reparación", "¿cuánto cuesta?"], PRICES, "95 £"),
        (["Hola, quiero reservar una visita de reparación", "¿a qué hora abren?"], HOURS, "de lunes a viernes"),
        (["Hola, ¿cuánto cuesta anular una visita?"], "Cambiar o anular una visita", "30 £"),
    ],
)
async def test_a_question_in_spanish_is_answered_from_the_article_about_it(
    monday: datetime, chat: Line, says: list[str], title: str, told: str
) -> None:
    """A word that happens to stand in another article does not make that one the answer."""
    said = [await chat.say(words) for words in says][-1]
    assert sources(chat) == [title]
    assert told in said


@pytest.mark.parametrize(
    ("begins", "asks", "told"),
    [
        ("I want to book a boiler service", "how much is it?", "Boiler service: £85"),
        ("Hola, quiero reservar una revisión de la caldera", "¿cuánto cuesta?", "Revisión de la caldera: £85"),
    ],
)
async def test_the_price_asked_for_in_a_booking_is_that_of_what_is_booked(
    monday: datetime, chat: Line, begins: str, asks: str, told: str
) -> None:
    await chat.say(begins)
    said = await chat.say(asks)
    assert told in said
    assert "HB1 4QT" in said or "postcode" in said or "código postal" in said


@pytest.mark.parametrize(
    ("asks", "told"),
    [
        ("Which colours do your engineers' vans come in?", "I do not know"),
        ("what is the capital of France?", "I do not know"),
        ("Hola, ¿de qué color son las furgonetas?", "no lo sé"),
    ],
)
async def test_what_is_not_known_is_said_so_and_kept(monday: datetime, chat: Line, asks: str, told: str) -> None:
    """No subjects at random: a person is offered, and the question is there for who writes articles."""
    said = await chat.say(asks)
    assert told in said
    assert "Is it about" not in said
    assert "¿Se trata" not in said
    assert len(chat.choices) == 3
    assert (await UnansweredQuestion.objects.aget()).conversation_id == chat.conversation_id


async def test_only_questions_are_kept_as_such(monday: datetime, chat: Line) -> None:
    """What was told and not understood is nothing to write an article about; it is asked back."""
    said = await chat.say("it is broken")
    assert "I want to get this right." in said
    assert "Repair visit" in said
    assert not await UnansweredQuestion.objects.aexists()


async def test_a_single_guess_is_agreed_to_with_yes(monday: datetime, chat: Line) -> None:
    said = await chat.say("I need a something")
    assert "Is it about this: Repair visit?" in said
    assert not await UnansweredQuestion.objects.aexists()
    assert "postcode" in await chat.say("yes")
    reason = (await chat.conversation()).reason
    assert reason is not None
    assert reason.code == "repair_booking"


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("how are you?", "Very well"),
        ("hello, how are you today?", "Very well"),
        ("tell me a joke", "better at helping"),
        ("can you sing me a song?", "better at helping"),
        ("nice to meet you", "that is kind"),
        ("who are you?", "I am an AI assistant of Harbor Home Services"),
        ("what is your name?", "I am an AI assistant of Harbor Home Services"),
        ("never mind", "whenever you like"),
        ("¿qué tal?", "Muy bien"),
        ("Hola, ¿cómo está usted?", "Muy bien"),
        ("cuéntame un chiste", "se me da mejor ayudar"),
        ("¿quién eres?", "Soy un asistente de inteligencia artificial"),
        ("olvídalo", "De acuerdo"),
        ("Hola, buenos días", "Hola"),
    ],
)
async def test_small_talk_is_answered_kindly(monday: datetime, chat: Line, says: str, told: str) -> None:
    """It is no failure and no question that nobody could answer."""
    assert told in await chat.say(says)
    assert (await chat.conversation()).failed_turns == 0
    assert not await UnansweredQuestion.objects.aexists()


@pytest.mark.parametrize("says", ["how are you?", "tell me a joke", "who are you?"])
async def test_small_talk_in_a_booking_leaves_it_where_it_was(monday: datetime, chat: Line, says: str) -> None:
    await chat.say("I want to book a boiler service")
    said = await chat.say(says)
    assert said.endswith("What is the postcode of the address?")
    assert not [entry async for entry in Entry.objects.filter(kind="fact.learned", conversation=chat.conversation_id)]


@pytest.mark.parametrize("asks", ["What do I owe?", "how much is my bill?", "¿cuánto debo?"])
async def test_what_is_owed_is_not_answered_from_an_article_in_a_booking(monday: datetime, chat: Line, asks: str) -> None:
    """Only the record says it: said so, and the booking goes on."""
    await chat.say("Hola, quiero reservar una revisión de la caldera" if "¿" in asks else "I want to book a boiler service")
    said = await chat.say(asks)
    assert sources(chat) == []
    assert ("saber que es usted" if "¿" in asks else "know that it is you") in said
    assert ("código postal" if "¿" in asks else "postcode") in said


@pytest.mark.parametrize("says", [[], ["jane.owes@example.com"], ["I do not have a mobile or an email address"]])
async def test_what_is_owed_is_not_answered_from_an_article_before_it_is_known_who_this_is(
    monday: datetime, chat: Line, says: list[str]
) -> None:
    """At each step of it: what is asked next stays asked, and nothing counts as missed."""
    for words in ["what is on my account?", *says, "What do I owe?", "What do I owe?", "What do I owe?"]:
        said = await chat.say(words)
    assert sources(chat) == []
    assert "once I know that it is you" in said
    assert any(word in said for word in ("address or number", "six digits", "What is your"))


@pytest.fixture
def without_free_times(record: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A playbook from before publishing looked at tools: it books and may not look for free times."""
    before = Playbook.objects.get(status="published").tools
    _publish_with([tool for tool in before if tool != "find_slots"])
    yield
    _publish_with(before)


def _publish_with(tools: list[str]) -> None:
    draft = playbooks.new_draft(Playbook.objects.get(status="published"))
    draft.tools = tools
    draft.save()
    playbooks.publish(draft)


async def test_free_times_that_cannot_be_looked_up_are_not_called_taken(without_free_times: None, monday: datetime, chat: Line) -> None:
    said = await chat.say("I'd like to book a boiler service at HB1 4QT")
    assert "I cannot look up free times myself" in said
    assert "no free time" not in said
