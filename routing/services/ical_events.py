"""Events of an iCalendar file, with their repetitions followed: when each begins and ends, on the clock of one time zone."""

from __future__ import annotations

import time as stopwatch
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from threading import Lock
from typing import Any, Final
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from django.utils.translation import gettext as _
from icalendar import Calendar, Event
from icalendar.timezone import tzp

from routing.services.ical_lines import EventPlace, UnreadableCalendar, at_line, event_places, text_of

MOST_REPETITIONS: Final = 50_000
MOST_SECONDS: Final = 5.0
YEARS: Final = range(1900, 9000)
LONGEST: Final = timedelta(days=3660)
DAY: Final = timedelta(days=1)
DECIDING: Final = frozenset({"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"})
"""The properties that decide when an event happens. What is wrong with others is not looked at."""
_ONE_FILE_AT_A_TIME = Lock()
Key = date | datetime
"""What tells the repetitions of an event apart: the date of one that lasts whole days, the moment in UTC of another."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that an event happens: from one wall time to another, or for whole days when `all_day`."""

    starts: datetime
    ends: datetime
    all_day: bool
    summary: str
    description: str
    line: int


@dataclass(frozen=True, slots=True)
class EventsOfAFile:
    """What happens, what was left out and why, and how much was cancelled."""

    occurrences: tuple[Occurrence, ...]
    left_out: tuple[str, ...]
    cancelled: int


@dataclass(slots=True)
class _Limits:
    """What following all repetitions of a file may take."""

    repetitions: int = 0
    until: float = field(default_factory=lambda: stopwatch.monotonic() + MOST_SECONDS)

    def count(self, line: int) -> None:
        self.repetitions += 1
        self.check(line)

    def check(self, line: int) -> None:
        if self.repetitions > MOST_REPETITIONS or stopwatch.monotonic() > self.until:
            raise at_line(line, _("the repetitions up to here are too many to follow. Have them begin or end closer to today."))


