"""Questions about how we work are none that a visit is begun for, also where no page answers them."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.assistant.test_several_needs import on

BOTH = pytest.mark.parametrize("channel", ["chat", "voice"])


@BOTH
@pytest.mark.parametrize(
    "words", ["are your electricians certified", "would somebody ring before they arrive", "how long does a drain inspection take"]
)
async def test_what_no_page_answers_is_not_known(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    assert "postcode" not in await line.say(words)
    assert not (await line.conversation()).form_state.get("form")


@BOTH
@pytest.mark.parametrize("words", ["can you unblock a drain", "is the plumber able to fix my tap"])
async def test_what_is_to_be_done_begins_a_visit(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    assert "postcode" in await line.say(words) or (await line.conversation()).form_state.get("offer")
