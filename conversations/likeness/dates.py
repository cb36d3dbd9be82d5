"""Dates as they are said or typed: month names of any language, digits in any order and cut anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from django.utils import translation
from django.utils.dates import MONTHS, MONTHS_3, MONTHS_ALT, MONTHS_AP
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from conversations.likeness.folding import tokens, words
from conversations.likeness.numbers import as_digits, joined

MOST_READINGS: Final = 40
LONGEST_LIFE: Final = 120
LIKE_ENOUGH_TO_A_MONTH: Final = 0.7
SHORTEST_MISHEARD_MONTH: Final = 4


class DateReading(NamedTuple):
    """A date as far as it was understood."""

    year: int | None
    month: int | None
    day: int | None


def read(hypotheses: Iterable[str], languages: Sequence[str], *, latest_year: int) -> list[DateReading]:
    """What dates the hypotheses can mean, at most 40, those of better hypotheses first.

    Years lie in the 120 years up to `latest_year`; a year of two digits is tried in each of its centuries. All orders of day,
    month and year that give a possible date are read.
    """
    readings: dict[DateReading, None] = {}
    for hypothesis in hypotheses:
        for year, month, day in _parts(hypothesis, languages):
            for whole_year in _years(year, latest_year):
                if (month is None or 1 <= month <= 12) and (day is None or 1 <= day <= 31) and (whole_year or month):
                    readings.setdefault(DateReading(whole_year, month, day))
        if len(readings) >= MOST_READINGS:
            break
    return list(readings)[:MOST_READINGS]


@lru_cache(maxsize=64)
def month_words(language: str) -> Mapping[str, int]:
    """Folded month names of a language, in each form that Django's translation knows."""
    found: dict[str, int] = {}
    with translation.override(language):
        for names in (MONTHS, MONTHS_ALT, MONTHS_AP, MONTHS_3):
            for number, name in names.items():
                found.setdefault("".join(words(str(name))), number)
    return found


def _month(word: str, languages: Sequence[str]) -> int | None:
    """The month that a folded word names, also when slightly misheard."""
    for language in languages:
        if word in month_words(language):
            return month_words(language)[word]
    if len(word) < SHORTEST_MISHEARD_MONTH:
        return None
    for language in languages:
        near = process.extractOne(
            word, month_words(language).keys(), scorer=Levenshtein.normalized_similarity, score_cutoff=LIKE_ENOUGH_TO_A_MONTH
        )
        if near:
            return month_words(language)[near[0]]
    return None


def _parts(hypothesis: str, languages: Sequence[str]) -> Iterator[tuple[int | None, int | None, int | None]]:
    """Year (two or four digits), month and day, not yet checked."""
    before: list[str] = []
    after: list[str] = []
    month: int | None = None
    for token in tokens(hypothesis):
        digits = as_digits(token, languages)
        if digits is not None:
            (after if month else before).append(digits)
        elif month is None:
            month = _month(token, languages)
    if month is None:
        yield from _from_digits(before)
    elif before and after:
        for day in joined(before[-2:]):
            for year in joined(after):
                yield _year_in(year), month, int(day[-2:])
    else:
        yield from _beside_month(before or after, month)


def _from_digits(pieces: Sequence[str]) -> Iterator[tuple[int | None, int | None, int | None]]:
    """Each way to cut a row of digits into day, month and year, in the orders in which they are written somewhere."""
    for digits in joined(pieces):
        if len(digits) == 4:
            yield int(digits), None, None
        for first, second in ((1, 1), (1, 2), (2, 1), (2, 2)):
            for year in (2, 4):
                if first + second + year == len(digits):
                    one, two, rest = int(digits[:first]), int(digits[first : first + second]), int(digits[first + second :])
                    yield rest, two, one
                    yield rest, one, two
                    yield int(digits[:year]), int(digits[year : year + first]), int(digits[year + first :])


def _beside_month(pieces: Sequence[str], month: int) -> Iterator[tuple[int | None, int | None, int | None]]:
    """Day and year that stand on the same side of a month's name, or only one of them, or neither."""
    for digits in joined(pieces) or [""]:
        for day in (1, 2):
            if len(digits) == 4 + day:
                yield int(digits[day:]), month, int(digits[:day])
                yield int(digits[:4]), month, int(digits[4:])
        if len(digits) == 4:
            yield int(digits), month, None
        elif len(digits) in (1, 2):
            yield None, month, int(digits)
        elif not digits:
            yield None, month, None


def _year_in(digits: str) -> int | None:
    """The year in what was said after the month; what follows it (“1966 was the year”) is left out."""
    return int(digits[:4]) if len(digits) == 2 or len(digits) >= 4 else None


def _years(year: int | None, latest: int) -> Iterator[int | None]:
    first = latest - LONGEST_LIFE
    if year is None or year >= 100:
        yield year if year is not None and first <= year <= latest else None
    else:
        centuries = range(latest // 100 * 100, first - 100, -100)
        yield from (century + year for century in centuries if first <= century + year <= latest)
