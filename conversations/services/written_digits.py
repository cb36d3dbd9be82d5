"""Where digits stand in a text, written or in words, and which of them stand together.

For finding what must not be kept; what a number means is for `understanding`, which reads them more finely. Every
character is looked at a fixed number of times.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

_UNITS: Final = {
    "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9",
}  # fmt: skip
_ZEROS: Final = dict.fromkeys(("nought", "naught", "nil", "oh", "o"), "0")
_TEENS: Final = {
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15", "sixteen": "16",
    "seventeen": "17", "eighteen": "18", "nineteen": "19",
}  # fmt: skip
_TENS: Final = {
    "twenty": "20", "thirty": "30", "forty": "40", "fourty": "40", "fifty": "50", "sixty": "60", "seventy": "70",
    "eighty": "80", "ninety": "90",
}  # fmt: skip
_WORDS: Final = _UNITS | _ZEROS | _TEENS | _TENS
_SCALES: Final = {"hundred": "00", "thousand": "000"}
_REPEATS: Final = {"double": 2, "triple": 3, "treble": 3}
_SAID: Final = (*_WORDS, *_SCALES, *_REPEATS)
_FIRST_LETTERS: Final = "".join(sorted({word[0] for word in _SAID}))
# Every text is searched, and most words are passed over by their first letter.
_TOKEN: Final = re.compile(rf"\d+|\b(?=[{_FIRST_LETTERS}])(?:{'|'.join(_SAID)})\b", re.IGNORECASE)
_INVISIBLE: Final = re.compile("[\u00ad\u034f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u20e3\ufe0f\ufeff]")
_MARKS: Final = r"\s*(?:(?:[^\w\s]|_){1,3}\s*)?"
_NARROW: Final = re.compile(r"[\s./_\-\u2010-\u2015\u2212]{0,3}")
_FILLER: Final = r"\b(?:u+m+|u+h+m?|er+m?|ehm|hm+|mm+|ah+|eh|and|then|dash|hyphen|space)\b"
_WIDE: Final = re.compile(rf"{_MARKS}(?:{_FILLER}{_MARKS}){{0,2}}", re.IGNORECASE)
LONGEST_GAP: Final = 40


@dataclass(frozen=True, slots=True)
class Group:
    """Digits that were written or said as one: where they stand in the text, and what they are in ASCII."""

    start: int
    end: int
    digits: str
    in_words: bool

    @property
    def is_spelled(self) -> bool:
        """Whether it is a piece of something said digit by digit or in pairs."""
        return self.in_words or len(self.digits) <= 2


@dataclass(frozen=True, slots=True)
class Run:
    """Groups with little between them; `narrow[i]` says whether spaces or a dash alone part group i from the next."""

    groups: tuple[Group, ...]
    narrow: tuple[bool, ...]


def groups(text: str) -> list[Group]:
    """The digits of `text` in order: “4242”, “forty two”, “double four”, “seven hundred” are one group each."""
    found: list[Group] = []
    repeat: re.Match[str] | None = None
    for token in _TOKEN.finditer(text):
        word = token.group().lower()
        if word in _REPEATS:
            repeat = token
            continue
        _add(found, text, token, word, repeat)
        repeat = None
    return found


def runs(text: str, found: Sequence[Group]) -> Iterator[Run]:
    """The groups that stand together: with up to three marks, a filler word, or nothing visible between two of them."""
    together: list[Group] = []
    narrow: list[bool] = []
    for group in found:
        if together:
            gap = text[together[-1].end : group.start]
            if not is_gap(gap):
                yield Run(tuple(together), tuple(narrow))
                together, narrow = [], []
            else:
                narrow.append(_is_narrow(gap))
        together.append(group)
    if together:
        yield Run(tuple(together), tuple(narrow))


def is_bare(text: str, found: Sequence[Group]) -> bool:
    """Whether there is nothing but these digits in the text, with little between and around them."""
    edges = [0, *(edge for group in found for edge in (group.start, group.end)), len(text)]
    return bool(found) and all(is_gap(text[start:end]) for start, end in zip(edges[::2], edges[1::2], strict=True))


def is_gap(between: str) -> bool:
    """Whether what stands between two groups leaves them together."""
    return len(between) <= LONGEST_GAP and _WIDE.fullmatch(_INVISIBLE.sub("", between)) is not None


def _is_narrow(gap: str) -> bool:
    return _NARROW.fullmatch(_INVISIBLE.sub("", gap)) is not None


def _add(found: list[Group], text: str, token: re.Match[str], word: str, repeat: re.Match[str] | None) -> None:
    before = found[-1] if found and _follows(text, found[-1].end, token.start()) else None
    if word in _SCALES:
        if before and before.in_words:
            found[-1] = replace(before, end=token.end(), digits=before.digits + _SCALES[word])
        return
    in_words = word in _WORDS
    digits = _WORDS[word] if in_words else "".join(str(unicodedata.decimal(each)) for each in word)
    if before and before.in_words and before.digits in _TENS.values() and word in _UNITS and digits != "0":
        found[-1] = replace(before, end=token.end(), digits=before.digits[0] + digits)
    elif repeat and len(digits) == 1 and _follows(text, repeat.end(), token.start()):
        found.append(Group(repeat.start(), token.end(), digits * _REPEATS[repeat.group().lower()], in_words=True))
    else:
        found.append(Group(token.start(), token.end(), digits, in_words))


def _follows(text: str, end: int, start: int) -> bool:
    return start - end == 1 and text[end] in " -"
