"""Keeps card numbers out of everything that is stored."""

import re
from collections.abc import Sequence

SHORTEST_CARD = 13
LONGEST_CARD = 19
_DIGITS = re.compile(r"\d(?:[\s./_\-\u2010-\u2015]{0,3}\d){12,}")
_GROUP = re.compile(r"\d+")
_NO_CARD = re.compile(
    r"\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # a UUID
    r"|(?=\d{0,31}[a-f])[0-9a-f]{32})\b"  # the same without its dashes
    r"|\+\d(?:[ .()/-]{0,2}\d){6,14}(?![ .()/-]{0,2}\d)",  # an international phone number, at most 15 digits (ITU-T E.164)
    re.IGNORECASE,
)
_FIRST_DIGITS_OF_CARDS = "23456"
_SECURITY_CODE = re.compile(r"(?i)\b(cvv2?|cvc2?|security code|card code)(\W{0,3}(?:is|:|=)?\W{0,3})(\d{3,4})\b")


def mask(text: str) -> str:
    """The text with card numbers cut to their last four digits and security codes removed.

    A run of 13 to 19 digits, however spaced, counts as a card number when its Luhn digit is right
    (ISO/IEC 7812); so do such digits beside others, as with the date after a card's number, when they are whole groups
    and begin like a payment card's. UUIDs and phone numbers written with a plus are left alone: one in ten has a right
    Luhn digit, too. PCI DSS 3.3.1 forbids storing security codes at all.
    """
    masked, at = "", 0
    for kept in _NO_CARD.finditer(text):
        masked += _DIGITS.sub(_mask_cards, text[at : kept.start()]) + kept.group()
        at = kept.end()
    masked += _DIGITS.sub(_mask_cards, text[at:])
    return _SECURITY_CODE.sub(r"\1\2•••", masked)


def _mask_cards(match: re.Match[str]) -> str:
    text = match.group()
    groups = list(_GROUP.finditer(text))
    shown, at, first = "", 0, 0
    while first < len(groups):
        last = _end_of_card(groups, first)
        if last is None:
            first += 1
            continue
        digits = "".join(group.group() for group in groups[first : last + 1])
        shown += f"{text[at : groups[first].start()]}•••• •••• •••• {digits[-4:]}"
        at, first = groups[last].end(), last + 1
    return shown + text[at:]


def _end_of_card(groups: Sequence[re.Match[str]], first: int) -> int | None:
    """The last of the groups that make a card number beginning with group `first`; None when there is none."""
    digits, found = "", None
    for last in range(first, len(groups)):
        digits += groups[last].group()
        if len(digits) > LONGEST_CARD:
            break
        alone = first == 0 and last == len(groups) - 1
        begins_like_one = digits[0] in _FIRST_DIGITS_OF_CARDS or (alone and digits[0] != "0")
        if len(digits) >= SHORTEST_CARD and begins_like_one and _luhn_is_right(digits):
            found = last
    return found


def _luhn_is_right(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0
