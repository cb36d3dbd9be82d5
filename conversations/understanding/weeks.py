"""A weekday and the week that is named beside it: “next week, Tuesday”, “Friday of next week”."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

WEEKDAYS: Final = {
    name: number
    for number, names in enumerate(
        ("monday mon", "tuesday tues tue", "wednesday weds wed", "thursday thurs thur thu", "friday fri", "saturday sat", "sunday sun")
    )
    for name in names.split()
}  # fmt: skip
BETWEEN: Final = frozenset({"of", "in", "the", "on", "-"})


def day_in_week(words: Sequence[str], first: tuple[int, int, date], second: tuple[int, int, date]) -> date | None:
    """The day that two of the `words` say together; None when they are not a week and a weekday of it.

    Each is where it begins and ends, and the day it says alone. A week that was named first counts wherever the weekday stands, one that
    is named after it only right beside it.
    """
    named, week = (second, first) if _is_week(words, first) else (first, second)
    if not _is_week(words, week) or words[named[0]] not in WEEKDAYS:
        return None
    if named is first and not set(words[first[1] : second[0]]) <= BETWEEN:
        return None
    monday = week[2] - timedelta(days=week[2].weekday())
    return monday + timedelta(days=WEEKDAYS[words[named[0]]])


def _is_week(words: Sequence[str], found: tuple[int, int, date]) -> bool:
    said = words[found[0] : found[1]]
    return bool({"week", "weeks", "fortnight"} & set(said)) and not any(word in WEEKDAYS for word in said)