class _Reading:
    """One event, its properties checked. Raises UnreadableCalendar for any that cannot be used."""

    def __init__(self, event: Event, place: EventPlace, zone: ZoneInfo) -> None:
        self.event: Any = event
        self.place, self.zone = place, zone
        for name, _problem in event.errors:
            if name in DECIDING:
                raise self.wrong(name, _("this cannot be read. Put the event right in the calendar and export it again."))
        self.uid = str(event.get("UID", ""))
        self.starts = self._moment("DTSTART")
        self.all_day = not isinstance(self.starts, datetime)
        self.is_cancelled = str(event.get("STATUS", "")).upper() == "CANCELLED"
        self.length = self._length()

    def wrong(self, name: str | None, sentence: str) -> Exception:
        """What is wrong with a property, at its line."""
        return at_line(self.place.line_of(name), sentence)

    @property
    def event_zone(self) -> tzinfo:
        """The zone in which the event repeats."""
        return (self.starts.tzinfo if isinstance(self.starts, datetime) else None) or self.zone

    @property
    def replaces(self) -> Key | None:
        """Which repetition of the event of the same name this one stands for."""
        if "RECURRENCE-ID" not in self.event:
            return None
        if "RANGE" in self.event["RECURRENCE-ID"].params:
            raise self.wrong("RECURRENCE-ID", _("a change of all later repetitions cannot be imported. Make it an event of its own."))
        return self.key(self._moment("RECURRENCE-ID"))

    def key(self, at: date | datetime) -> Key:
        """The name of a repetition."""
        if isinstance(at, datetime):
            return at.date() if self.all_day else self._aware(at).astimezone(UTC)
        return at

    def occurrence(self, starts: datetime) -> Occurrence:
        """The event when it begins at a time on the wall of its own zone."""
        ends = starts + self.length
        if not self.all_day:
            starts, ends = (each.replace(tzinfo=self.event_zone).astimezone(self.zone).replace(tzinfo=None) for each in (starts, ends))
        summary, description = (str(self.event.get(name, "")).strip() for name in ("SUMMARY", "DESCRIPTION"))
        return Occurrence(starts, ends, self.all_day, summary, description, self.place.line)

    def wall(self, at: date | datetime) -> datetime:
        """A date or moment of a property as a time on the wall of the event's zone."""
        if isinstance(at, datetime):
            return self._aware(at).astimezone(self.event_zone).replace(tzinfo=None)
        return datetime(at.year, at.month, at.day)  # noqa: DTZ001  # a time on the wall

    def left_out(self) -> str:
        """Why an event without an end says nothing."""
        summary = str(self.event.get("SUMMARY", ""))[:60]
        return _("Line %(line)d: “%(summary)s” has no end, so it says nothing about hours.") % {"line": self.place.line, "summary": summary}

    def moments(self, name: str) -> Iterator[date | datetime]:
        """The dates or moments of EXDATE or RDATE."""
        rows = self.event.get(name, [])
        for row in rows if isinstance(rows, list) else [rows]:
            for each in row.dts:
                # A period has its beginning first; its own length is not looked at.
                yield each.dt[0] if isinstance(each.dt, tuple) else each.dt

    def _aware(self, at: datetime) -> datetime:
        return at if at.tzinfo else at.replace(tzinfo=self.event_zone)

    def _moment(self, name: str) -> date | datetime:
        found: Any = self.event.get(name)
        if found is None or isinstance(found, list):
            raise self.wrong(name, _("this event needs one %(name)s. Put it right in the calendar and export it again.") % {"name": name})
        at: date | datetime = found.dt
        if not isinstance(at, date):
            raise self.wrong(name, _("this is no date. Put it right in the calendar and export it again."))
        if isinstance(at, datetime) and at.tzinfo is None and "TZID" in found.params:
            sentence = _("there is no time zone “%(zone)s”. Choose a known one in the calendar, such as Europe/London.")
            raise self.wrong(name, sentence % {"zone": str(found.params["TZID"])[:60]})
        if at.year not in YEARS:
            raise self.wrong(name, _("the year %(year)d cannot be used. Put it right in the calendar.") % {"year": at.year})
        return at.replace(tzinfo=at.tzinfo or self.zone) if isinstance(at, datetime) else at

    def _length(self) -> timedelta:
        """How long the event lasts, on the wall."""
        length: timedelta
        if "DTEND" in self.event:
            ends = self._moment("DTEND")
            if isinstance(ends, datetime) is self.all_day:
                raise self.wrong("DTEND", _("this event has a time at one end and only a date at the other. Put it right in the calendar."))
            length = self.wall(ends) - self.wall(self.starts)
        elif "DURATION" in self.event:
            length = self.event["DURATION"].dt
        else:
            length = DAY if self.all_day else timedelta(0)
        if length < timedelta(0):
            raise self.wrong("DTEND", _("this event ends before it begins. Put it right in the calendar and export it again."))
        if length > LONGEST:
            raise self.wrong("DTEND", _("this event lasts longer than ten years. Put it right in the calendar, or take it out."))
        return max(length, DAY) if self.all_day else length


def read_events(data: bytes, zone: ZoneInfo, last: date) -> EventsOfAFile:
    """The events of a file, their repetitions until the `last` day, on the clock of `zone`, which times without a zone are in, too.

    Raises UnreadableCalendar.
    """
    text = text_of(data)
    places = event_places(text)
    events = _events(text)
    if len(events) != len(places):
        raise _unreadable_as_a_whole()
    readings = []
    for event, place in zip(events, places, strict=True):
        with _understood(place):
            readings.append(_Reading(event, place, zone))
    replaced: dict[str, set[Key]] = {}
    for reading in readings:
        with _understood(reading.place):
            if (key := reading.replaces) is not None:
                replaced.setdefault(reading.uid, set()).add(key)
    limits, left_out, found = _Limits(), list[str](), list[Occurrence]()
    for reading in readings:
        if reading.is_cancelled:
            continue
        if not reading.length:
            left_out.append(reading.left_out())
            continue
        others = set() if reading.replaces else replaced.get(reading.uid, set())
        with _understood(reading.place):
            found += [reading.occurrence(starts) for starts in _beginnings(reading, others, last, limits)]
    return EventsOfAFile(tuple(found), tuple(left_out), sum(reading.is_cancelled for reading in readings))


