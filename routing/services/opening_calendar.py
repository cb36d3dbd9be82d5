"""Rules, public holidays and exceptional dates put together on the calendar of one time zone.

Two sentences decide everything here. A shift belongs to the day on which it begins: what replaces that day replaces the
whole shift, and nothing about the next day cuts it short. And the clock on the wall decides: hours are open while it
reads a time that is open, so a time that the clocks skip is not there and one that they repeat is there twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
from django.utils.translation import gettext as _

from routing.services.opening_rules import MINUTES_OF_A_DAY, InvalidHours, Span, read_rules, united

DAYS_LOOKED_AHEAD: Final = 732
MOST_PERIODS: Final = 2000
A_MINUTE: Final = timedelta(minutes=1)


class Why(Enum):
    """What decided the times of a day."""

    ORDINARY = "ordinary"
    HOLIDAY = "holiday"
    EXCEPTION = "exception"


@dataclass(frozen=True, slots=True)
class OpeningDay:
    """The shifts that begin on one day, and why these. `holiday` is the name of a public holiday, whether or not it changes anything."""

    date: date
    spans: tuple[Span, ...]
    why: Why
    holiday: str = ""


class OrdinaryHours:
    """Rules and public holidays, without exceptional dates."""

    def __init__(self, time_zone: str, expression: str, country: str, subdivision: str) -> None:
        """Raises InvalidHours when the parts cannot be used together."""
        self.zone = zone_named(time_zone)
        self._rules = read_rules(expression)
        self._place = (country, subdivision)
        self._days: dict[date, OpeningDay] = {}
        if not country and any(rule.on_holidays for rule in self._rules):
            raise InvalidHours(_("“PH” needs the country whose public holidays are meant."))
        holiday_names(country, subdivision, 2026)

    def day(self, day: date) -> OpeningDay:
        """What begins on a day."""
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = self._worked_out(day)
        return found

    def _worked_out(self, day: date) -> OpeningDay:
        holiday = holiday_names(*self._place, day.year).get(day, "")
        spans: tuple[Span, ...] = ()
        why = Why.ORDINARY
        for rule in self._rules:
            if rule.is_about(day, is_holiday=bool(holiday)):
                spans = rule.applied(spans)
                why = Why.HOLIDAY if rule.on_holidays else why
        return OpeningDay(day, spans, why, holiday)


class OpeningCalendar:
    """When hours are open, with the exceptional dates as they were when it was made."""

    def __init__(self, ordinary: OrdinaryHours, exceptions: Mapping[date, tuple[Span, ...]]) -> None:
        self._ordinary = ordinary
        self._exceptions = exceptions
        self._open: dict[int, tuple[Span, ...]] = {}
        self.zone = ordinary.zone

    def day(self, day: date) -> OpeningDay:
        """What begins on a day."""
        ordinary = self._ordinary.day(day)
        if day not in self._exceptions:
            return ordinary
        return OpeningDay(day, self._exceptions[day], Why.EXCEPTION, ordinary.holiday)

    def is_open_on(self, day: date) -> bool:
        """Whether the hours are open at some time of a day."""
        return bool(self._open_minutes(day.toordinal()))

    def is_open(self, at: datetime) -> bool:
        """Whether the hours are open at an aware moment."""
        wall = at.astimezone(self.zone)
        minute = wall.hour * 60 + wall.minute
        return any(begin <= minute < end for begin, end in self._open_minutes(wall.toordinal()))

    def next_opening(self, at: datetime) -> datetime | None:
        """The first open moment from `at` on, in the hours' time zone; None when there is none within two years."""
        return self._next(at, is_open=True)

    def after_open_time(self, at: datetime, open_time: timedelta) -> datetime | None:
        """The moment at which the hours have been open for `open_time` since `at`; None when that is too far to say."""
        moment, left = at.astimezone(UTC), open_time
        for _period in range(MOST_PERIODS):
            opening = self.next_opening(moment)
            if opening is None:
                return None
            opening = opening.astimezone(UTC)
            closing = self._next(opening, is_open=False, until=opening + left)
            if closing is None or closing >= opening + left:
                return opening + left
            moment, left = closing.astimezone(UTC), left - (closing.astimezone(UTC) - opening)
        return None

    def _next(self, at: datetime, *, is_open: bool, until: datetime | None = None) -> datetime | None:
        if self.is_open(at) is is_open:
            return at.astimezone(self.zone)
        first = at.astimezone(self.zone).date()
        for number in range(DAYS_LOOKED_AHEAD):
            day = first + timedelta(days=number)
            found = min((each for each in self._changes(day) if each > at and self.is_open(each) is is_open), default=None)
            if found is not None:
                return found.astimezone(self.zone)
            if until is not None and datetime.combine(day, time(0), self.zone) > until:
                return None
        return None

    def _changes(self, day: date) -> Iterator[datetime]:
        """Every moment of a day at which the hours may open or close, in no order."""
        midnight = datetime.combine(day, time(0))
        for minutes in {minutes for span in self._open_minutes(day.toordinal()) for minutes in span}:
            wall = midnight + timedelta(minutes=minutes)
            yield from (wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        yield from clock_changes(self.zone, day)

    def _open_minutes(self, ordinal: int) -> tuple[Span, ...]:
        """The minutes of a day, on the wall, in which the hours are open: its own and what is left of the night before."""
        found = self._open.get(ordinal)
        if found is None:
            own = self.day(date.fromordinal(ordinal)).spans
            before = self.day(date.fromordinal(ordinal - 1)).spans
            night = tuple((begin - MINUTES_OF_A_DAY, end - MINUTES_OF_A_DAY) for begin, end in before)
            clipped = ((max(begin, 0), min(end, MINUTES_OF_A_DAY)) for begin, end in (*night, *own))
            found = self._open[ordinal] = united(tuple((begin, end) for begin, end in clipped if begin < end))
        return found


@lru_cache(maxsize=256)
def ordinary_hours(time_zone: str, expression: str, country: str, subdivision: str) -> OrdinaryHours:
    """The rules of these parts, read once. Raises InvalidHours."""
    return OrdinaryHours(time_zone, expression, country, subdivision)


@lru_cache(maxsize=1024)
def holiday_names(country: str, subdivision: str, year: int) -> Mapping[date, str]:
    """The public holidays of a country, or of a part of it, in a year, each with its name; none without a country. Raises InvalidHours.

    From the `holidays` package: the calendar inside opening-hours-py lacks dates (in 2026 New Year and Boxing Day of Great Britain).
    """
    if not country:
        return {}
    try:
        return dict(holidays.country_holidays(country, subdiv=subdivision or None, years=year))
    except NotImplementedError as error:
        parts = holidays.list_supported_countries().get(country)
        if not parts:
            raise InvalidHours(
                _("The public holidays of “%(country)s” are not known. Leave the country empty and enter the dates.") % {"country": country}
            ) from error
        raise InvalidHours(
            _("The public holidays of “%(part)s” are not known. The parts of %(country)s are: %(parts)s.")
            % {"part": subdivision, "country": country, "parts": ", ".join(parts)}
        ) from error


def clock_changes(zone: ZoneInfo, day: date) -> Iterator[datetime]:
    """The moment, in UTC, at which the clocks of a zone change on a day; nothing on other days."""
    before = datetime.combine(day, time(0), zone).astimezone(UTC) - A_MINUTE
    after = datetime.combine(day + timedelta(days=1), time(0), zone).astimezone(UTC) - A_MINUTE
    offset = before.astimezone(zone).utcoffset()
    if after.astimezone(zone).utcoffset() == offset:
        return
    while after - before > A_MINUTE:
        middle = before + (after - before) // (2 * A_MINUTE) * A_MINUTE
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    yield after


def zone_named(name: str) -> ZoneInfo:
    """The time zone of that name. Raises InvalidHours."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidHours(_("There is no time zone “%(zone)s”. Choose one such as Europe/London.") % {"zone": name}) from error

