"""A customer books in chat: from nothing, one fact at a time, without being asked twice."""

from __future__ import annotations

import re
from datetime import datetime

from conversations.models import Booking
from tests.assistant.conftest import Line


async def test_a_booking_from_nothing(monday: datetime, chat: Line) -> None:
    """Postcode, time, name and phone are asked for in turn; the visit is booked and read back."""
    assert "postcode" in await chat.say("I'd like to book a boiler service please")
    assert "free" in await chat.say("HB1 4QT")
    assert len(chat.choices) == 3
    assert "name" in await chat.say("the second one")
    assert "phone" in await chat.say("Sam Okafor")
    said = await chat.say("07700 900123")
    booking = await Booking.objects.aget()
    assert booking.reference in said
    assert "Sam Okafor" in said
    assert "07700 900123" in said
    assert booking.service == "Boiler service"
    assert (booking.postcode, booking.phone) == ("HB1 4QT", "+447700900123")
    assert chat.replies[1].data["quick_replies"][1]["label"] in said
    kinds = [entry.kind for entry in await chat.entries("booking.made", "tool.called", "reason.recognised", "routing.decided")]
    assert kinds.count("booking.made") == 1
    assert {"tool.called", "reason.recognised", "routing.decided"} <= set(kinds)
    assert re.search(r"HH-[A-Z0-9]{6}", said)
