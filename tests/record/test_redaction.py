"""What is taken for a card number, and what only looks like one."""

from __future__ import annotations

import time
from datetime import date
from datetime import time as clock

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from conversations.services.redaction import hide_digits, mask, mask_keys
from conversations.services.timeline import clean

SEPARATORS = st.sampled_from(
    ["", " ", "-", ".", " - ", "\u2013", "\u00a0", ", ", ":", "·", " | ", "  -  ", "\u200b", "\u200b \u200b", "\n", "/", "_", " um "]
)
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


@st.composite
def card_numbers(draw: st.DrawFn) -> list[str]:
    """The four groups of a 16-digit card number with a right Luhn digit."""
    digits = draw(st.sampled_from("23456")) + draw(st.text("0123456789", min_size=14, max_size=14))
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(digits)]
    check = -sum(value - 9 if value > 9 else value for value in doubled) % 10
    whole = f"{digits}{check}"
    return [whole[at : at + 4] for at in range(0, 16, 4)]


@given(card_numbers(), SEPARATORS, st.sampled_from(["", "card: ", "my visa is ", "("]), st.sampled_from(["", " please", ", 12/27", ")"]))
def test_every_card_number_is_masked(groups: list[str], separator: str, before: str, after: str) -> None:
    """However it is grouped and whatever stands around it, only the last four digits are left."""
    stored = mask(before + separator.join(groups) + after)
    assert f"•••• •••• •••• {groups[-1]}" in stored
    assert "".join(groups[:3]) not in "".join(filter(str.isdigit, stored))


def in_words(digits: str) -> str:
    return " ".join(WORDS[int(digit)] for digit in digits)


@given(card_numbers(), st.sampled_from([" ", ", ", " um ", " - "]), st.sampled_from(["", " and the security code is one two three"]))
def test_a_card_number_in_words_is_masked(groups: list[str], separator: str, after: str) -> None:
    """As speech comes from the recogniser: not one digit's word more than the last four is left, nor the code's."""
    stored = mask("my card is " + separator.join(in_words(group) for group in groups) + after)
    assert stored.startswith(f"my card is •••• •••• •••• {groups[-1]}")
    assert not set(stored.split()) & set(WORDS)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("forty two forty-two forty two forty two 4242 4242", "•••• •••• •••• 4242"),
        ("double four one two three four five six seven eight nine oh one two three five", "•••• •••• •••• 1235"),
        ("4242, 4242, 4242, 4242, 12/27, 123", "•••• •••• •••• 4242, 12/27, •••"),
        ("4242424242424242 1227 123", "•••• •••• •••• 4242 1227 •••"),
        ("42424242424242421227123", "•••• •••• •••• 4242•••••••"),
        ("4242 4242 4242 4242 4000 0566 5566 5556", "•••• •••• •••• 4242 •••• •••• •••• 5556"),
        ("3714 496353 98431 1234", "•••• •••• •••• 8431 ••••"),
        ("+371449635398431", "+•••• •••• •••• 8431"),
        ("4242 4242 4242 4242 and the code is 987", "•••• •••• •••• 4242 and the code is •••"),
        ("４２４２ ４２４２ ４２４２ ４２４２", "•••• •••• •••• 4242"),
        ("cvv 123", "cvv •••"),
        ("CVC2:1234", "CVC2:•••"),
        ("my security code is 1 2 3", "my security code is •••"),
        ("security code, it's um one two three", "security code, it's um •••"),
        ("the three digits on the back are 1-2-3", "the three digits on the back are •••"),
        ("card code = one twenty three", "card code = •••"),
    ],
)
def test_what_goes(text: str, stored: str) -> None:
    """However it is written; what follows a card's number at once may be its security code, so it goes, too."""
    assert mask(text) == stored


