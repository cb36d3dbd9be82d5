"""Complaints: regretted once, and what is told of them while nobody is there is kept for people and taken for no number."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from conversations.models import Ticket
from tests.assistant.conftest import Line
from tests.assistant.test_several_needs import on


@pytest.fixture(autouse=True)
def _no_ticket_is_left() -> Iterator[None]:
    yield
    Ticket.objects.all().delete()


BOTH = pytest.mark.parametrize("channel", ["chat", "voice"])


@BOTH
async def test_what_is_told_out_of_hours_is_added(sunday_night: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    assert "I am sorry to hear that." in await line.say("i wanna complain")
    for words in ("your guy broke my vase", "Pat Lake"):
        said = await line.say(words)
        assert "I have added that for my colleagues" in said
        assert "not a phone number" not in said
    if channel == "chat":
        await line.say("07700 900444")
    assert "we will call you back on" in await line.say("what happens next?")


@BOTH
async def test_it_is_written_down_instead(sunday_night: datetime, record: None, channel: str) -> None:
    """The ticket tells what was told before, and not that no person is wanted."""
    line = await on(channel)
    await line.say("i wanna complain")
    await line.say("your guy broke my vase")
    said = await line.say("no dont want a person, just write it down")
    if channel == "chat":
        said = await line.say("07700 900444")
    assert "your guy broke my vase" in said
    await line.say("yes")
    assert "your guy broke my vase" in (await Ticket.objects.aget()).details


async def test_it_is_regretted_in_hours_in_spanish_too(monday: datetime, record: None, chat: Line) -> None:
    assert "Siento mucho lo ocurrido." in await chat.say("quiero poner una queja")
