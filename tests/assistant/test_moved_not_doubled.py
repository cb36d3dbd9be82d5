"""A wish to move the visit that was just booked moves it, whatever was offered last."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import Booking
from tests.assistant.conftest import Line

ENGLISH = (
    "book a boiler service please", "HB2 4QT", "30 November in the morning", "the first", "Ann Lee", "07700 900123",
    "the postcode is HB4 1AA", "I want to change it to Thursday", "the first",
)  # fmt: skip
SPANISH = (
    "reserva una revisión de caldera, HB2 4QT, soy Ana Gil, 07700 900123, el lunes 30 de noviembre por la mañana", "la primera",
    "el código postal es HB4 1AA", "quiero cambiarla al jueves", "la primera",
)  # fmt: skip


@pytest.mark.parametrize("channel", ["chat", "voice"])
@pytest.mark.parametrize("said", [ENGLISH, SPANISH], ids=["en", "es"])
async def test_a_visit_is_moved_and_none_is_booked_beside_it(monday: datetime, channel: str, said: tuple[str, ...]) -> None:
    line = Line(channel)
    if channel == "voice":
        await line.begin()
    for words in said[:-3]:
        await line.say(words)
    booked = await Booking.objects.aget()
    assert booked.reference in await line.say(said[-3])
    assert booked.reference in await line.say(said[-2])
    told = await line.say(said[-1])
    moved = await Booking.objects.aget()
    assert (moved.reference, moved.window.lower.day) == (booked.reference, 26), told
    assert booked.reference in told
