"""Keeps card numbers and security codes out of everything that is stored, whether they were typed, said or keyed."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

import phonenumbers

from conversations.services.written_digits import Group, Run, groups, is_bare, is_gap, runs

SHORTEST_CARD: Final = 13
LONGEST_CARD: Final = 19
SMALLEST_CARD: Final = 2 * 10 ** (SHORTEST_CARD - 1)
"""As a number: the first digit of a payment card is 2 or higher."""
SHORTEST_CODE: Final = 3
LONGEST_CODE: Final = 4
LONGEST_SAID_AS_CODE: Final = 8
LONGEST_TAIL: Final = 10
MASK: Final = "•"
LIKELY_LENGTHS: Final = (16, 15, 14, 19, 18, 17, 13)
FIRST_DIGITS: Final = "23456"
_GROUPINGS: Final = frozenset({(4, 4, 4, 4), (4, 4, 4, 4, 1), (4, 4, 4, 4, 2), (4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4)})
ISSUED: Final = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|220[0-4]\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35\d{14}|(?:6\d|5[06-9])\d{14,17}",
    re.ASCII,
)
"""How long the numbers of the great schemes are, by how they begin."""
_AMERICAN_EXPRESS: Final = ("34", "37")
_NO_CARD: Final = re.compile(
    r"\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # a UUID
    r"|(?=\d{0,31}[a-f])[0-9a-f]{32})\b"  # the same without its dashes
    r"|\b(?:19|20)\d\d([-./])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])\b"  # a date
    r"|\b(?:0?[1-9]|[12]\d|3[01])([-./])(?:0?[1-9]|[12]\d|3[01])\2(?:19|20)?\d\d\b"
    r"|\b(?:[01]?\d|2[0-3]):[0-5]\d\b(?!:\d)"  # a time
    r"|\b(\d{3})[ .-]\d{3}[ .-]\d{4}[ .-]+\d{3}[ .-]\d{3}[ .-]\d{4}\b"  # two phone numbers as in North America
    r"|(?P<phone>\+\d(?:[ .()/-]{0,2}\d){6,14})(?![ .()/-]{0,2}\d)",  # an international number, at most 15 digits (E.164)
    re.IGNORECASE,
)
CODE_NAME: Final = re.compile(
    r"\b(?:cvv2?|cvc2?|csc|security (?:code|number)|card code|card verification(?: code| number| value)?"
    r"|(?:three|3|four|4)[ -](?:digits?|numbers?)(?: code| number)? (?:on|at) the (?:back|front|reverse))\b",
    re.IGNORECASE,
)
_CODE_BESIDE_A_CARD: Final = re.compile(r"\bcode\b", re.IGNORECASE)
TOWARDS_THE_CODE: Final = re.compile(
    r"(?:\W{0,3}\b(?:is|are|it|s|its|was|number|code|on|the|my|of|for|card|back|front|this|that|here|reads|says|in|and|a"
    r"|u+m+|u+h+|er+m?|so|would|be)\b){0,8}\W{0,5}",
    re.IGNORECASE,
)
_LONGEST_WAY: Final = 60

Edit = tuple[int, int, str]
"""From where to where in the text, and what stands there instead."""


@dataclass(frozen=True, slots=True)
class _Card:
    """The groups of a run that hold a card's number; `rest` is what was joined on to it without a pause."""

    first: int
    last: int
    digits: str
    rest: str = ""

    @property
    def shown(self) -> str:
        return f"{MASK * 4} {MASK * 4} {MASK * 4} {self.digits[-4:]}{MASK * len(self.rest)}"


def mask(text: str) -> str:
    """The text with card numbers cut to their last four digits and security codes removed.

    A card number is 13 to 19 digits with a right Luhn digit (ISO/IEC 7812), in figures or in words. Grouped as cards
    are, it is found anywhere and with any marks between the groups; otherwise it must stand alone, with nothing but
    spaces and dashes in it, or be as long as its first digits ask for. UUIDs, dates, times and valid international phone
    numbers are left alone: one in ten has a right Luhn digit, too. PCI DSS 3.3.1 forbids storing security codes at all:
    they go when they are named, and when they follow a card's number. Takes time in proportion to the text's length.
    """
    found = groups(text)
    total = length_of(found)
    cards = list(_cards(text, found)) if total >= SHORTEST_CARD else []
    codes = _codes(text, found, beside_a_card=bool(cards)) if total >= SHORTEST_CODE else []
    return edited(text, [*cards, *codes])


def hide_digits(text: str) -> str:
    """The text with a dot for each digit, in figures or in words, where three or more stand together or nothing else does."""
    found = groups(text)
    least = 1 if is_bare(text, found) else SHORTEST_CODE
    rows = (run.groups for run in runs(text, found))
    return edited(text, [hidden(group) for row in rows if length_of(row) >= least for group in row])


