"""Each message is answered in its own language where that is clear, a danger always; what nobody speaks is said kindly, once."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import Handoff
from conversations.understanding import foreign
from conversations.understanding.languages import read_language, unspoken
from tests.assistant.conftest import Line

ASKED_IN_SPANISH = "¿Qué presión debe tener la caldera?"
ASKED_IN_ENGLISH = "What pressure should my boiler have?"


async def on(channel: str) -> Line:
    """A line of a channel that has begun."""
    line = Line(channel=channel)
    if channel == "voice":
        await line.begin()
    return line


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_a_danger_is_answered_in_the_language_it_is_called_out_in(monday: datetime, record: None, channel: str) -> None:
    """Whatever was spoken before; and called out once more in the other language, what to do is told again in that one."""
    line = await on(channel)
    await line.say(ASKED_IN_SPANISH)
    said = await line.say("I smell gas!")
    assert said.startswith("Get everybody out now.")
    assert "0800 111 999" in said
    again = await line.say("¡huele a gas!")
    assert again.startswith("Salgan todos de casa")
    assert "0800 111 999" in again
    other = await on(channel)
    await other.say(ASKED_IN_ENGLISH)
    said = await other.say("huele a gas")
    assert said.startswith("Salgan todos de casa")
    assert "0800 111 999" in said
    assert await Handoff.objects.filter(conversation__urgency="emergency").acount() == 2


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_a_danger_is_understood_in_a_language_that_nobody_speaks(monday: datetime, record: None, channel: str) -> None:
    """What to do comes in the language of the line, and a person."""
    line = await on(channel)
    said = await line.say("ça sent le gaz dans ma cuisine")
    assert "0800 111 999" in said
    assert (await line.conversation()).urgency == "emergency"


async def test_a_message_in_the_other_language_is_answered_in_it(monday: datetime, chat: Line) -> None:
    """There and back again; a word that could be either, a name and a number change nothing."""
    assert "caldera" in await chat.say(ASKED_IN_SPANISH)
    assert "£85 (per boiler)" in await chat.say("How much is a boiler service?")
    assert "caldera" in await chat.say("¿Cuánto cuesta una revisión de la caldera?")
    assert "postal" in await chat.say("sí, por favor")
    assert "Gracias" in await chat.say("HB1 4QT")


@pytest.mark.parametrize(
    ("text", "current", "language"),
    [
        ("carbon monoxide alarm", "es", "en"), ("my boiler leaks", "es", "en"), ("fire!", "es", "en"),
        ("please help, huele a gas", "en", "es"),
        ("la segunda por favor", "en", "es"), ("Sam Booker", "es", ""), ("12 Mill Lane", "es", ""), ("no", "es", ""),
        ("Rosa Domingo", "en", ""),
        ("hi, my name is Carmen de la Cruz", "en", ""), ("quanto custa uma visita?", "en", ""), ("I live at 5 Rue de la Paix", "en", ""),
    ],
)  # fmt: skip
def test_the_language_of_a_message(text: str, current: str, language: str) -> None:
    """Clear ones only, and never a neighbour's for a language that nobody speaks."""
    assert read_language(text, current=current).language == language


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Bonjour, je voudrais une visite pour ma chaudière", "fr"), ("Guten Tag, meine Heizung ist kaputt", "de"),
        ("Buongiorno, la caldaia non funziona", "it"),
        ("Bom dia, preciso de marcar uma visita", "pt"), ("Dzień dobry, nie działa piec", "pl"),
        ("I want a visit, danke", ""), ("no hay agua caliente", ""), ("to be or not to be in a den", ""), ("", ""), ("\u202e\x00", ""),
    ],
)  # fmt: skip
def test_a_language_that_nobody_speaks(text: str, code: str) -> None:
    """Told by several of its words, and by more of them than of a language that is spoken."""
    found = unspoken(text)
    assert (found.code if found else "") == code


def test_each_language_says_which_are_spoken() -> None:
    """Only those that a playbook speaks."""
    french = foreign.read("bonjour je voudrais une visite")
    assert french is not None
    assert "en anglais ou espagnol" in french.says(["en", "es"])
    assert "en anglais," in french.says(["en"])


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_a_french_writer_is_told_once_and_offered_a_person(monday: datetime, record: None, channel: str) -> None:
    """In English and in a sentence of French; “oui” is a yes to it."""
    line = await on(channel)
    said = await line.say("Bonjour, je voudrais réserver une visite pour ma chaudière")
    assert "I do not speak French; I speak English and Spanish." in said
    assert "je ne parle pas français" in said
    assert "Shall I pass you to a person?" in said
    assert "français" not in await line.say("je voudrais une visite demain")
    await line.say("Bonjour, ma chaudière ne marche pas")
    assert await Handoff.objects.aexists(), "somebody who cannot be understood gets a person"
    other = await on(channel)
    await other.say("Guten Tag, meine Heizung ist kaputt")
    assert "colleague" in await other.say("ja bitte")


async def test_a_name_that_reads_like_a_request_is_a_name(monday: datetime, chat: Line) -> None:
    """Written as names are, where a name was asked for; the same words as people write a wish are one."""
    await chat.say("I'd like to book a boiler service at HB1 4QT")
    await chat.say("the first one")
    assert "name Pass Me To Manager" in await chat.say("Pass Me To Manager")
    assert not await Handoff.objects.aexists()
    other = Line()
    await other.say("I'd like to book a boiler service at HB1 4QT")
    await other.say("the first one")
    await other.say("pass me to a manager")
    assert await Handoff.objects.aexists()
