"""When somebody is there: the one place that answers it, for every way of reaching the company and for service levels.

What managers typed is read in `opening_rules` and put on the calendar in `opening_calendar`. Every question reads the
exceptional dates it needs, again only after a change: one query. None in the place of hours means that somebody is always
there. So do hours that cannot be read any more, since customers are better sent into a line than to nobody: `doctor` and
the admin say which they are.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from routing.compiled import CompiledOnce, Given
from routing.configuration import kept
from routing.models import ServiceHours, ServiceHoursException
from routing.services.opening_calendar import OpeningCalendar, OpeningDay, ordinary_hours, zone_named
from routing.services.opening_rules import InvalidHours, Span, read_times

__all__ = [
    "ComingDay", "InvalidHours", "after_open_time", "calendar_of", "check_hours", "check_times_of_a_day", "coming_days",
    "date_at", "is_open", "next_opening", "open_days", "readable_calendar", "unreadable_hours",
]

logger = logging.getLogger(__name__)
DAY = timedelta(days=1)
EXCEPTIONS: Final = CompiledOnce(
    lambda: ServiceHoursException.objects.filter(hours=Given("hours"), date__gte=Given("first"), date__lte=Given("last")).values_list(
        "date", "expression"
    )
)


@dataclass(frozen=True, slots=True)
class ComingDay:
    """One day as managers look at it, with the note of its exception."""

    opening: OpeningDay
    note: str


def is_open(hours: ServiceHours | None, at: datetime) -> bool:
    """Whether the hours are open at an aware moment. Raises ValueError for a moment without a time zone."""
    if hours is None:
        return True
    calendar = readable_calendar(hours, at - 2 * DAY, at + DAY)
    return calendar is None or calendar.is_open(at)


def next_opening(hours: ServiceHours | None, at: datetime) -> datetime | None:
    """The first open moment from `at` on, in the hours' time zone; None when there is none within two years."""
    if hours is None:
        return at
    calendar = readable_calendar(hours, at - 2 * DAY)
    return at if calendar is None else calendar.next_opening(at)


def after_open_time(hours: ServiceHours | None, at: datetime, open_time: timedelta) -> datetime:
    """The moment at which somebody has been there for `open_time` since `at`.

    Counted by the clock alone where the hours are not open for so long in the years that can be looked at.
    """
    by_the_clock = at + open_time
    calendar = readable_calendar(hours, at - 2 * DAY) if hours else None
    return by_the_clock if calendar is None else calendar.after_open_time(at, open_time) or by_the_clock


def open_days(hours: ServiceHours, first: date, last: date) -> frozenset[date]:
    """The days from `first` to `last`, both included and in the hours' time zone, on which the hours are open at some time."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    try:
        calendar = _calendar(hours, first - DAY, last)
    except InvalidHours as problem:
        _note_unreadable(hours, problem)
        return frozenset(days)
    return frozenset(day for day in days if calendar.is_open_on(day))


def coming_days(hours: ServiceHours, first: date, count: int) -> list[ComingDay]:
    """What begins on each of `count` days from `first` on, in the hours' time zone, and why. Two queries."""
    last = first + timedelta(days=count - 1)
    calendar = _calendar(hours, first, last)
    notes = dict(hours.exceptions.filter(date__range=(first, last)).values_list("date", "note"))
    days = (first + timedelta(days=number) for number in range(count))
    return [ComingDay(calendar.day(day), notes.get(day, "")) for day in days]


def date_at(hours: ServiceHours, at: datetime) -> date:
    """The date that it is where the hours are kept. Raises ValueError for a moment without a time zone."""
    return _with_a_zone(at).astimezone(zone_named(hours.time_zone)).date()


def calendar_of(hours: ServiceHours) -> OpeningCalendar:
    """The hours with all their exceptional dates as they are now, for many questions at once.

    Raises InvalidHours when what is stored cannot be read any more.
    """
    return _calendar(hours)


def readable_calendar(hours: ServiceHours, since: datetime | None = None, until: datetime | None = None) -> OpeningCalendar | None:
    """The same for the exceptional dates between two moments, or all; None for hours that cannot be read any more, which the log says.

    Raises ValueError for a moment without a time zone.
    """
    first, last = (moment and _with_a_zone(moment).astimezone(UTC).date() for moment in (since, until))
    try:
        return _calendar(hours, first, last)
    except InvalidHours as problem:
        _note_unreadable(hours, problem)
        return None


def unreadable_hours() -> list[tuple[ServiceHours, str]]:
    """The hours that cannot be read any more, each with why: they count as always open. One query, and one for each hours."""
    found = []
    for hours in ServiceHours.objects.order_by("name"):
        try:
            _calendar(hours)
        except InvalidHours as problem:
            found.append((hours, str(problem)))
    return found


def check_hours(*, time_zone: str, expression: str, country: str = "", subdivision: str = "") -> None:
    """Raises InvalidHours when the parts of service hours cannot be used together."""
    ordinary_hours(time_zone, expression, country, subdivision)


def check_times_of_a_day(expression: str) -> None:
    """Raises InvalidHours unless the text is the opening times of one day, such as “10:00-14:00”, or empty."""
    read_times(expression)


def _with_a_zone(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("A moment without a time zone cannot be compared with opening hours.")
    return at


def _note_unreadable(hours: ServiceHours, problem: InvalidHours) -> None:
    logger.error("hours_unreadable", extra={"hours": hours.code, "problem": str(problem)})


def _calendar(hours: ServiceHours, first: date | None = None, last: date | None = None) -> OpeningCalendar:
    times = _exceptional(hours.pk, first or date.min, last or date.max)
    return OpeningCalendar(ordinary_hours(hours.time_zone, hours.expression, hours.country, hours.subdivision), times)


@kept
def _exceptional(hours: int, first: date, last: date) -> Mapping[date, tuple[Span, ...]]:
    """The opening times of the exceptional days of some hours (their number) within a time."""
    return {day: read_times(expression) for day, expression in EXCEPTIONS.all(hours=hours, first=first, last=last)}
