"""Card numbers and security codes that come in several messages, each of which is harmless by itself.

Only looks at texts; what follows from it is done by `split_secrets`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import phonenumbers

from conversations.services.redaction import (
    CODE_NAME,
    FIRST_DIGITS,
    ISSUED,
    LIKELY_LENGTHS,
    LONGEST_CARD,
    LONGEST_CODE,
    SHORTEST_CARD,
    SHORTEST_CODE,
    TOWARDS_THE_CODE,
    edited,
    hidden,
    length_of,
    luhn_is_right,
    tail,
    without_other_numbers,
)
from conversations.services.written_digits import Group, groups, is_bare, runs

USUAL_LENGTH: Final = 16
RARE_LENGTHS: Final = (13, 17, 18)
"""No card has been issued with the first for decades, and few with the others; a phone number and a reference often have as many."""
_CARD_TALK: Final = re.compile(r"\b(?:cards?|visa|master ?card|maestro|amex|american express)\b", re.IGNORECASE)
_OTHER_NUMBER: Final = re.compile(
    r"\b(?:orders?|ref(?:erence)?|invoice|booking|account|customer|tele?phone|mobile|phone|call me|meter|serial|model|ticket|case"
    r"|post ?code|zip)\b",
    re.IGNORECASE,
)
LONGEST_PREFIX: Final = 5
_AFTER_LETTERS: Final = re.compile(r"[^\W\d_]{1,4}-?\Z")
_AFTER_A_CODE: Final = re.compile(r"\W*(?:please|thanks|thank you)?\W*", re.IGNORECASE)
SHORTEST_DIALLED: Final = 10
"""Of numbers that are dialled with a leading zero, in full."""
_AMERICAN_PHONE: Final = (3, 3, 4)


@dataclass(frozen=True, slots=True)
class SplitCard:
    """A card number that ended in the last of several texts: in which it began, the digits, and how the last one is kept.

    `pieces` are the digits that stood in each text from the first on, the last included; empty where there were none.
    """

    first: int
    pieces: tuple[str, ...]
    last_text: str


def may_be_piece(text: str) -> bool:
    """Whether a text holds digits that could belong to a card's number or be its security code, or names the code.

    Those are three digits that stand together, or any when there is nothing else. What reads at once as a time, a date or
    a postcode is not; whether the rest is, only the texts around it tell.
    """
    if CODE_NAME.search(text):
        return True
    found = groups(text)
    return bool(found) and bool(_pieces(text, found, _OTHER_COUNTRY, about_card=True))


def is_about_card(texts: Sequence[str]) -> bool:
    """Whether one of the texts speaks of a card."""
    return any(_CARD_TALK.search(text) or CODE_NAME.search(text) for text in texts)


def find_split_card(texts: Sequence[str], *, region: str, about_card: bool) -> SplitCard | None:
    """The card number that ends in the last text and began in an earlier one, None when there is none.

    Its digits are those that stand one after the other in the texts, whatever words are between them. What is none of
    it, and ends it: dates, times, postcodes, references such as “HH-424242”, phone numbers as `region` (ISO 3166-1) dials
    them, unless there is nothing else in a text, and numbers of which a text says that they are something else. When a
    card is spoken of, the last two are pieces like others, and the rest is passed over. It has a right check digit, and
    the usual 16 digits or as many others as its first digits ask for; of the rarer lengths only when a card is spoken of.
    """
    last = len(texts) - 1
    in_order = _in_order(texts, region, about_card=about_card)
    ends = [place for place, (number, _group) in enumerate(in_order) if number == last][:LONGEST_CARD]
    found: dict[int, tuple[int, int]] = {}
    for end in ends:
        digits = ""
        for start in range(end, -1, -1):
            digits = in_order[start][1].digits + digits
            if len(digits) > LONGEST_CARD:
                break
            if in_order[start][0] < last and _is_card(digits, about_card=about_card):
                found.setdefault(len(digits), (start, end))
    length = next((length for length in LIKELY_LENGTHS if length in found), None)
    if length is None:
        return None
    start, end = found[length]
    first = in_order[start][0]
    of_card = in_order[start : end + 1]
    pieces = tuple("".join(group.digits for at, group in of_card if at == number) for number in range(first, last + 1))
    inside = [group for number, group in of_card if number == last]
    after = [group for _number, group in in_order[end + 1 :]]
    kept = edited(texts[last], [*(hidden(group) for group in inside), *tail(after, "".join(pieces))])
    return SplitCard(first, pieces, kept)


def without_code(text: str, *, was_named: bool) -> str:
    """`text`, said when a security code may come, without it.

    When the code `was_named` just before, three or four digits are it wherever they stand; otherwise, after a card's
    number, only when there is nothing else in the text.
    """
    found = _on_their_own(text, groups(text))
    rows = [run.groups for run in runs(text, found)]
    codes = [row for row in rows if _may_be_code(row)]
    if len(codes) != 1 or not (was_named or (len(rows) == 1 and _is_nothing_but(text, codes[0]))):
        return text
    return edited(text, [hidden(group) for group in codes[0]])


def names_code(text: str) -> bool:
    """Whether a text speaks of a card's security code."""
    return CODE_NAME.search(text) is not None


