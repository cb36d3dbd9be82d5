"""Days in what people type and say, relative to a given moment.

A text becomes a list of words, and every reader looks at a fixed number of words from its place, so the
time grows with the length of the text and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from conversations.understanding.doubtful_days import DOUBTFUL_WEEKDAYS, is_day

MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
            "september sept sep", "october oct", "november nov", "december dec",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
WEEKDAYS: Final = {
    name: number
    for number, names in enumerate(
        ("monday mon", "tuesday tues tue", "wednesday weds wed", "thursday thurs thur thu", "friday fri", "saturday sat", "sunday sun")
    )
    for name in names.split()
}  # fmt: skip
_ORDINAL_WORDS: Final = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth"
    " sixteenth seventeenth eighteenth nineteenth twentieth"
)
ORDINALS: Final = {word: number for number, word in enumerate(_ORDINAL_WORDS.split(), start=1)} | {"thirtieth": 30}
NUMBER_WORDS: Final = {"a": 1, "an": 1, "one": 1, "couple": 2}
WORD: Final = re.compile(r"[0-9]+(?:st|nd|rd|th)?|[a-z]+(?:'[a-z]+)?|[-:./]")
PAST: Final = frozenset(
    {"since", "started", "stopped", "broke", "broken", "went", "called", "phoned", "rang", "happened", "been", "did", "came",
     "began", "last", "booked", "paid", "visited", "failed", "died", "burst"}
)  # fmt: skip
REQUEST: Final = frozenset({"can", "come", "could", "book", "need", "please", "for", "want", "to", "move", "like"})
REFUSING: Final = frozenset({"not", "can't", "cant", "cannot", "except", "instead", "rather", "isn't", "unless", "won't", "than", "don't"})
TURNED: Final = frozenset({"but", "instead", "no", "then"})
UNTIL: Final = frozenset({"until", "till", "til", "before"})
THIS_ONE: Final = re.compile(r"(?:this|that) (?:week|month)\b")
"""Refused is that alone: “not this week, next week”."""
NO_DAYS: Final = frozenset(
    {"time", "floor", "one", "thing", "visit", "of", "person", "party", "day", "slot", "appointment", "available", "window", "option",
     "choice", "free", "opening", "week", "half"}
)  # fmt: skip
"""After “the first” they tell that no day of a month is meant."""
MONTHS_AS_NAMES: Final = frozenset({"january", "april", "may", "june", "july", "august", "march", "jan"})
NEAR: Final = 12
DIVIDES: Final = "|"
PLACES: Final = frozenset({"first", "second", "third", "1st", "2nd", "3rd"})
"""Said of a day's windows as well: “Wednesday, first slot”."""
JOINS_HOURS: Final = frozenset({"to", "and", "till", "until", "-"})
FARTHEST_DAYS: Final = 366
LEAP_DAY: Final = (29, 2)
LAST_MONTH: Final = 12
SHORT_FOR: Final = {"xmas": "christmas", "chrimbo": "christmas", "crimbo": "christmas"}
FEASTS: Final = {
    ("christmas", "eve"): (24, 12), ("christmas", "day"): (25, 12), ("boxing", "day"): (26, 12), ("new", "year's", "eve"): (31, 12),
    ("new", "years", "eve"): (31, 12), ("new", "year's", "day"): (1, 1), ("new", "years", "day"): (1, 1),
    ("nye",): (31, 12),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FoundDate:
    """A day that was meant, how sure that is (0 to 1), and the words that said so (`words_of(text)[start:end]`)."""

    day: date
    text: str
    confidence: float
    start: int
    end: int


def words_of(text: str) -> list[str]:
    """The words, numbers and the marks `- : . /` of `text`, in small letters."""
    return [SHORT_FOR.get(word, word) for word in WORD.findall(text.lower())]


def find_date(text: str, *, now: datetime, day_first: bool = True, expected: bool = False) -> FoundDate | None:
    """The day that `text` asks for, or None. `now` is aware, in the time zone in which “tomorrow” is meant.

    Of several days the last one stands (“Tuesday, no, Wednesday”, “from Tuesday to Thursday”), but the first of
    alternatives (“Tuesday or Wednesday”); days that are refused (“not Tuesday”) do not count. A day without
    a year is the next such day; “next Tuesday” is the Tuesday of next week. `expected` says that a day was just
    asked for, so that “the 3rd” or “as soon as possible” will do.

    Raises ValueError when `now` is naive.
    """
    if now.tzinfo is None:
        raise ValueError("now must carry a time zone.")
    words = words_of(text)
    chosen: FoundDate | None = None
    index = after_last = 0
    while index < len(words):
        found = _date_at(words, index, now.date(), day_first, expected)
        if found is None:
            index += 1
            continue
        if is_hour_before_name(words, index) and _has_day(words, index, now.date(), day_first):
            index += 1
            continue
        day, end, confidence = found
        is_near = abs((day - now.date()).days) <= FARTHEST_DAYS
        is_alternative = chosen is not None and "or" in words[max(index - 3, chosen.end) : index]
        is_wanted = not is_refused(words, max(index - 4, after_last), index)
        if is_near and is_wanted and not is_alternative and (expected or not is_about_the_past(words, index, after_last)):
            chosen = FoundDate(day, " ".join(words[index:end]), confidence, index, end)
        index = after_last = end
    return chosen


def is_hour_before_name(words: list[str], index: int) -> bool:
    """Whether the number at `index` is an hour and the month's name beside it somebody's: “10 to 12 June Will”, “April May 10 to 12”."""
    if words[index] in MONTHS_AS_NAMES:
        return words[index + 2 : index + 3] != [] and words[index + 2] in JOINS_HOURS and words[index + 3 : index + 4] != []
    if not words[index].isdigit() or words[index + 1 : index + 2] == [] or words[index + 1] not in MONTHS_AS_NAMES:
        return False
    before = words[max(index - 2, 0) : index]
    is_end = len(before) == 2 and before[1] in JOINS_HOURS and (before[0].isdigit() or before[0] in {"am", "pm"})
    return is_end or before[-1:] in (["at"], ["around"], ["about"])


def _has_day(words: list[str], beside: int, today: date, day_first: bool) -> bool:
    """Whether a day is named near the number and the month at `beside`, by other words."""
    others = [*words[max(beside - NEAR, 0) : beside], DIVIDES, *words[beside + 2 : beside + 2 + NEAR]]
    return any(_date_at(others, index, today, day_first, expected=False) is not None for index in range(len(others)))


def no_such_day(text: str, *, now: datetime, day_first: bool = True) -> tuple[int, int, int] | None:
    """The day, month and year of the first date in `text` that no calendar has (“31 November”, “29 February” of a year without one).

    The year is the one that was named, or else for a 29 February the coming one; 0 when it makes no difference. None when every date
    that was named exists.
    """
    words = words_of(text)
    for index in range(len(words)):
        named = _numbers_at(words, index, day_first)
        if named and _date_at(words, index, now.date(), day_first, expected=True) is None and named[1] <= LAST_MONTH:
            number, month, year = named
            is_leap_day = (number, month) == LEAP_DAY
            coming = now.year + (now.date() > date(now.year, 2, 28))
            if _day(year or (coming if is_leap_day else now.year), month, number) is None:
                return number, month, year or (coming if is_leap_day else 0)
    return None


def _numbers_at(words: list[str], index: int, day_first: bool) -> tuple[int, int, int] | None:
    """Day, month and year (0 when none is named) at `index`, whether or not there is such a day."""
    number, after = _day_number(words, index)
    if number is not None:
        after += words[after : after + 1] == ["of"]
        month = MONTHS.get(words[after]) if after < len(words) else None
        if month is not None:
            return number, month, _year(words, after + 1)[0] or 0
    month = MONTHS.get(words[index])
    if month is not None and words[index] != "may":
        after = index + 1 + (words[index + 1 : index + 2] == ["the"])
        number, after = _day_number(words, after)
        clock = words[after : after + 1] in (["am"], ["pm"], [":"])
        if number is not None and not clock:
            return number, month, _year(words, after)[0] or 0
    rest = words[index : index + 5]
    if len(rest) >= 3 and rest[1] == "/" and all(each.isdigit() and len(each) <= 2 for each in rest[:3:2]):
        first, second = int(rest[0]), int(rest[2])
        number, month = (first, second) if day_first else (second, first)
        year = rest[4] if len(rest) == 5 and rest[3] == "/" and rest[4].isdigit() and len(rest[4]) == 4 else "0"
        return (number, month, int(year)) if 1 <= number <= 31 and month >= 1 else None
    return None


def is_about_the_past(words: list[str], index: int, start: int = 0) -> bool:
    """Whether the words around `index` tell of something that happened (“it broke on Tuesday”, “this morning it burst”).

    Words before `start` belong to something else and do not count.
    """
    before = words[max(index - 4, start) : index]
    for position, word in enumerate(before):
        if word in PAST and not REQUEST & set(before[position + 1 :]):
            return True
    if words[index] in {"this", "today"}:
        following = words[index + 1 : index + 6]
        verb = next((position for position, word in enumerate(following) if word in PAST), None)
        return verb is not None and not REQUEST & set(following[:verb])
    return words[index + 1 : index + 2] == ["ago"]


def is_refused(words: list[str], start: int, index: int) -> bool:
    """Whether the words from `start` to `index` refuse what follows: “not Tuesday”, and not “not until Tuesday”, from when on it can be."""
    before = words[start:index]
    turned = TURNED | UNTIL
    return any(
        word in REFUSING and not turned & set(before[position + 1 :]) and not THIS_ONE.match(" ".join(before[position + 1 :]))
        for position, word in enumerate(before)
    )


def _date_at(words: list[str], index: int, today: date, day_first: bool, expected: bool) -> tuple[date, int, float] | None:
    """The day said from `index` on, the index after it and how sure it is."""
    return (
        _relative(words, index, today, expected)
        or _weekday(words, index, today, expected)
        or _numeric(words, index, today, day_first, expected)
        or named_day(words, index, today)
        or _of_the_year(words, index, today)
        or numbered_day(words, index, today, expected)
    )


def _relative(words: list[str], index: int, today: date, expected: bool) -> tuple[date, int, float] | None:
    rest = words[index : index + 5]
    word = rest[0]
    if rest[:3] == ["day", "after", "tomorrow"]:
        return today + timedelta(days=2), index + 3, 0.95
    if word in {"today", "tonight"}:
        return today, index + 1, 0.95
    if rest[:2] in (["this", "morning"], ["this", "afternoon"], ["this", "evening"]):
        return today, index + 2, 0.9
    if word in {"tomorrow", "tmrw", "tomoz", "tomorow", "tommorow", "tommorrow"}:
        return today + timedelta(days=1), index + 1, 0.95
    if rest[:3] == ["week", "after", "next"]:
        return today + timedelta(days=14 - today.weekday()), index + 3, 0.7 if expected else 0.4
    if rest[:2] == ["next", "week"]:
        return today + timedelta(days=7 - today.weekday()), index + 2, 0.7 if expected else 0.4
    if expected and (rest[:4] == ["as", "soon", "as", "possible"] or word in {"asap", "soonest", "earliest"}):
        return today, index + (4 if word == "as" else 1), 0.5
    if word == "in" and len(rest) >= 3:
        return _in_days(rest, index, today)
    return None


def _of_the_year(words: list[str], index: int, today: date) -> tuple[date, int, float] | None:
    """“Christmas Day”, “New Year's Eve”, “the end of the month”."""
    rest = words[index : index + 4]
    for name, (number, month) in FEASTS.items():
        day = _coming(number, month, today) if rest[: len(name)] == list(name) else None
        if day is not None:
            return day, index + len(name), 0.9
    if rest[:2] == ["end", "of"] and "month" in rest[2:] and "next" not in rest:
        last = (today.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        return last, index + rest.index("month") + 1, 0.6
    return None


def _in_days(rest: list[str], index: int, today: date) -> tuple[date, int, float] | None:
    skipped = 1 if rest[1:2] == ["a"] and rest[2] == "couple" else 0
    number = rest[1 + skipped]
    amount = int(number) if number.isdigit() and len(number) < 4 else NUMBER_WORDS.get(number)
    position = 2 + skipped + (1 if rest[2 + skipped : 3 + skipped] == ["of"] else 0)
    unit = rest[position] if position < len(rest) else ""
    days = {"day": 1, "days": 1, "week": 7, "weeks": 7, "fortnight": 14}.get(unit)
    if not amount or not days:
        return None
    return today + timedelta(days=amount * days), index + position + 1, 0.85


def _weekday(words: list[str], index: int, today: date, expected: bool) -> tuple[date, int, float] | None:
    word = words[index]
    if word in {"next", "this", "coming"} and index + 1 < len(words) and words[index + 1] in WEEKDAYS:
        number = WEEKDAYS[words[index + 1]]
        if word == "next":
            return today + timedelta(days=7 - today.weekday() + number), index + 2, 0.7
        return today + timedelta(days=(number - today.weekday()) % 7), index + 2, 0.9
    if word not in WEEKDAYS:
        return None
    if word in DOUBTFUL_WEEKDAYS and not expected and not is_day(words, index):
        return None
    numbered = named_day(words, index + 1, today) or numbered_day(words, index + 1, today, expected=True)
    is_place = words[index + 1 : index + 2] and words[index + 1] in PLACES
    if numbered is not None and not (is_place and numbered[0].weekday() != WEEKDAYS[word]):
        return numbered
    # Said to a question for a day, in which today was offered as well, its name means today; on its own it means next week.
    ahead = (WEEKDAYS[word] - today.weekday()) % 7
    day = today + timedelta(days=ahead or (0 if expected else 7))
    if words[index + 1 : index + 2] == ["week"] or words[max(index - 3, 0) : index] == ["a", "week", "on"]:
        return day + timedelta(days=7), index + 1 + (words[index + 1 : index + 2] == ["week"]), 0.8
    return day, index + 1, 0.9


def _numeric(words: list[str], index: int, today: date, day_first: bool, expected: bool) -> tuple[date, int, float] | None:
    """2026-05-03, 03/05/2026, 3.5.26, and 03/05 when it cannot be anything else."""
    rest = words[index : index + 5]
    if len(rest) >= 5 and rest[1] in "-/." and rest[3] == rest[1] and all(each.isdigit() for each in rest[::2]):
        if len(rest[0]) == 4:
            day = _day(int(rest[0]), int(rest[2]), int(rest[4][:4]))
        else:
            first, second = int(rest[0][:4]), int(rest[2][:4])
            year = int(rest[4][:5]) + (2000 if len(rest[4]) == 2 else 0)
            day = _day(year, second, first) if day_first else _day(year, first, second)
        return (day, index + 5, 0.95) if day else None
    if len(rest) >= 3 and rest[1] == "/" and rest[0].isdigit() and rest[2].isdigit() and max(len(rest[0]), len(rest[2])) <= 2:
        first, second = int(rest[0]), int(rest[2])
        number, month = (first, second) if day_first else (second, first)
        day = _coming(number, month, today)
        return (day, index + 3, 0.9 if expected else 0.6) if day else None
    return None


def named_day(words: list[str], index: int, today: date) -> tuple[date, int, float] | None:
    """“the 3rd of May”, “3 May 2027”, “May 3rd”, “May the third”."""
    start = index + 1 if words[index : index + 1] == ["the"] else index
    number, after = _day_number(words, start)
    if number is not None:
        after += words[after : after + 1] == ["of"]
        month = MONTHS.get(words[after]) if after < len(words) else None
        if month is not None:
            return _dated(words, after + 1, number, month, today)
        return None
    month = MONTHS.get(words[index]) if index < len(words) else None
    if month is None:
        return None
    after = index + 1 + (words[index + 1 : index + 2] == ["the"])
    number, after = _day_number(words, after)
    modal = words[index] == "may" and index > 0 and words[index - 1] in {"i", "you", "we", "it", "they", "that", "there"}
    if number is None or modal or words[after : after + 1] in (["am"], ["pm"], [":"]):
        return None
    return _dated(words, after, number, month, today)


def _dated(words: list[str], after: int, number: int, month: int, today: date) -> tuple[date, int, float] | None:
    year, end = _year(words, after)
    day = _day(year, month, number) if year else _coming(number, month, today)
    return (day, end, 0.95) if day else None


def _year(words: list[str], index: int) -> tuple[int | None, int]:
    rest = words[index : index + 2]
    if rest and rest[0].isdigit() and len(rest[0]) == 4 and rest[0].startswith("20"):
        return int(rest[0]), index + 1
    if len(rest) == 2 and rest[0] == "20" and rest[1].isdigit() and len(rest[1]) == 2:
        return 2000 + int(rest[1]), index + 2
    return None, index


def _day_number(words: list[str], index: int) -> tuple[int | None, int]:
    """A day of the month at `index` (“3”, “3rd”, “third”, “20 third”) and the index after it."""
    if index >= len(words):
        return None, index
    word = words[index]
    follower = words[index + 1] if index + 1 < len(words) else ""
    if word in {"20", "30"} and ORDINALS.get(follower, 10) < 10:
        return int(word) + ORDINALS[follower], index + 2
    if word in ORDINALS:
        return ORDINALS[word], index + 1
    digits = word[:-2] if word[-2:] in {"st", "nd", "rd", "th"} else word
    if digits.isdigit() and len(digits) <= 2 and 1 <= int(digits) <= 31:
        return int(digits), index + 1
    return None, index


def numbered_day(words: list[str], index: int, today: date, expected: bool) -> tuple[date, int, float] | None:
    """“on the 3rd” without a month: the next such day."""
    start = index + 1 if words[index : index + 1] == ["the"] else index
    if start >= len(words) or (start == index and not expected):
        return None
    number, end = _day_number(words, start)
    is_ordinal = number is not None and not words[end - 1].isdigit()
    before = words[index - 1] if index else ""
    if not is_ordinal or number is None or not (expected or before in {"on", "for", "by", *UNTIL}):
        return None
    if end < len(words) and words[end] in NO_DAYS:
        return None
    for ahead in range(2):
        month = (today.month - 1 + ahead) % 12 + 1
        day = _day(today.year + (today.month - 1 + ahead) // 12, month, number)
        if day is not None and day >= today:
            return day, end, 0.75
    return None


def _coming(number: int, month: int, today: date) -> date | None:
    day = _day(today.year, month, number)
    if day is not None and day < today:
        return _day(today.year + 1, month, number)
    return day


def _day(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None
