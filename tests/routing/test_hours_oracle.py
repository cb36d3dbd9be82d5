"""Opening hours against an oracle that goes through two years minute by minute, in five time zones.

The oracle has no opening-hours string, no library and no arithmetic with shifts in it: for every day on the wall it paints
the minutes that are open, and for every minute of UTC it looks where the clock on the wall stands. Holidays are typed in.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from routing.models import ServiceHours, ServiceHoursException
from routing.services.hours import after_open_time, calendar_of, is_open, next_opening

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TWO_YEARS = 2 * 365 * 24 * 60
MARGIN = 21 * 24 * 60
BLOCK = 15  # clocks change on quarters of an hour
Shifts = list[tuple[str, str]]


def days(*texts: str) -> set[date]:
    return {date.fromisoformat(text) for text in texts}


@dataclass(frozen=True)
class Case:
    """Hours as a manager types them, and the same as plain facts: the shifts of Monday to Sunday, of holidays, of single dates."""

    zone: str
    expression: str
    week: list[Shifts]
    country: str = ""
    subdivision: str = ""
    holidays: set[date] = field(default_factory=set)
    on_holidays: Shifts = field(default_factory=list)
    exceptions: dict[str, Shifts] = field(default_factory=dict)
    clock_changes: list[str] = field(default_factory=list)


OFFICE, SPLIT, NIGHT = [("08:00", "18:00")], [("09:00", "12:00"), ("13:00", "17:30")], [("22:00", "06:00")]
CASES = [
    Case(
        # A Sunday shift whose end lies in the hour that the clocks skip and repeat; a night before a holiday and one on it.
        "Europe/London",
        "Mo-Fr 08:00-18:00; Sa 09:00-13:00,22:00-03:00; Su 00:30-01:30; PH off",
        [OFFICE, OFFICE, OFFICE, OFFICE, OFFICE, [("09:00", "13:00"), ("22:00", "03:00")], [("00:30", "01:30")]],
        "GB",
        "ENG",
        days("2026-01-01", "2026-04-03", "2026-04-06", "2026-05-04", "2026-05-25", "2026-08-31", "2026-12-25", "2026-12-26", "2026-12-28")
        | days("2027-01-01", "2027-03-26", "2027-03-29", "2027-05-03", "2027-05-31", "2027-08-30", "2027-12-25", "2027-12-26")
        | days("2027-12-27", "2027-12-28", "2028-01-01", "2028-01-03"),
        exceptions={
            "2026-03-28": [("20:00", "04:00")],  # the night in which the clocks go forward
            "2026-10-25": [("00:15", "01:15"), ("23:00", "01:45")],  # the day on which they go back
            "2026-12-24": [("22:00", "02:00")],
            "2026-12-28": [("10:00", "14:00")],
            "2027-06-18": [],
        },
        clock_changes=["2026-03-29", "2026-10-25", "2027-03-28", "2027-10-31"],
    ),
    Case(
        # Friday's night belongs to Friday, whatever Saturday has of its own; nights begin on holidays only when these say so.
        "America/New_York",
        "Mo-Th 09:00-12:00,13:00-17:30; Fr-Sa 22:00-06:00; Su 10:00-14:00; PH 12:00-13:00",
        [SPLIT, SPLIT, SPLIT, SPLIT, NIGHT, NIGHT, [("10:00", "14:00")]],
        "US",
        "",
        days("2026-01-01", "2026-01-19", "2026-02-16", "2026-05-25", "2026-06-19", "2026-07-03", "2026-07-04", "2026-09-07")
        | days("2026-10-12", "2026-11-11", "2026-11-26", "2026-12-25", "2027-01-01", "2027-01-18", "2027-02-15", "2027-05-31")
        | days("2027-06-18", "2027-06-19", "2027-07-04", "2027-07-05", "2027-09-06", "2027-10-11", "2027-11-11", "2027-11-25")
        | days("2027-12-24", "2027-12-25", "2027-12-31", "2028-01-01", "2028-01-17"),
        [("12:00", "13:00")],
        {
            "2026-03-07": [("23:00", "02:30")],  # ends in the hour that is skipped
            "2026-11-01": [("01:15", "01:45")],  # inside the hour that is repeated
            "2026-11-06": [],  # a Friday: no night
            "2026-11-14": [],  # a Saturday: the night of Friday stays
            "2027-07-05": [("08:00", "12:00"), ("20:00", "24:00")],
        },
        clock_changes=["2026-03-08", "2026-11-01", "2027-03-14", "2027-11-07"],
    ),
    Case(
        # Clocks change by half an hour.
        "Australia/Lord_Howe",
        "22:00-06:00; We off; Sa 01:45-02:15; Su 01:40-01:50,02:10-02:40",
        [NIGHT, NIGHT, [], NIGHT, NIGHT, [("01:45", "02:15")], [("01:40", "01:50"), ("02:10", "02:40")]],
        exceptions={"2026-04-04": [("21:00", "01:50")], "2026-10-04": [("02:15", "02:45")], "2027-01-26": [("23:59", "23:58")]},
        clock_changes=["2026-04-05", "2026-10-04", "2027-04-04", "2027-10-03"],
    ),
    Case(
        # South of the equator; clocks change at midnight, so a day has no first hour and another has two last ones.
        "America/Santiago",
        "Mo-Fr 00:00-24:00; Sa 23:15-23:45; Su 00:15-00:45, Su 23:00-07:00",
        [[("00:00", "24:00")]] * 5 + [[("23:15", "23:45")], [("00:15", "00:45"), ("23:00", "07:00")]],
        exceptions={"2026-09-06": [("00:00", "24:00")], "2026-04-04": [("22:00", "00:30")], "2027-04-03": [("23:30", "08:00")]},
        clock_changes=["2026-04-05", "2026-09-06", "2027-04-04", "2027-09-05"],
    ),
    Case(
        # No clock change ever, and half an hour beside the others' hours.
        "Asia/Kolkata",
        "Mo-Sa 09:30-13:00,14:00-18:30,21:00-01:00; Su off; PH off",
        [[("09:30", "13:00"), ("14:00", "18:30"), ("21:00", "01:00")]] * 6 + [[]],
        "JP",  # the staff are Japanese: the country of the holidays need not be the zone's
        "",
        days("2026-01-01", "2026-01-12", "2026-02-11", "2026-02-23", "2026-03-20", "2026-04-29", "2026-05-03", "2026-05-04", "2026-05-05")
        | days("2026-05-06", "2026-07-20", "2026-08-11", "2026-09-21", "2026-09-22", "2026-09-23", "2026-10-12", "2026-11-03", "2026-11-23")
        | days("2027-01-01", "2027-01-11", "2027-02-11", "2027-02-23", "2027-03-21", "2027-03-22", "2027-04-29", "2027-05-03", "2027-05-04")
        | days("2027-05-05", "2027-07-19", "2027-08-11", "2027-09-20", "2027-09-23", "2027-10-11", "2027-11-03", "2027-11-23")
        | days("2028-01-01", "2028-01-10"),
        exceptions={"2026-02-28": [("22:00", "22:30")], "2028-01-03": []},
    ),
]


def minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def utc(at: datetime | None) -> datetime | None:
    """Python never finds a time that clocks repeat equal to one of another zone, so moments are compared in UTC."""
    return at.astimezone(UTC) if at else None


class Oracle:
    """One byte for each minute of UTC: 1 where the clock on the wall reads an open time."""

    def __init__(self, case: Case) -> None:
        self.case, self.zone = case, ZoneInfo(case.zone)
        self.painted: dict[date, bytes] = {}
        self.open = bytearray()
        for moment in range(int(FIRST.timestamp()), int(FIRST.timestamp()) + (TWO_YEARS + MARGIN) * 60, BLOCK * 60):
            wall = datetime.fromtimestamp(moment, self.zone)
            begin = wall.hour * 60 + wall.minute
            self.open += self.wall_day(wall.date())[begin : begin + BLOCK]

    def shifts(self, day: date) -> Shifts:
        if day.isoformat() in self.case.exceptions:
            return self.case.exceptions[day.isoformat()]
        return self.case.on_holidays if day in self.case.holidays else self.case.week[day.weekday()]

    def wall_day(self, day: date) -> bytes:
        if day not in self.painted:
            minutes_of_day = bytearray(24 * 60)
            for begin, end in self.shifts(day):
                last = minutes(end) if minutes(end) > minutes(begin) else 24 * 60
                minutes_of_day[minutes(begin) : last] = b"\1" * (last - minutes(begin))
            for begin, end in self.shifts(day - timedelta(days=1)):
                if minutes(end) <= minutes(begin):
                    minutes_of_day[: minutes(end)] = b"\1" * minutes(end)
            self.painted[day] = bytes(minutes_of_day)
        return self.painted[day]

    def next_opening(self, minute: int) -> datetime:
        return FIRST + self.open.index(1, minute) * MINUTE

    def edges(self) -> Iterator[int]:
        """The last minute of every open and closed stretch, and the first of the next."""
        minute = 0
        while 0 <= (minute := self.open.find(1 - self.open[minute], minute)) < TWO_YEARS:
            yield from (minute - 1, minute)


def stored(case: Case) -> ServiceHours:
    hours = ServiceHours.objects.create(
        code="any", name="Any", time_zone=case.zone, expression=case.expression, country=case.country, subdivision=case.subdivision
    )
    for day, shifts in case.exceptions.items():
        ServiceHoursException.objects.create(hours=hours, date=day, expression=",".join(f"{begin}-{end}" for begin, end in shifts))
    return hours


@pytest.fixture(params=CASES, ids=lambda case: case.zone, scope="module")
def oracle(request: pytest.FixtureRequest) -> Oracle:
    return Oracle(request.param)


def test_the_oracle_sees_the_clock_changes(oracle: Oracle) -> None:
    """The case is about what it says: these are the days of two years that have not 24 hours."""
    odd = []
    for number in range(2 * 365):
        day = FIRST.date() + timedelta(days=number)
        noons = [datetime(each.year, each.month, each.day, 12, tzinfo=oracle.zone) for each in (day - timedelta(days=1), day)]
        if noons[0].utcoffset() != noons[1].utcoffset():
            odd.append(day.isoformat())
    assert odd == oracle.case.clock_changes


def test_every_minute_of_two_years(db: None, oracle: Oracle) -> None:
    """All 1,051,200 minutes, without a difference."""
    calendar = calendar_of(stored(oracle.case))
    answers = bytes(map(calendar.is_open, (FIRST + minute * MINUTE for minute in range(TWO_YEARS))))
    if answers != oracle.open[:TWO_YEARS]:
        wrong = [minute for minute in range(TWO_YEARS) if answers[minute] != oracle.open[minute]]
        at = [str((FIRST + minute * MINUTE).astimezone(oracle.zone)) for minute in wrong[:5]]
        pytest.fail(f"{len(wrong)} minutes differ, the first at {at}")


def test_the_next_opening_from_every_edge_and_every_minute_of_a_clock_change(db: None, oracle: Oracle) -> None:
    """From the last and the first minute of every stretch, open or closed, and each minute of the days around a clock change."""
    calendar = calendar_of(stored(oracle.case))
    asked = set(oracle.edges())
    for day in oracle.case.clock_changes:
        midday = int((datetime.fromisoformat(day).replace(hour=12, tzinfo=oracle.zone) - FIRST) / MINUTE)
        asked |= set(range(midday - 24 * 60, midday + 12 * 60))
    wrong = [
        (str(at.astimezone(oracle.zone)), str(found), str(expected))
        for minute in sorted(asked)
        if (found := utc(calendar.next_opening(at := FIRST + minute * MINUTE))) != (expected := oracle.next_opening(minute))
    ]
    assert len(asked) > 500
    assert wrong == []


def test_the_doors_that_everybody_asks_say_the_same(db: None, oracle: Oracle) -> None:
    """`is_open` and `next_opening` read only the exceptions they need, and answer like the whole calendar."""
    hours = stored(oracle.case)
    exceptional = [int((datetime.fromisoformat(day).replace(tzinfo=oracle.zone) - FIRST) / MINUTE) for day in oracle.case.exceptions]
    asked = {minute + offset for minute in exceptional for offset in range(-60, 36 * 60, 73) if 0 <= minute + offset < TWO_YEARS}
    for minute in sorted(asked):
        at = FIRST + minute * MINUTE
        assert is_open(hours, at) == bool(oracle.open[minute]), at
        assert utc(next_opening(hours, at)) == oracle.next_opening(minute), at


def test_open_time_is_counted_minute_by_minute(db: None, oracle: Oracle) -> None:
    """What service levels count: an hour and a half of open time, from minutes all over the two years and around clock changes."""
    hours = stored(oracle.case)
    open_minutes = [minute for minute, is_open_then in enumerate(oracle.open) if is_open_then]
    around = [int((datetime.fromisoformat(day).replace(tzinfo=oracle.zone) - FIRST) / MINUTE) for day in oracle.case.clock_changes]
    asked = {*range(0, TWO_YEARS, 9973), *(minute + offset for minute in around for offset in range(-600, 600, 47))}
    for minute in sorted(asked):
        last = open_minutes[bisect_left(open_minutes, minute) + 89]
        assert utc(after_open_time(hours, FIRST + minute * MINUTE, 90 * MINUTE)) == FIRST + (last + 1) * MINUTE, minute
