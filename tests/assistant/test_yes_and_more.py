"""A yes that goes on to something else is no yes to what was offered; a wish to book is one to a visit that was."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import Booking
from tests.assistant.test_several_needs import on

BOTH = pytest.mark.parametrize("channel", ["chat", "voice"])
WISH = "boiler service HB1 4QT, tuesday at 10, Ann Lee, 07700 900123"


@BOTH
@pytest.mark.parametrize(
    ("said", "told"),
    [("ok thursday then", "Thursday 26 November"), ("yeah but friday", "Friday 27 November"), ("yes but can it be earlier", "")],
)
async def test_another_time_books_not_the_one_on_offer(monday: datetime, record: None, channel: str, said: str, told: str) -> None:
    line = await on(channel)
    assert "Shall I take it?" in await line.say(WISH)
    assert told in await line.say(said)
    assert not await Booking.objects.aexists()


@BOTH
@pytest.mark.parametrize(
    "said", ["yes", "yes tuesday at ten is perfect", "ok the sooner the better", "yes eleven is fine", "yes, in the morning"]
)
async def test_a_plain_yes_books_it(monday: datetime, record: None, channel: str, said: str) -> None:
    line = await on(channel)
    await line.say(WISH)
    assert "Tuesday 24 November, 10:00" in await line.say(said)
    assert await Booking.objects.acount() == 1


@BOTH
@pytest.mark.parametrize("said", ["book one", "can i book one", "ok book it", "book that please"])
async def test_a_wish_to_book_takes_the_visit_on_offer(monday: datetime, record: None, channel: str, said: str) -> None:
    line = await on(channel)
    assert "Shall I book a visit for you?" in await line.say("how much is a boiler service")
    assert "postcode" in await line.say(said)
