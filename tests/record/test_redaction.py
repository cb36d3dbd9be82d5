"""What is taken for a card number, and what only looks like one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from conversations.services.redaction import mask

SEPARATORS = st.sampled_from(["", " ", "-", ".", " - ", "\u2013", "\u00a0"])


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


@given(st.uuids())
def test_no_uuid_is_taken_for_a_card_number(value: object) -> None:
    """One in a thousand UUIDs holds the digits of a card number with a right Luhn digit."""
    assert mask(f"call {value} ended") == f"call {value} ended"


def test_a_uuid_that_holds_a_card_number_stays_whole() -> None:
    """The case that chance rarely brings."""
    for text in ("a0000000-4111-1111-1111-1111abcdefab", "a4111111111111111bcdefabcdefabcd"):
        assert mask(text) == text
