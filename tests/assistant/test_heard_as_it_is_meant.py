"""What is said in everyday words is heard as it is meant: numbers, days, who is at home, what works and what does not."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.understanding.dates import find_date
from conversations.understanding.languages import read_language
from tests.assistant.conftest import MONDAY
from tests.assistant.test_several_needs import on

BOTH = pytest.mark.parametrize("channel", ["chat", "voice"])


def test_one_letter_decides_no_language() -> None:
    assert read_language("o seven seven double o nine hundred one two three").language == ""
    assert read_language("o double o o").language == ""
    assert read_language("a las 9 o a las 10").language == "es"


async def test_a_phone_number_with_o_for_zero_is_heard_in_english(monday: datetime, record: None) -> None:
    line = await on("voice")
    for words in ("I need to rearrange my visit", "I haven't got the reference", "my name's John Smith"):
        await line.say(words)
    said = await line.say("o seven seven double o nine hundred one two three")
    conversation = await line.conversation()
    assert conversation.language != "es", said
    assert conversation.facts["phone"]["value"] == "+447700900123"


@BOTH
@pytest.mark.parametrize(
    "words", ["can someone come wed morning, no heating", "no heating, i am in wed 10 to 12", "no heating, any chance of wed at 10"]
)
async def test_a_short_day_beside_a_part_of_it_or_an_hour_is_a_day(monday: datetime, record: None, channel: str, words: str) -> None:
    line = await on(channel)
    await line.say(words)
    said = await line.say("HB3 1AB")
    assert "Wednesday 25 November" in said
    assert "Tuesday" not in said


@pytest.mark.parametrize("words", ["we sat in the sun and waited", "she wed a plumber", "the sun at noon"])
def test_words_that_only_look_like_days_are_none(words: str) -> None:
    assert find_date(words, now=MONDAY) is None
