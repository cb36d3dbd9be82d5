"""Typed and spoken texts in one form."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.understanding.normalise import MAX_CHARACTERS, clean, meaning, normalise

SPOKEN = {
    "um my number is oh seven seven hundred nine hundred one two three please": "my number is 07700900123 please",
    "oh seven seven oh oh nine double oh one two three": "07700900123",
    "o seven seven double o nine hundred one two three": "07700900123",
    "my number is o seven seven o o nine double o one two three": "my number is 07700900123",
    "o triple seven, double o nine": "0777009",
    "10 o 12": "10 o 12",
    "zero one six three two nine six oh one double two": "01632960122",
    "plus four four seven seven double oh nine hundred one two three": "+447700900123",
    "double five triple two oh one": "5522201",
    "it's h b one four q t i think": "it's HB1 4QT i think",
    "H for hotel, b for bravo, one four, q t.": "HB1 4QT.",
    "hotel bravo one four quebec tango": "HB1 4QT",
    "h h dash four k seven p two q": "HH4K7P2Q",
    "that's o k a f o r": "that's OKAFOR",
    "two radiators are cold and no one came": "2 radiators are cold and no one came",
    "between ten and twelve": "between 10 and 12",
    "at ten a m tomorrow": "at 10 am tomorrow",
    "a hundred and twenty pounds": "120 pounds",
    "two thousand and twenty six": "2026",
    "the twenty-third of may": "the 20 third of may",
    "sam dot okafor at example dot com": "sam.okafor@example.com",
    "the the boiler is is er leaking": "the boiler is leaking",
    "I I need a a plumber you know": "I need a plumber",
    "Mike and Charlie": "Mike and Charlie",
    "i have a two bed flat": "i have a 2 bed flat",
    "do you know if you cover us": "do you know if you cover us",
    "oh no there's water": "oh no there's water",
}
HOSTILE = [
    "a " * 5000,
    "one " * 2500,
    "oh " * 3000,
    "i a " * 2500,
    "b for b " * 1250,
    "at dot " * 1600,
    "double " * 1600,
    "h h dash " * 1100,
    "-" * 10000,
    "a hundred and " * 700,
    "a m " * 2500,
    "\u200b\u202e\x00" * 3300,
    "ﷺ" * 10000,
    "you know " * 1100,
    "\ud800" * 1000,
]


@pytest.mark.parametrize(("said", "typed"), SPOKEN.items())
def test_speech_is_written_as_it_would_be_typed(said: str, typed: str) -> None:
    assert normalise(said, spoken=True) == typed


def test_typed_text_keeps_its_words() -> None:
    assert normalise("Um, I have  two\nradiators", spoken=False) == "Um, I have two radiators"


def test_invisible_characters_and_direction_marks_go() -> None:
    assert clean("a\u200bb\u202ec\x00d\ufeff\ud800 e") == "abcd e"


def test_unicode_is_brought_to_one_form() -> None:
    assert clean("cafe\u0301 ＨＢ１") == "café HB1"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("I can't turn the heating on!!", "um i cannot turn the heating on"),
        ("Do you cover HB1 4QT?", "er do you cover h b one four q t please"),
        ("Hi there, 2 radiators are cold", "two radiators are you know cold"),
        ("pls cancel my appt", "cancel my appointment"),
    ],
)
def test_the_meaning_of_a_text_is_the_same_typed_and_said(typed: str, said: str) -> None:
    assert meaning(typed) == meaning(said)


def test_a_greeting_alone_is_still_something() -> None:
    assert meaning("Hi there") == "hi there"
    assert meaning("  \u200b ") == ""


@given(st.text(max_size=300), st.booleans())
def test_no_text_is_refused_and_a_normal_form_stays_as_it_is(text: str, spoken: bool) -> None:
    once = normalise(text, spoken=spoken)
    meaning(text)
    assert clean(once) == once
    assert len(once) <= MAX_CHARACTERS


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:8]))
def test_hostile_texts_take_no_longer_than_others(text: str) -> None:
    started = time.process_time()
    meaning(text)
    normalise(text, spoken=True)
    assert time.process_time() - started < 1
