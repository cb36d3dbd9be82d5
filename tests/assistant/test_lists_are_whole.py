"""Who is told some of a list takes it for all of it: a list that is announced is told to its end, or is said to go on."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.assistant import answers
from tests.assistant.test_several_needs import on

CHANNELS = pytest.mark.parametrize("channel", ["chat", "voice"])
LONG = "We bring these:\n\n" + "\n".join(f"- **Part {number}**, with all that belongs to it and to nothing else" for number in range(20))


@CHANNELS
async def test_every_postcode_that_is_ours_is_told(monday: datetime, record: None, channel: str) -> None:
    answer = await (await on(channel)).say("which postcodes do you serve")
    assert "HB1" in answer or "H B 1" in answer
    assert "Saltmarsh and the river villages" in answer


@pytest.mark.parametrize(
    ("said", "last"),
    [
        ("what areas do you cover", "SX1, SX2, SX4"),
        ("do you come to saltmarsh", "SX1, SX2, SX4"),
        ("en que zonas trabajan", "SX1, SX2, SX4"),
        ("how do i bleed a radiator", "pressure gauge"),
        ("what are the care plans", "toilets and drains"),
    ],
)
async def test_a_list_is_told_to_its_end(monday: datetime, record: None, said: str, last: str) -> None:
    assert last in await (await on("chat")).say(said)


@pytest.mark.parametrize("spoken", [True, False])
def test_a_list_that_is_too_long_is_said_to_go_on(spoken: bool) -> None:
    told = answers.fitting(LONG, "what do you bring", spoken=spoken)
    assert "Part 0" in told
    assert "Part 19" not in told
    assert "the list goes on" in told


def test_one_item_that_was_asked_for_is_no_list() -> None:
    others = "Gas lights late. " * 20
    passage = f"None of these is normal:\n\n- **Rumbling.** Limescale.\n- **Banging.** {others}\n- **Whistle.** {others}"
    assert answers.fitting(passage, "my boiler is making a rumbling limescale noise", spoken=True).startswith("Rumbling.")
