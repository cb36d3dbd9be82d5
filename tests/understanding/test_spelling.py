"""Slips of the keyboard become the company's words; what is a word, or is near none, stays."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.understanding import spelling

TEXT = """the boiler boiler pressure radiator appointment reschedule engineer change address complaint bill invoice blocked toilet closed
look guarantee service"""
WORDS = Counter(TEXT.split())


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("my boilr presure is low", "my boiler pressure is low"),
        ("i need to resechdule the enginear", "i need to reschedule the engineer"),
        ("can you chnage my adress", "can you change my address"),
        ("my bil is wrong", "my bill is wrong"),
        ("my loo is clogged", "my loo is clogged"),
        ("the boiler whistles and beeps", "the boiler whistles and beeps"),
        ("zzqx hb1 4qt £85 e119", "zzqx hb1 4qt £85 e119"),
        ("", ""),
    ],
)
def test_what_was_meant(text: str, meant: str) -> None:
    assert spelling.corrected(text, WORDS) == meant


@given(st.text(alphabet="abcdeil ", max_size=60))
def test_as_many_words_come_out_and_known_ones_stay(text: str) -> None:
    fixed = spelling.corrected(text, WORDS).split()
    assert len(fixed) == len(text.split())
    assert all(one == other for one, other in zip(text.split(), fixed, strict=True) if one in WORDS)


@given(st.text(max_size=8), st.text(max_size=8), st.integers(0, 3))
def test_slips_are_counted_the_same_both_ways(one: str, other: str, most: int) -> None:
    assert spelling.slips(one, other, most) == spelling.slips(other, one, most)
    assert spelling.slips(one, one, most) == 0


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Boilr is leaking, can you chnage it?", "Boiler is leaking, can you change it?"),
        ("ask Mr Boilr about the enginear", "ask Mr Boilr about the engineer"),
        ("write to bilo@boilr.example or boilr.example", "write to bilo@boilr.example or boilr.example"),
        ("caldera rota grifo fregadero cocina presion termo tuberia radiator boilr", None),
        ("", ""),
    ],
)
def test_only_slips_are_put_right_in_what_was_typed(text: str, meant: str | None) -> None:
    """Names, addresses and what is in no language known here stay."""
    assert spelling.put_right(text, WORDS) == (text if meant is None else meant)


def test_what_tells_a_fact_stays() -> None:
    assert spelling.put_right("my name is boilr, the boilr drips", WORDS, kept={"boilr"}) == "my name is boilr, the boilr drips"


@given(st.text(max_size=80))
def test_nothing_else_changes(text: str) -> None:
    assert spelling.put_right(text, {}) == text
