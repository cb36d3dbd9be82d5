"""What is told of a need while its form asks for something else is kept, and said to be kept only where it is."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.assistant.details_told import LONGEST_TOGETHER
from tests.assistant.test_several_needs import on


@pytest.mark.parametrize("channel", ["chat", "voice"])
async def test_more_of_the_need_is_added(monday: datetime, record: None, channel: str) -> None:
    line = await on(channel)
    await line.say("I want a quote for a new bathroom")
    assert "I have added that. What is the postcode" in await line.say("full refit of a small bathroom with shower")
    told = (await line.conversation()).facts["details"]["value"]
    assert told == "I want a quote for a new bathroom; full refit of a small bathroom with shower"


async def test_nothing_is_said_to_be_added_that_is_not(monday: datetime, record: None) -> None:
    line = await on("chat")
    await line.say("I want a quote for a new bathroom")
    for number in range(6):
        said = await line.say(f"wall number {number} has tiles that are " + "old and grey and blue " * 18)
        told = (await line.conversation()).facts["details"]["value"]
        assert ("I have added that" in said) == (f"wall number {number}" in told)
    assert len(told) <= LONGEST_TOGETHER