@pytest.mark.parametrize(
    "text",
    [
        "07700 900123, 07700 900456",
        "07700 900123 07700 900456",
        "212 555 0123, 415 555 0199",
        "212 555 0123 415 555 0199",
        "0161 496 0123, 0161 496 0456",
        "06 12 34 56 78 06 12 34 56 79",
        "+49 151 1234 5678 or +44 7700 900123",
        "2026-11-27 10:00-12:00, 2026-11-28 14:00-16:00",
        "27/11/2026, 28/11/2026",
        "27.11.26 - 28.11.26",
        "order 4000123, 4000124",
        "HH-424242 and HH-424243",
        "my code is 482913",
        "my postcode is HB1 4QT and the error code is 404",
        "security code please",
        "we security checked code 7, call 07700 900123",
        "between one and two, or three to four on the fifth",
    ],
)
def test_what_stays(text: str) -> None:
    """Phone numbers side by side, dates, times, order numbers, codes of other things."""
    assert mask(text) == text


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.times(), st.times())
def test_no_dates_and_times_are_taken_for_a_card_number(one: date, start: clock, end: clock) -> None:
    text = f"{one} {start:%H:%M}-{end:%H:%M}, {one} {end:%H:%M}"
    assert mask(text) == text


def test_numbers_in_json_are_masked_too() -> None:
    """A card's number as a JSON number becomes masked text; other numbers stay numbers."""
    assert clean({"a": [4242424242424242, 1764150000000, 7, True, 1.5, 4242424242424241]}) == {
        "a": ["•••• •••• •••• 4242", 1764150000000, 7, True, 1.5, 4242424242424241]
    }


def test_digits_that_stand_together_are_hidden() -> None:
    """Three or more, in figures or in words; a “one” among other words is a word."""
    assert hide_digits("it is four two, four, can one of you take 482913 to HB1") == "it is • •, •, can one of you take •••••• to HB1"


@pytest.mark.parametrize(
    ("keys", "kept"),
    [
        ("4242424242424242", "•••• •••• •••• 4242"),
        ("4242*4242*4242*4242#", "•••• •••• •••• 4242#"),
        ("4242424242424241", "••••••••••••••••"),
        ("07700900123", "07700900123"),
        ("00447700900123", "00447700900123"),
        ("0", "0"),
    ],
)
def test_keys_that_may_be_a_card_are_masked(keys: str, kept: str) -> None:
    """Even with a slip, which leaves fifteen right digits; phone numbers stay."""
    assert mask_keys(keys) == kept


HOSTILE = [
    "4", "4 ", "4, ", "4242 ", "4242-", "+4", "+1 2", "1:", "12-", "four ", "double ", "forty ", "4 and ", "and ", "um ", " ", "\u200b",
    "-", "cvv ", "cvv 1 ", "security code is my ", "a1", "0", "4" * 17 + " ", "+44 7700 900123 ", "4" + " " * 50,
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_texts_take_no_longer_than_others(piece: str) -> None:
    """The longest message, made of one thing: well under what anybody would notice, however busy the machine is."""
    text = (piece * 4_000)[:4_000]
    began = time.process_time()
    mask(text)
    mask(f"4{text}4")
    assert time.process_time() - began < 1


@examples(max_examples=200)
@given(st.text(st.sampled_from("0123456789 ,.-+:\u200babcoe"), max_size=200))
def test_masking_twice_is_masking_once(text: str) -> None:
    assert mask(mask(text)) == mask(text)


@given(st.uuids())
def test_no_uuid_is_taken_for_a_card_number(value: object) -> None:
    """One in a thousand UUIDs holds the digits of a card number with a right Luhn digit."""
    assert mask(f"call {value} ended") == f"call {value} ended"


def test_a_uuid_that_holds_a_card_number_stays_whole() -> None:
    """The case that chance rarely brings."""
    for text in ("a0000000-4111-1111-1111-1111abcdefab", "a4111111111111111bcdefabcdefabcd"):
        assert mask(text) == text
