"""What is none of the company's business is not known, wherever it is asked: no price and no page of something else is told."""

from __future__ import annotations

import pytest

from tests.assistant.conftest import Line

pytestmark = pytest.mark.usefixtures("monday")
ALIEN = ["do you clean aquariums?", "is there a cafe in Gullhaven?", "can you fix my car?", "is my data safe with you?"]
UNKNOWN = ("I do not know", "I have no answer to that")


@pytest.mark.parametrize("asks", ALIEN)
@pytest.mark.parametrize("before", ["how much is a power flush?", "I want to book a boiler service", ""])
async def test_what_is_not_known_is_said_so_after_a_price_and_in_a_booking(chat: Line, before: str, asks: str) -> None:
    if before:
        await chat.say(before)
    told = await chat.say(asks)
    if "book" in before and asks.startswith("can you"):
        # There, it may be meant as a request, and the form asks on.
        assert "What is the postcode" in told
        return
    assert any(each in told for each in UNKNOWN), told
    assert not chat.last.data.get("sources")


async def test_a_price_by_a_general_word_is_none(chat: Line) -> None:
    told = await chat.say("how much does a 6 kW solar system cost")
    assert "£" not in told
    assert not chat.last.data.get("cards")


@pytest.mark.parametrize(
    ("before", "asks", "told"),
    [
        ("", "how much is a power flush for my heating system?", "£420"),
        ("I want to book a boiler service", "do I need to be at home?", "be at home"),
        ("I want to book a boiler service", "how long does it take?", "about an hour"),
        ("how much is a power flush?", "how do I bleed a radiator?", "square valve"),
        ("how much is a power flush?", "can I pay by card?", "card"),
    ],
)
async def test_what_is_known_is_told(chat: Line, before: str, asks: str, told: str) -> None:
    if before:
        await chat.say(before)
    assert told in await chat.say(asks)