@contextmanager
def _understood(place: EventPlace) -> Iterator[None]:
    """Whatever a library stumbles over in an event is a fault of the event, and told as such."""
    try:
        yield
    except UnreadableCalendar:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        sentence = _("when this event happens cannot be worked out. Set its times and its repetition again in the calendar.")
        raise at_line(place.line, sentence) from error


def _unreadable_as_a_whole() -> UnreadableCalendar:
    return at_line(1, _("this calendar cannot be read. Export it again as iCalendar (.ics)."))


def _events(text: str) -> list[Event]:
    """The events as the library reads them, with the time zones of this file and of no other."""
    with _ONE_FILE_AT_A_TIME:
        tzp.use_default()
        try:
            calendars: Any = Calendar.from_ical(text, multiple=True)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise _unreadable_as_a_whole() from error
        return [event for calendar in calendars for event in calendar.walk("VEVENT")]


def _beginnings(reading: _Reading, replaced: set[Key], last: date, limits: _Limits) -> Iterator[datetime]:
    """When the event begins, on the wall of its own zone, each time once; repetitions until the `last` day."""
    without = replaced | {reading.key(each) for each in reading.moments("EXDATE")}
    # Some calendars name the date on which a time is left out.
    whole_days = {each for each in reading.moments("EXDATE") if not isinstance(each, datetime)}
    added = {reading.wall(each) for each in reading.moments("RDATE")} if not reading.replaces else set()
    for starts in sorted({*_repeated(reading, last, limits), *added}):
        key = starts.date() if reading.all_day else starts.replace(tzinfo=reading.event_zone).astimezone(UTC)
        if key not in without and starts.date() not in whole_days:
            yield starts


def _repeated(reading: _Reading, last: date, limits: _Limits) -> Iterator[datetime]:
    first = reading.wall(reading.starts)
    rule: Any = reading.event.get("RRULE")
    if rule is None or reading.replaces or first.date() > last:
        yield first
        return
    if isinstance(rule, list):
        raise reading.wrong("RRULE", _("an event with several rules of repetition cannot be imported. Make one event for each."))
    if rule.get("INTERVAL", [1])[0] < 1:
        raise reading.wrong("RRULE", _("a repetition needs an interval of one or more. Set the repetition again in the calendar."))
    ends = rule.get("UNTIL", [None])[0]
    plain = type(rule)({name: values for name, values in rule.items() if name != "UNTIL"})
    try:
        repetitions = rrulestr(plain.to_ical().decode(), dtstart=first)
    except (ValueError, TypeError, KeyError) as error:
        raise reading.wrong("RRULE", _("this rule of repetition cannot be read. Set the repetition again in the calendar.")) from error
    line = reading.place.line_of("RRULE")
    until = _until(reading, ends)
    happens = False
    for starts in repetitions:
        limits.count(line)
        if starts.date() > last or (until is not None and starts > until):
            break
        happens = True
        yield starts
    limits.check(line)
    if not happens:
        raise reading.wrong("RRULE", _("this event never happens. Set its repetition again in the calendar, or take it out."))


def _until(reading: _Reading, ends: date | datetime | None) -> datetime | None:
    if ends is None:
        return None
    if isinstance(ends, datetime):
        return reading.wall(ends) if not reading.all_day else datetime.combine(ends.date(), datetime.max.time())
    return datetime.combine(ends, datetime.max.time())