def mask_keys(keys: str) -> str:
    """Keys of a phone that were pressed at once, masked when they are a card's number, even with a slip in it."""
    masked = mask(keys)
    may_be_a_card = len(keys) >= SHORTEST_CARD and keys[0] in FIRST_DIGITS
    return hide_digits(keys) if may_be_a_card and masked == keys else masked


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits made; of two that overlap, the one that begins first stands."""
    shown, at = "", 0
    for start, end, instead in sorted(edits, key=itemgetter(0)):
        if start >= at:
            shown += text[at:start] + instead
            at = end
    return shown + text[at:]


def hidden(group: Group) -> Edit:
    """A dot for each digit of the group."""
    return group.start, group.end, MASK * len(group.digits)


def without_other_numbers(text: str, found: Sequence[Group]) -> list[Group]:
    """The groups that are no piece of a UUID, a date, a time or a valid international phone number."""
    return _without(found, [match.span() for match in _NO_CARD.finditer(text) if _is_no_card(match)])


def _cards(text: str, found: Sequence[Group]) -> Iterator[Edit]:
    for run in runs(text, without_other_numbers(text, found)):
        cards = list(_cards_of(run))
        firsts = [*(card.first for card in cards), len(run.groups)]
        for number, card in enumerate(cards, start=1):
            yield run.groups[card.first].start, run.groups[card.last].end, card.shown
            yield from tail(run.groups[card.last + 1 : firsts[number]], card.digits)


def _cards_of(run: Run) -> Iterator[_Card]:
    first = 0
    while first < len(run.groups):
        last = _end_of_card(run, first)
        if last is not None:
            yield _Card(first, last, "".join(group.digits for group in run.groups[first : last + 1]))
        elif found := _card_at_the_beginning(run.groups[first].digits):
            yield _Card(first, first, *found)
        first = first + 1 if last is None else last + 1


def _is_no_card(match: re.Match[str]) -> bool:
    if match["phone"] is None:
        return True
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(match["phone"]))
    except phonenumbers.NumberParseException:
        return False


def _without(found: Sequence[Group], spans: Sequence[tuple[int, int]]) -> list[Group]:
    """The groups outside the spans, both in order of where they stand."""
    kept, number = [], 0
    for group in found:
        while number < len(spans) and spans[number][1] <= group.start:
            number += 1
        if number == len(spans) or group.end <= spans[number][0]:
            kept.append(group)
    return kept


def _end_of_card(run: Run, first: int) -> int | None:
    """The last of the groups that make a card number beginning with group `first`; None when there is none."""
    ends: dict[int, int] = {}
    digits = ""
    for last in range(first, len(run.groups)):
        digits += run.groups[last].digits
        if len(digits) > LONGEST_CARD:
            break
        if len(digits) >= SHORTEST_CARD and _is_card(run, first, last, digits):
            ends[len(digits)] = last
    return next((ends[length] for length in LIKELY_LENGTHS if length in ends), None)


def _is_card(run: Run, first: int, last: int, digits: str) -> bool:
    alone = first == 0 and last == len(run.groups) - 1
    inside = run.groups[first : last + 1]
    is_narrow = all(run.narrow[first:last])
    if len(inside) == 1 or tuple(len(group.digits) for group in inside) in _GROUPINGS:
        begins_like_one = digits[0] in FIRST_DIGITS or (alone and digits[0] != "0")
    elif run.groups[0].digits[0] == "0":
        return False  # phone numbers side by side
    elif alone and (is_narrow or all(group.in_words for group in inside)):
        begins_like_one = True
    else:
        is_one_row = is_narrow or all(group.is_spelled for group in inside)
        begins_like_one = is_one_row and ISSUED.fullmatch(digits) is not None
    return begins_like_one and luhn_is_right(digits)


def _card_at_the_beginning(digits: str) -> tuple[str, str] | None:
    """A card number and what was written or said on from it without a pause: its date, its security code."""
    for length in LIKELY_LENGTHS:
        card = digits[:length]
        if length < len(digits) and ISSUED.fullmatch(card) and luhn_is_right(card):
            return card, digits[length:]
    return None


def tail(following: Sequence[Group], card: str) -> Iterator[Edit]:
    """What follows a card's number at once: its date stays, the security code goes, and so does what was spelled out."""
    length = 0
    code = LONGEST_CODE if card.startswith(_AMERICAN_EXPRESS) else SHORTEST_CODE
    for group in following:
        length += len(group.digits)
        if len(group.digits) > LONGEST_CODE or length > LONGEST_TAIL:
            return
        if group.in_words or len(group.digits) in (1, SHORTEST_CODE, code):
            yield hidden(group)


def _codes(text: str, found: Sequence[Group], *, beside_a_card: bool) -> list[Edit]:
    starts = [group.start for group in found]
    names = [match.end() for match in CODE_NAME.finditer(text)]
    if beside_a_card:
        names += [match.end() for match in _CODE_BESIDE_A_CARD.finditer(text)]
    edits = []
    for end in names:
        first = bisect_left(starts, end)
        way = text[end : starts[first]] if first < len(found) else ""
        if first < len(found) and len(way) <= _LONGEST_WAY and TOWARDS_THE_CODE.fullmatch(way):
            last = _end_of_code(text, found, first)
            if last is not None:
                edits.append((starts[first], found[last].end, MASK * SHORTEST_CODE))
    return edits


def _end_of_code(text: str, found: Sequence[Group], first: int) -> int | None:
    """The last group of a security code that begins with group `first`; None when what stands there is something longer."""
    length = 0
    for last in range(first, len(found)):
        group = found[last]
        if last > first and not is_gap(text[found[last - 1].end : group.start]):
            return None
        length += len(group.digits)
        if length > LONGEST_SAID_AS_CODE:
            return None
        if length >= SHORTEST_CODE:
            return last + _has_a_fourth(text, found, last) if length == SHORTEST_CODE and len(group.digits) == 1 else last
    return None


def _has_a_fourth(text: str, found: Sequence[Group], last: int) -> bool:
    follower = found[last + 1] if last + 1 < len(found) else None
    return follower is not None and len(follower.digits) == 1 and is_gap(text[found[last].end : follower.start])


def length_of(row: Sequence[Group]) -> int:
    """How many digits the groups have together."""
    return sum(len(group.digits) for group in row)


def luhn_is_right(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0
