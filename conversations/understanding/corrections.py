"""Putting right what was said before, without saying again what it is of: “it's 12 not 21 Mill Lane”, “make that two”, “actually 11”."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from conversations.understanding.normalise import clean
from conversations.understanding.spoken import to_typed

LONGEST: Final = 200
_LEAD: Final = r"(?:(?:no|oh|sorry|wait|actually|ok|i'm sorry|my mistake|correction|that's wrong)[,.!]? )*"
_IS: Final = r"(?:(?:it|that|the \w+|my \w+)(?:'s| is| should be| was)|it should be|i mean|i meant|should be|make (?:it|that))"
NOT: Final = re.compile(
    rf"{_LEAD}(?:{_IS} )?(?P<right>[\w'-]+(?: [\w'-]+){{0,3}}?),? (?:and )?not (?P<wrong>[\w'-]+(?: [\w'-]+){{0,4}})"
    rf"|{_LEAD}(?:{_IS} )?not (?P<wrong2>[\w'-]+(?: [\w'-]+){{0,3}}?),? (?:but|it's|it is)"
    r" (?P<right2>[\w'-]+(?: [\w'-]+){0,4})",
    re.IGNORECASE,
)
MAKE: Final = re.compile(
    rf"{_LEAD}make (?:it|that|them) (?P<right>\d{{1,4}})(?: of (?:them|those))?(?:,? (?:please|instead|then))*",
    re.IGNORECASE,
)
HOUR: Final = re.compile(
    rf"(?=no\b|oh\b|sorry\b|wait\b|actually\b|make\b|rather\b|i mean|better\b){_LEAD}"
    rf"(?:(?:{_IS}|rather|better|at|can we say|could we say) )*"
    r"(?P<hour>(?:[01]?\d|2[0-3])(?:[:.][0-5]\d)?(?: ?(?:am|pm|o'clock))?)(?:,? (?:please|instead|then|is better|would be better))*",
    re.IGNORECASE,
)
TAKES_BACK: Final = re.compile(
    r"(?:[,;.…!-]+\s*|\s+)"
    r"(?:(?:no|sorry|i'm sorry|i mean|i meant|actually|or rather|rather(?! than)|correction|wait|hang on|hold on|oops|better(?! than))\b"
    r"[,;.…!-]*\s*)+"
    r"(?=\S)",
    re.IGNORECASE,
)
"""What stands between something said and what is meant instead: “the first, no, the second”."""
_SAYS_NOTHING: Final = "it is that this i am i'm we are was do does will can the a there"
SAYS_NOTHING: Final = frozenset(_SAYS_NOTHING.split())
NUMBER: Final = re.compile(r"(?<![\w.])\d{1,4}(?![\w.])(?! [A-Z])")
"""A count, and not the number of a house in a street."""


def is_one(text: str) -> bool:
    """Whether a text has the form of a correction; of what, only what is known can tell."""
    said = to_typed(clean(text))[:LONGEST].strip(" .,!?")
    return bool(NOT.fullmatch(said) or MAKE.fullmatch(said))


def put_right(text: str, known: Mapping[str, str]) -> dict[str, str]:
    """The facts that a text puts right and their values then; `known` are values as text, the one told last first. Empty when it is none.

    Of “12 not 21 Mill Lane” only what differs is replaced, wherever it stands, so that “21 Mill Lane, top floor” stays one; a number alone
    (“make that two”) is that of the fact told last.
    """
    said = to_typed(clean(text))[:LONGEST].strip(" .,!?")
    found = NOT.fullmatch(said)
    if found:
        right, wrong = found["right"] or found["right2"], found["wrong"] or found["wrong2"]
        if {right.split()[-1].lower(), wrong.split()[0].lower()} & SAYS_NOTHING:
            return {}
        if changed := {name: new for name, value in known.items() if (new := _replaced(value, right, wrong))}:
            return changed
    number = MAKE.fullmatch(said)
    counted = next((name for name, value in known.items() if number and NUMBER.search(value)), "")
    return {counted: NUMBER.sub(number["right"], known[counted], count=1)} if number and counted else {}


def tries(text: str) -> list[str]:
    """What a text says one after the other in the place of what it said before, the last first; the whole when it takes nothing back."""
    return [part for part in reversed(TAKES_BACK.split(text)) if part.strip()] or [text]


def hour(text: str) -> str:
    """The hour that a text puts in place of another (“actually 11 please”); empty when it does not."""
    found = HOUR.fullmatch(to_typed(clean(text))[:LONGEST].strip(" .,!?"))
    return found["hour"] if found else ""


def _replaced(value: str, right: str, wrong: str) -> str:
    """`value` with `right` in the place of `wrong`, or of as much of `wrong` as stands there; empty when none of it does."""
    words = wrong.split()
    for size in range(len(words), 0, -1):
        standing = " ".join(words[:size])
        found = re.search(rf"(?<!\w){re.escape(standing)}(?!\w)", value, re.IGNORECASE)
        if found is None:
            continue
        # “12 not 21 Mill Lane”: what follows in both stays as it was; “Sam Okoro not Okafor”: what stands before it is there already.
        size_of_right = len(right.split())
        new = right if size <= size_of_right else " ".join([right, *found[0].split()[size_of_right:]])
        before, said = value[: found.start()], new.split()
        told = f" {before}".rstrip().lower()
        there = next((n for n in range(len(said) - 1, 0, -1) if told.endswith(f" {' '.join(said[:n])}".lower())), 0)
        return f"{before}{' '.join(said[there:])}{value[found.end() :]}"
    return ""
