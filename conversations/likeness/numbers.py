"""Numbers as they are said: in words of any language that CLDR spells out, and in pieces that add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from unicode_rbnf import FormatPurpose, RbnfEngine
from unicode_rbnf.engine import NoRuleForNumberError

from conversations.likeness.folding import words

SAID_AS_ONE_WORD: Final = (*range(100), *range(100, 1000, 100), 1000, 2000)
MOST_PIECES: Final = 14
MOST_READINGS: Final = 12


@lru_cache(maxsize=64)
def number_words(language: str) -> Mapping[str, int]:
    """Folded words of a language that are a number by themselves, cardinal or ordinal, in every form that CLDR gives.

    Empty for an unknown language.
    """
    try:
        engine = RbnfEngine.for_language(language.replace("-", "_").split("_")[0])
    except ValueError:
        return {}
    found: dict[str, int] = {}
    for purpose in (FormatPurpose.CARDINAL, FormatPurpose.ORDINAL):
        for number in SAID_AS_ONE_WORD:
            for form in _forms(engine, number, purpose):
                said = words(form)
                if len(said) == 1 and not any(character.isdigit() for character in form):
                    found.setdefault(said[0], number)
    return found


def _forms(engine: RbnfEngine, number: int, purpose: FormatPurpose) -> Iterable[str]:
    try:
        return engine.format_number(number, purpose).text_by_ruleset.values()
    except (ValueError, NoRuleForNumberError):
        return ()  # the language has none of this purpose


def as_digits(token: str, languages: Sequence[str]) -> str | None:
    """The digits of a folded token that is a number, in digits or as a word of one of the languages; else None."""
    if token.isdigit():
        return token
    for language in languages:
        if token in number_words(language):
            return str(number_words(language)[token])
    return None


def joined(pieces: Iterable[str]) -> list[str]:
    """What pieces of a long number can be when read together, at most 12 readings, plain joining first.

    Somebody who says “two hundred, ninety-six” may mean 20096 or 296: a piece that ends in zeros can take in the
    next one when that fits into them.
    """
    readings: list[list[str]] = [[]]
    for piece in list(pieces)[:MOST_PIECES]:
        added_up = [[*before[:-1], before[-1][: -len(piece)] + piece] for before in readings if before and _takes_in(before[-1], piece)]
        readings = ([[*before, piece] for before in readings] + added_up)[:MOST_READINGS]
    return list(dict.fromkeys("".join(reading) for reading in readings if reading))


def _takes_in(number: str, piece: str) -> bool:
    zeros = len(number) - len(number.rstrip("0"))
    return len(piece) <= zeros < len(number) and piece.isdigit() and piece.strip("0") != ""
