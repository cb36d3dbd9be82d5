"""Whatever the customer speaks, what staff read of the AI agent's doings is in staff's language."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.assistant.tools.words import for_both, for_staff
from conversations.models import Handoff
from conversations.understanding.languages import read_language
from tests.assistant.test_several_needs import on


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_a_conversation_in_spanish(monday: datetime, record: None, channel: str) -> None:
    """Look-ups, a visit and the package: nothing of it is in Spanish but the customer's own words and what they were told."""
    line = await on(channel)
    for words in ("Hola, quiero reservar una revisión de la caldera", "HB1 4QT", "la primera", "Rosa Prado", "07700 900123"):
        said = await line.say(words)
    assert "reservada" in said or "corregido" in said
    await line.say("quiero hablar con una persona")
    entries = await line.entries("tool.called", "reason.recognised", "routing.decided", "handoff.requested", "fact.learned")
    assert len(entries) > 5
    assert not [entry.body for entry in entries if read_language(entry.body).language == "es"]
    package = await Handoff.objects.aget()
    assert package.summary.startswith(("Rosa Prado came about", "The customer came about"))


async def test_what_tools_write_down_while_spanish_is_spoken(monday: datetime, record: None) -> None:
    """A call back with its day, and the facts that came with it, by their names in staff's language."""
    line = await on("chat")
    for words in ("Hola, llámenme el miércoles a las 10", "07700 900123", "sí"):
        await line.say(words)
    entries = await line.entries("action.added", "callback.requested", "fact.learned")
    told = " ".join(entry.body for entry in entries)
    assert {entry.kind for entry in entries} == {"action.added", "callback.requested", "fact.learned"}
    assert "Phone: 07700 900123" in told
    assert "on Wed 25 Nov, 10:00" in told


def test_a_sentence_for_both() -> None:
    """Filled in for both at once; anything else is read by both as it is."""
    sentence = for_both("We searched for %(what)s.") % {"what": "x"}
    assert (sentence, for_staff(sentence), for_staff("plain")) == ("We searched for x.", "We searched for x.", "plain")
