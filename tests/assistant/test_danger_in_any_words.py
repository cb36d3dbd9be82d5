"""Water from above, people whom the cold endangers, in the words that customers have for them, and emergencies only asked about."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import Handoff
from tests.assistant.conftest import Line
from tests.assistant.test_danger import queue_of_the_handoff
from tests.assistant.test_several_needs import on

CHANNELS = pytest.mark.parametrize("channel", ["chat", "voice"])
WATER_FROM_ABOVE = [
    "¡¡está saliendo agua del techo!!",
    "está entrando agua por el techo",
    "sale mucha agua del techo",
    "me está cayendo agua del piso de arriba",
    "gotea agua del techo",
    "se está filtrando agua por la pared",
    "hay agua por todas partes",
    "el agua no para",
    "reventó la tubería",
    "water's pouring through the ceiling",
    "there is water coming in through the kitchen ceiling",
    "water is coming through from upstairs",
    "my ceiling is bulging and dripping",
    "the kitchen is full of water",
]
AT_RISK = [
    "no tengo calefacción y mi madre tiene 84 años",
    "mi padre tiene ochenta y cuatro años y no hay calefacción",
    "no hay calefacción y mi abuela está enferma",
    "no tenemos calefacción y somos mayores",
    "no hay agua caliente y mi hija tiene tres meses",
    "no hay calefacción y mi marido tiene cáncer",
    "no heating and my son is 3 weeks old",
    "no heating and there is an 8 month old in the house",
    "we have no heating and we are both in our eighties",
    "we are pensioners and have no heating",
]
ONLY_ASKED = [
    "price for emergency call out at night",
    "emergency plumber cost?",
    "what do you charge for an emergency",
    "how much for an emergency visit at night",
    "24 hour emergency call out price",
    "¿cuánto cuesta una urgencia por la noche?",
    "precio de una urgencia de noche",
]
CLAIMED = [
    "price? it's an emergency",
    "this is an emergency, what does it cost",
    "I need an emergency plumber, what is the price",
    "how much is an emergency call out, I can smell gas",
    "necesito una visita de urgencia",
]


@CHANNELS
@pytest.mark.parametrize("words", WATER_FROM_ABOVE)
async def test_water_from_above_goes_to_people_at_once(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    said = await line.say(words)
    assert await queue_of_the_handoff() == "urgent"
    assert (await line.conversation()).urgency == "emergency"
    assert "?" not in said


@CHANNELS
@pytest.mark.parametrize("words", AT_RISK)
async def test_the_cold_where_somebody_is_old_young_or_ill(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    await line.say(words)
    assert await queue_of_the_handoff() == "urgent"


@pytest.mark.parametrize("words", ["no tengo calefacción y mi casa tiene 90 años", "my combi is 3 months old and there is no heating"])
async def test_the_age_of_a_thing_endangers_nobody(monday: datetime, record: None, chat: Line, words: str) -> None:
    await chat.say(words)
    assert not await Handoff.objects.aexists()


@CHANNELS
@pytest.mark.parametrize("words", ONLY_ASKED)
async def test_what_an_emergency_costs_is_a_question(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    said = await line.say(words)
    assert "£" in said
    assert (await line.conversation()).urgency == "normal"
    assert not await Handoff.objects.aexists()


@pytest.mark.parametrize("words", CLAIMED)
async def test_an_emergency_that_somebody_has_stays_one(monday: datetime, record: None, chat: Line, words: str) -> None:
    await chat.say(words)
    assert await queue_of_the_handoff() == "urgent"
