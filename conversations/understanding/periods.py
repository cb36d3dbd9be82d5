"""Weeks and months that are named in place of a day (“next week”, “in January”), and the days that are named within them."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from conversations.understanding.dates import (
    MONTHS,
    MONTHS_AS_NAMES,
    NUMBER_WORDS,
    ORDINALS,
    WEEKDAYS,
    is_about_the_past,
    is_refused,
    named_day,
    numbered_day,
    words_of,
)
from conversations.understanding.doubtful_days import DOUBTFUL_WEEKDAYS, is_day

A_WEEK: Final = timedelta(days=7)
FARTHEST_WEEKS: Final = 52
LEAVES_OUT: Final = frozenset({"before", "until", "till", "by", "since", "away", "holiday", "holidays", "busy"})
"""Before a week or a month they tell that it is not wanted."""
INTO: Final = frozenset({"in", "en", "during", "next", "early", "mid", "late", "around", "sometime"})
LEADS_TO_ITS_DAY: Final = frozenset({"of", "commencing", "beginning", "starting", "from"})
LATE: Final = frozenset({"late", "end"})
PARTS: Final = frozenset({"beginning", "start", "middle", "end", "week", "half"})
OF_SOMETHING_ELSE: Final = frozenset({"christmas", "new", "easter", "i", "we", "my", "the", "you", "he", "she", "they"})
"""After “the week after”: what it comes after is no week that was named."""
_ORDINALS: Final = r"|".join(ORDINALS)
BARE_NUMBER: Final = re.compile(
    rf"(?:the )?(?:(?P<digits>\d{{1,2}})(?:st|nd|rd|th)?|(?P<tens>20|30) (?P<ones>{_ORDINALS})|(?P<word>{_ORDINALS}))"
)


@dataclass(frozen=True, slots=True)
class Period:
    """The days of a week or a month that was named, the one from which on it is meant, and the words (`words_of(text)[start:end]`)."""

    first: date
    last: date
    begins: date
    text: str
    start: int = 0
    end: int = 0


def find_period(text: str, *, today: date, base: date | None = None) -> Period | None:
    """The week or month that `text` asks for last; None when it names none, or one that it does not want.

    `base` is a day of the week that “the week after” comes after; a week that was named in the same text goes before it.
    """
    words = words_of(text)
    chosen: Period | None = None
    index = after = 0
    while index < len(words):
        found = _period_at(words, index, today, base)
        if found is None:
            index += 1
            continue
        first, last, end = found
        is_left_out = bool(LEAVES_OUT & set(words[max(index - 4, after) : index]))
        if not (is_left_out or is_refused(words, max(index - 4, after), index) or is_about_the_past(words, index, after)):
            chosen = Period(first, last, _beginning(words[max(index - 3, 0) : index], first, last), " ".join(words[index:end]), index, end)
        base = first
        index = after = end
    return chosen


def day_in(text: str, period: Period, *, today: date) -> tuple[date, str] | None:
    """The day of `period` that `text` names by its weekday alone, beside the period; with the words that say so."""
    words = words_of(text)
    for index in (*range(period.end, len(words)), *range(period.start - 1, -1, -1)):
        word, before = words[index], words[index - 1] if index else ""
        is_doubtful = word in DOUBTFUL_WEEKDAYS and not is_day(words, index)
        is_other = before in ("this", "next", "not", "last") or index < period.start - 4
        if word in WEEKDAYS and not is_doubtful and not is_other and (day := weekday_in(word, period, today=today)):
            return day, f"{word} {period.text}"
    return None


def weekday_in(name: str, period: Period, *, today: date) -> date | None:
    """The first day of that name in a period that is not over; None when there is none."""
    earliest = max(period.first, today)
    day = earliest + timedelta(days=(WEEKDAYS[name] - earliest.weekday()) % 7)
    return day if day <= period.last else None


def numbered_in(words: str, period: Period, *, today: date) -> date | None:
    """The day of a period that is named by its number alone, “the 12th”; None when the words are anything else."""
    found = BARE_NUMBER.fullmatch(words)
    if found is None:
        return None
    number = int(found["digits"]) if found["digits"] else ORDINALS[found["word"] or found["ones"]] + int(found["tens"] or 0)
    day = max(period.first, today)
    while day <= period.last and day.day != number:
        day += timedelta(days=1)
    return day if day <= period.last else None


def week_of(day: date) -> tuple[date, date]:
    """The Monday and the Sunday of the week of a day."""
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=6)


def _beginning(before: list[str], first: date, last: date) -> date:
    return last - timedelta(days=3 if last - first < A_WEEK else 9) if LATE & set(before) else first


def _period_at(words: list[str], index: int, today: date, base: date | None) -> tuple[date, date, int] | None:
    """First and last day of what is named from `index` on, and the index after it."""
    rest = words[index : index + 6]
    if rest[:2] == ["this", "week"]:
        return today, week_of(today)[1], index + 2
    if rest[:2] == ["next", "week"]:
        return *week_of(today + A_WEEK), index + 2
    if rest[:3] == ["week", "after", "next"]:
        return *week_of(today + 2 * A_WEEK), index + 3
    if base and rest[:2] == ["week", "later"]:
        return base + A_WEEK, week_of(base + A_WEEK)[1], index + 2
    if base and rest[:2] in (["week", "after"], ["following", "week"]):
        is_of_something_else = rest[2:3] != [] and rest[2] in OF_SOMETHING_ELSE
        return None if is_of_something_else else (*week_of(base + A_WEEK), index + 2)
    if rest[:2] in (["this", "month"], ["next", "month"]):
        month = today if rest[0] == "this" else (today.replace(day=1) + timedelta(days=32))
        return max(month.replace(day=1), today), _end_of_month(month), index + 2
    return _week_of_a_day(words, index, today) or _weeks_ahead(rest, index, today) or _month(words, index, today)


def _week_of_a_day(words: list[str], index: int, today: date) -> tuple[date, date, int] | None:
    """“The week of the 7th”, “the week commencing 7 December”."""
    if words[index] != "week" or words[index + 1 : index + 2] == [] or words[index + 1] not in LEADS_TO_ITS_DAY:
        return None
    start = index + 2
    named = (named_day(words, start, today) or numbered_day(words, start, today, expected=True)) if start < len(words) else None
    return (max(week_of(named[0])[0], today), week_of(named[0])[1], named[1]) if named else None


def _weeks_ahead(rest: list[str], index: int, today: date) -> tuple[date, date, int] | None:
    """“In two weeks”, “in a couple of weeks”, “in a fortnight”: from that day on, within its week."""
    if rest[:1] not in (["in"], ["en"]):
        return None
    units = {"week": 1, "weeks": 1, "fortnight": 2}
    at = next((place for place, word in enumerate(rest[1:5], start=1) if word in units), 0)
    told = [word for word in rest[1:at] if word not in ("of", "about", "around")]
    told = told[1:] if told[:2] == ["a", "couple"] else told
    if not at or len(told) != 1:
        return None
    amount = int(told[0]) if told[0].isdigit() and len(told[0]) < 3 else NUMBER_WORDS.get(told[0])
    if not amount or amount > FARTHEST_WEEKS:
        return None
    day = today + units[rest[at]] * amount * A_WEEK
    return *week_of(day), index + at + 1


def _month(words: list[str], index: int, today: date) -> tuple[date, date, int] | None:
    """“In January”, and no day of it."""
    word, before, follower = words[index], words[index - 1 : index] if index else [], words[index + 1 : index + 2]
    is_part = before == ["of"] and words[index - 2 : index - 1] != [] and words[index - 2] in PARTS
    is_led = is_part or (before != [] and (before[0] in INTO or (before[0] in ("for", "of") and word not in MONTHS_AS_NAMES)))
    is_dated = follower != [] and ((follower[0][:1].isdigit() and not follower[0].startswith("20")) or follower[0] in ORDINALS)
    is_numbered = index > 1 and words[index - 2][:1].isdigit()
    if word not in MONTHS or not is_led or is_dated or is_numbered or follower == ["the"]:
        return None
    year = today.year + (MONTHS[word] < today.month)
    first = date(year, MONTHS[word], 1)
    return max(first, today), _end_of_month(first), index + 1


def _end_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
