"""Which week the name of a weekday means: one that was named before, or what the times on offer leave."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from conversations.understanding.dates import WEEKDAYS
from conversations.understanding.facts import Fact

A_WEEK: Final = timedelta(days=7)
WEEK: Final = "week"
"""In the state of a dialogue: a day of the week that was named and in which no day was, yet: “next week”."""
_OF_ITS_OWN: Final = frozenset({"next", "this", "coming", "week", "weeks"})
"""Beside the name of a weekday, these say which week."""


def keep_week(state: MutableMapping[str, Any], facts: Sequence[Fact]) -> None:
    """Remembers a week that `facts` name, so that a day that is named later is one of it; a day outside of it ends that."""
    day = next((fact for fact in facts if fact.name == "date"), None)
    if day is None:
        return
    if names_week(day.text):
        state[WEEK] = day.value
    elif state.get(WEEK) and not is_within(day.value, str(state[WEEK])):
        state.pop(WEEK)


def names_week(text: str) -> bool:
    """Whether words for a day name a week and no day of it."""
    words = text.lower().split()
    return any(word in ("week", "weeks", "fortnight") for word in words) and not any(word in WEEKDAYS for word in words)


def is_within(day: str, week: str) -> bool:
    """Whether a day is in the week of another one; both in ISO."""
    return _monday(date.fromisoformat(day)) == _monday(date.fromisoformat(week))


def in_named_week(facts: Sequence[Fact], week: str) -> tuple[Fact, ...]:
    """The same facts, with a bare weekday (“Tuesday”) meant in the `week` that was named before (ISO; empty for none)."""
    if not week:
        return tuple(facts)
    return tuple(replace(fact, value=_day_of(fact, date.fromisoformat(week)).isoformat()) if _is_bare(fact) else fact for fact in facts)


def _is_bare(fact: Fact) -> bool:
    words = fact.text.lower().split()
    return fact.name == "date" and len(words) == 1 and words[0] in WEEKDAYS


def _day_of(fact: Fact, week: date) -> date:
    return _monday(week) + timedelta(days=WEEKDAYS[fact.text.lower().strip()])


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def as_offered(facts: Sequence[Fact], offered: Sequence[Mapping[str, Any]], today: date) -> tuple[Fact, ...]:
    """The same facts, with a weekday that is today's meant for next week when nothing of today that would suit it is on offer.

    `offered` are windows with `start` in ISO. “Friday morning”, said on a Friday whose afternoon alone is free, is next Friday's; so
    is “no, Friday” when Wednesday was on offer. Without an offer, and for “today”, nothing changes.
    """
    span = next((fact.value for fact in facts if fact.name == "time_window"), "")
    is_open = any(_is_meant(datetime.fromisoformat(str(slot["start"])), today, span) for slot in offered)
    if not offered or is_open:
        return tuple(facts)
    return tuple(replace(fact, value=(today + A_WEEK).isoformat()) if _names_today(fact, today) else fact for fact in facts)


def _is_meant(start: datetime, today: date, span: str) -> bool:
    first, _to, last = span.partition("-")
    return start.date() == today and (not span or first <= f"{start:%H:%M}" < last)


def _names_today(fact: Fact, today: date) -> bool:
    return fact.name == "date" and fact.value == today.isoformat() and any(word in WEEKDAYS for word in fact.text.lower().split())
