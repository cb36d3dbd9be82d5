"""The week or the month that somebody named for what they want: days that are named after it are its days.

It stands in the form state as `within`: `from`, `to` and `begins` in ISO, and `whole` while no day of it was named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from conversations.assistant import hours_asked, later, weekdays
from conversations.understanding import periods
from conversations.understanding.dates import WEEKDAYS
from conversations.understanding.facts import Fact
from conversations.understanding.normalise import clean
from conversations.understanding.periods import Period
from conversations.understanding.read import Understanding
from conversations.understanding.spoken import to_typed

NEARLY_SURE: Final = 0.85
SURE_WHERE_ASKED: Final = 0.7
LIKELY: Final = 0.4
PERIOD: Final = re.compile(r"\b(?:week|weeks|month|fortnight)\b")
A_WEEK: Final = timedelta(days=7)


def with_days_meant(understood: Understanding, state: Mapping[str, Any], today: date, *, expected: bool) -> Understanding:
    """The same, with a day that is named alone as that which is meant: by the week that was named, and by what is on offer."""
    found = _with_its_days(understood, state, today, expected=expected)
    return replace(found, facts=weekdays.as_offered(found.facts, state.get("offered") or [], today))


def _with_its_days(understood: Understanding, state: Mapping[str, Any], today: date, *, expected: bool) -> Understanding:
    """The same, with a day that is named alone (“Tuesday”, “the 12th”) as that of the week or month named with it or before.

    A week or month alone is a day, too: its first; `expected` says that a day or a time was asked for.
    """
    text = _text(understood)
    period = periods.find_period(text, today=today, base=_base(state))
    standing = period or _standing(state)
    if standing is None:
        return understood
    day = next((fact for fact in understood.facts if fact.name == "date"), None)
    if period and (day is None or _is_less_than(day, text, period, today)):
        named = periods.day_in(text, period, today=today)
        sure = NEARLY_SURE if named else SURE_WHERE_ASKED if expected else max(LIKELY, day.confidence if day else 0)
        first = _begins(day, period) if day else period.begins
        fact = Fact("date", named[0].isoformat(), named[1], sure) if named else Fact("date", first.isoformat(), period.text, sure)
    elif day and (within := _within(day, standing, today)):
        fact = replace(day, value=within.isoformat())
    else:
        return understood
    return replace(understood, facts=(*(each for each in understood.facts if each.name != "date"), fact))


def remember(state: MutableMapping[str, Any], understood: Understanding, today: date) -> None:
    """Keeps the week or month that was named, and forgets it with a day outside of it. `understood` is with its days."""
    text = _text(understood)
    if hours_asked.asks(understood.gloss or understood.text):
        return
    told = next((fact for fact in understood.facts if fact.name == "date"), None)
    day = date.fromisoformat(told.value) if told else None
    if period := periods.find_period(text, today=today, base=_base(state)):
        is_whole = told is None or told.text == period.text
        if is_whole or (day and period.first <= day <= period.last):
            begins = day if is_whole and day else period.begins
            keep(state, replace(period, begins=begins), whole=is_whole)
            return
    standing = _standing(state)
    if standing and day and standing.first <= day <= standing.last:
        keep(state, standing, whole=False)
    elif day:
        state.pop(later.WITHIN, None)


def keep(state: MutableMapping[str, Any], period: Period, *, whole: bool) -> None:
    """Notes in which week or month days are meant from now on."""
    days = {"from": period.first, "to": period.last, "begins": period.begins}
    state[later.WITHIN] = {**{name: day.isoformat() for name, day in days.items()}, "whole": whole}


def keep_beside(state: MutableMapping[str, Any], day: date) -> str:
    """Notes the week of a day as that in which days are meant from now on, and returns its days as `wished` does."""
    first, last = periods.week_of(day)
    keep(state, Period(first, last, first, ""), whole=True)
    return wished(state)


def keep_day(state: MutableMapping[str, Any], day: date) -> None:
    """Notes that one day is wished for, whatever was said of days before."""
    keep(state, Period(day, day, day, ""), whole=True)


def wished(state: Mapping[str, Any]) -> str:
    """The days of the week or month that is wished for as a whole, as “first/last” in ISO; empty when none is, or a day of it."""
    within = state.get(later.WITHIN) or {}
    return f"{within['begins']}/{within['to']}" if within.get("whole") else ""


def _text(understood: Understanding) -> str:
    return to_typed(clean(understood.gloss or understood.text))


def _standing(state: Mapping[str, Any]) -> Period | None:
    within = state.get(later.WITHIN)
    if not within:
        return None
    first, last, begins = (date.fromisoformat(within[name]) for name in ("from", "to", "begins"))
    return Period(first, last, begins, "")


def _base(state: Mapping[str, Any]) -> date | None:
    """A day of the week that “the week after” comes after: of the one that was named, of what is on offer or was booked last."""
    shown: Sequence[Mapping[str, Any]] = [*(state.get("offered") or []), state.get(later.DONE_HERE) or {}]
    start = next((str(each["start"]) for each in shown if each.get("start")), "")
    if start:
        return datetime.fromisoformat(start).date()
    standing = _standing(state)
    return standing.first if standing else None


def _is_less_than(day: Fact, text: str, period: Period, today: date) -> bool:
    """Whether a day that was found beside a week or month only names that, or a weekday that is to be looked for in it."""
    is_vague = PERIOD.search(day.text) is not None and not set(day.text.split()) & WEEKDAYS.keys()
    return is_vague or period.text in day.text or day.text in period.text or (_is_bare(day, today) and day.text in text)


def _begins(day: Fact, period: Period) -> date:
    """Where a period begins that was named alone: “in two weeks” is no sooner than that."""
    found = date.fromisoformat(day.value)
    is_its_own = day.text in period.text or period.text in day.text
    return max(found, period.begins) if is_its_own and found <= period.last else period.begins


def _is_bare(day: Fact, today: date) -> bool:
    """Whether a day was named by its weekday alone, and not as “a week on Wednesday”."""
    return day.text in WEEKDAYS and date.fromisoformat(day.value) <= today + A_WEEK


def _within(day: Fact, period: Period, today: date) -> date | None:
    if _is_bare(day, today):
        return periods.weekday_in(day.text, period, today=today)
    return periods.numbered_in(day.text, period, today=today)