_OTHER_COUNTRY: Final = "ZZ"
"""The code for no country: only what is written with its country's code is a phone number."""


def _in_order(texts: Sequence[str], region: str, *, about_card: bool) -> list[tuple[int, Group]]:
    """The pieces, each with the number of its text, since the last text that had other numbers only."""
    in_order: list[tuple[int, Group]] = []
    for number, text in enumerate(texts):
        found = groups(text)
        pieces = _pieces(text, found, region, about_card=about_card)
        in_order += [(number, group) for group in pieces]
        if not pieces and not about_card and length_of(found) >= SHORTEST_CODE:
            in_order.clear()
    return in_order


def _is_card(digits: str, *, about_card: bool) -> bool:
    if len(digits) < SHORTEST_CARD or digits[0] not in FIRST_DIGITS or not luhn_is_right(digits):
        return False
    if about_card or len(digits) == USUAL_LENGTH:
        return True
    return len(digits) not in RARE_LENGTHS and ISSUED.fullmatch(digits) is not None


def _pieces(text: str, found: Sequence[Group], region: str, *, about_card: bool) -> list[Group]:
    bare = is_bare(text, found)
    if not about_card and not bare and _OTHER_NUMBER.search(text):
        return []
    rows = (run.groups for run in runs(text, _on_their_own(text, found)))
    pieces: list[Group] = []
    for row in rows:
        if not about_card and _is_phone(row, region):
            # It is a piece of a card's number as a whole, if at all.
            pieces += [Group(row[0].start, row[-1].end, "".join(group.digits for group in row), in_words=False)] if bare else []
        elif bare or length_of(row) >= SHORTEST_CODE:
            pieces += row
    return pieces


def _on_their_own(text: str, found: Sequence[Group]) -> list[Group]:
    """The groups that are no piece of a postcode, a reference with letters in it, a date or a time."""
    return [group for group in without_other_numbers(text, found) if group.in_words or not _touches_letters(text, group)]


def _touches_letters(text: str, group: Group) -> bool:
    before = _AFTER_LETTERS.search(text, max(0, group.start - LONGEST_PREFIX), group.start)
    return before is not None or text[group.end : group.end + 1].isalpha()


def _is_phone(row: Sequence[Group], region: str) -> bool:
    digits = "".join(group.digits for group in row)
    if tuple(len(group.digits) for group in row) == _AMERICAN_PHONE:
        return True
    if not digits.startswith("0") or len(digits) < SHORTEST_DIALLED:
        return False
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(digits, region))
    except phonenumbers.NumberParseException:
        return False


def _may_be_code(row: Sequence[Group]) -> bool:
    is_one = len(row) == 1 or all(len(group.digits) == 1 or group.in_words for group in row)
    return is_one and SHORTEST_CODE <= length_of(row) <= LONGEST_CODE


def _is_nothing_but(text: str, code: Sequence[Group]) -> bool:
    before, after = text[: code[0].start], text[code[-1].end :]
    return TOWARDS_THE_CODE.fullmatch(before) is not None and _AFTER_A_CODE.fullmatch(after) is not None
