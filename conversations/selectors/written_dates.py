"""Dates as people write them, such as dates of birth: 3 May 1980, 03/05/1980, 1980-05-03."""

import re
from collections.abc import Iterator
from datetime import date

from django.utils import timezone
from django.utils.translation import get_language

from conversations.likeness import folding
from conversations.likeness.dates import month_words

YEAR_FIRST = re.compile(r"^(\d{4})\s*[-./ ]\s*(\d{1,2})\s*[-./ ]\s*(\d{1,2})$")
YEAR_LAST = re.compile(r"^(\d{1,2})\s*[-./ ]\s*(\d{1,2})\s*[-./ ]\s*(\d{4}|\d{2})$")
DAY_AND_NAME = re.compile(r"^(\d{1,2})(?:st|nd|rd|th|\.)?[\s-]+(?:of\s+)?([^\W\d_]+)\.?,?[\s-]+(\d{4}|\d{2})$")
NAME_AND_DAY = re.compile(r"^([^\W\d_]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4}|\d{2})$")
COMPACT = re.compile(r"^(\d{4})(\d{2})(\d{2})$")


def meant_by(text: str) -> list[date]:
    """Every date that a text may mean, the day before the month first; none when it is no date.

    Days that lie ahead are among them. Two digits of a year are of the last hundred years. Months may be named in English or
    the active language.
    """
    readings: dict[date, None] = {}
    for year, month, day in _readings(" ".join(text.split()).lower()[:40]):
        try:
            readings[date(year if year > 99 else _whole_year(year), month, day)] = None
        except ValueError:
            continue
    return list(readings)


def _readings(text: str) -> Iterator[tuple[int, int, int]]:
    if found := YEAR_FIRST.match(text) or COMPACT.match(text):
        yield int(found[1]), int(found[2]), int(found[3])
    elif found := YEAR_LAST.match(text):
        yield int(found[3]), int(found[2]), int(found[1])
        yield int(found[3]), int(found[1]), int(found[2])
    elif found := DAY_AND_NAME.match(text):
        yield int(found[3]), _month(found[2]), int(found[1])
    elif found := NAME_AND_DAY.match(text):
        yield int(found[3]), _month(found[1]), int(found[2])


def _month(name: str) -> int:
    """The number of a month by its name or a usual short form, in the active language or English, with accents or without.

    0 when it is none.
    """
    word = "".join(folding.words(name))
    return next((found for language in (get_language() or "en", "en") if (found := month_words(language).get(word))), 0)


def _whole_year(year: int) -> int:
    this_year = timezone.now().year
    return this_year - (this_year - year) % 100
