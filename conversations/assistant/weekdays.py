"""Which week the name of a weekday means, by the times that are on offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from conversations.understanding.dates import WEEKDAYS
from conversations.understanding.facts import Fact

A_WEEK: Final = timedelta(days=7)


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
