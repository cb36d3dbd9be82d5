"""Exceptional days from a calendar file: what each event means for hours, what an import would do, and doing it.

An event of whole days closes them, unless its name or description has times such as “10:00-14:00”: then these hold. An
event with times says when it is open on that day, instead of the ordinary hours. All events of a day count together.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from routing.models import ServiceHours, ServiceHoursException
from routing.services.ical_events import Occurrence, read_events
from routing.services.ical_lines import at_line
from routing.services.opening_calendar import zone_named
from routing.services.opening_rules import MINUTES_OF_A_DAY, InvalidHours, Span, read_times, united, written

YEARS_AHEAD: Final = 3
DAY: Final = timedelta(days=1)
LONGEST_TIMES: Final = 100
LONGEST_NOTE: Final = 200
_TIMES_IN_WORDS = re.compile(r"(?<![\d:])(\d{1,2}:\d{2})\s*(?:-|–|—|\bto\b)\s*(\d{1,2}:\d{2})(?![\d:])")


class PlanChanged(RuntimeError):
    """The exceptional days changed between looking at what an import would do and doing it."""


class Effect(Enum):
    """What an import does to a day."""

    ADD = "add"
    CHANGE = "change"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class PlannedDay:
    """One day that the file speaks of. Empty times mean closed; `before` is None for a day without an exception."""

    date: date
    times: str
    note: str
    effect: Effect
    before: str | None
    line: int


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do, by date; how much of the file is over or too far ahead, and what was left out and why."""

    days: tuple[PlannedDay, ...]
    past: int
    later: int
    cancelled: int
    left_out: tuple[str, ...]

    def count(self, effect: Effect) -> int:
        """The number of days with that effect."""
        return sum(day.effect is effect for day in self.days)

    @property
    def added(self) -> int:
        """Days that get an exception."""
        return self.count(Effect.ADD)

    @property
    def changed(self) -> int:
        """Days whose exception gets other times."""
        return self.count(Effect.CHANGE)

    @property
    def left(self) -> int:
        """Days that have the same times already."""
        return self.count(Effect.LEAVE)

    @property
    def fingerprint(self) -> str:
        """The same for two plans that would do the same."""
        return hashlib.sha256(repr(self.days).encode()).hexdigest()


@dataclass(slots=True)
class _Day:
    line: int
    spans: list[Span] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def plan_import(hours: ServiceHours, data: bytes, *, today: date) -> ImportPlan:
    """What importing a file would do from `today` on, writing nothing. Raises UnreadableCalendar."""
    last = today + timedelta(days=366 * YEARS_AHEAD)
    events = read_events(data, zone_named(hours.time_zone), last + DAY)
    days: dict[date, _Day] = {}
    for occurrence in events.occurrences:
        _add(days, occurrence, today, last)
    known = dict(hours.exceptions.filter(date__range=(today, last)).values_list("date", "expression"))
    planned = tuple(_planned(day, days[day], known.get(day)) for day in sorted(days) if today <= day <= last)
    past, later = (sum(is_out(day) for day in days) for is_out in (today.__gt__, last.__lt__))
    return ImportPlan(planned, past, later, events.cancelled, events.left_out)


def apply_import(hours: ServiceHours, data: bytes, *, today: date, fingerprint: str) -> ImportPlan:
    """Does what the plan of that fingerprint said, in one transaction; takes the lock of the hours' row.

    Raises UnreadableCalendar, and PlanChanged when the same file would do something else by now.
    """
    with transaction.atomic():
        locked = ServiceHours.objects.select_for_update(no_key=True).get(pk=hours.pk)
        plan = plan_import(locked, data, today=today)
        if plan.fingerprint != fingerprint:
            raise PlanChanged
        for day in plan.days:
            if day.effect is not Effect.LEAVE:
                ServiceHoursException.objects.update_or_create(
                    hours=locked, date=day.date, defaults={"expression": day.times, "note": day.note}
                )
    return plan


def _add(days: dict[date, _Day], occurrence: Occurrence, today: date, last: date) -> None:
    """Notes what an event means for each of its days. Of days out of range only the nearest is kept, to be counted."""
    spans_by_day = _whole_days(occurrence, today, last) if occurrence.all_day else _timed_days(occurrence, today, last)
    for day, spans in spans_by_day.items():
        entry = days.setdefault(day, _Day(occurrence.line))
        entry.spans += spans
        if occurrence.summary and occurrence.summary not in entry.names:
            entry.names.append(occurrence.summary)


def _whole_days(occurrence: Occurrence, today: date, last: date) -> dict[date, tuple[Span, ...]]:
    return dict.fromkeys(_dates(occurrence.starts.date(), (occurrence.ends - DAY).date(), today, last), _in_words(occurrence))


def _timed_days(occurrence: Occurrence, today: date, last: date) -> dict[date, tuple[Span, ...]]:
    """Up to 24 hours belong to the day they begin on, as a shift does; what is longer is cut at midnight."""
    starts, ends = occurrence.starts, occurrence.ends
    midnight = datetime.combine(starts.date(), time(0))
    if ends - starts <= DAY:
        begin, end = (int((each - midnight).total_seconds()) // 60 for each in (starts, ends))
        return {starts.date(): ((begin, end),)} if begin < end else {}
    cut: dict[date, tuple[Span, ...]] = {}
    for day in _dates(starts.date(), (ends - timedelta(microseconds=1)).date(), today, last):
        midnight = datetime.combine(day, time(0))
        begin, end = (int((each - midnight).total_seconds()) // 60 for each in (starts, ends))
        cut[day] = ((max(begin, 0), min(end, MINUTES_OF_A_DAY)),)
    return cut


def _dates(first: date, until: date, today: date, last: date) -> list[date]:
    near_first, near_until = max(first, today - DAY), min(until, last + DAY)
    if near_first > near_until:
        return [first]
    return [near_first + timedelta(days=number) for number in range((near_until - near_first).days + 1)]


def _in_words(occurrence: Occurrence) -> tuple[Span, ...]:
    """The times that the name of an event says, or its description."""
    for text in (occurrence.summary, occurrence.description):
        said = ",".join(f"{begin}-{end}" for begin, end in _TIMES_IN_WORDS.findall(text))
        if said:
            try:
                return read_times(said)
            except InvalidHours as error:
                raise at_line(occurrence.line, _("in this event %(problem)s") % {"problem": error}) from error
    return ()


def _planned(day: date, found: _Day, before: str | None) -> PlannedDay:
    times = written(united(tuple(found.spans)))
    if len(times) > LONGEST_TIMES:
        raise at_line(
            found.line, _("the events of %(date)s have too many times for one day. Join some of them in the calendar.") % {"date": day}
        )
    return PlannedDay(day, times, "; ".join(found.names)[:LONGEST_NOTE], _effect(before, times), before, found.line)


def _effect(before: str | None, times: str) -> Effect:
    if before is None:
        return Effect.ADD
    return Effect.LEAVE if read_times(before) == read_times(times) else Effect.CHANGE
