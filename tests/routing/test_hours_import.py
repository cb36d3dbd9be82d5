"""Exceptional days from iCalendar files: what events mean for hours, and files that cannot be used."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import date, timedelta

import pytest

from routing.models import ServiceHours, ServiceHoursException
from routing.services.hours_import import ImportPlan, plan_import
from routing.services.ical_lines import UnreadableCalendar
from tests.routing.calendar_files import all_day, calendar, event, timed

TODAY = date(2026, 11, 23)
BERLIN_IN_ITS_OWN_WORDS = """BEGIN:VTIMEZONE
TZID:Our office
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE"""


@pytest.fixture
def hours(db: None) -> ServiceHours:
    return ServiceHours.objects.create(code="h", name="H", time_zone="Europe/London", expression="Mo-Fr 08:00-18:00")


def planned(hours: ServiceHours, *parts: str) -> ImportPlan:
    return plan_import(hours, calendar(*parts).encode(), today=TODAY)


def days_of(hours: ServiceHours, *parts: str) -> dict[str, str]:
    return {str(day.date): day.times for day in planned(hours, *parts).days}


@pytest.mark.parametrize(
    ("part", "days"),
    [
        (all_day("20261224"), {"2026-12-24": ""}),
        (all_day("20261224", "20261227"), {"2026-12-24": "", "2026-12-25": "", "2026-12-26": ""}),
        (all_day("20261120", "20261125"), {"2026-11-23": "", "2026-11-24": ""}),
        (all_day("20261224", SUMMARY="Short day\\, 9:00 - 12:30"), {"2026-12-24": "09:00-12:30"}),
        (
            all_day("20261224", SUMMARY="Eve", DESCRIPTION="Open 09:00–12:00 and\\n 22:00 to 02:00"),
            {"2026-12-24": "09:00-12:00,22:00-02:00"},
        ),
        (all_day("20261224", SUMMARY="Meeting of 12.11-14.12 about 100:20-200:30"), {"2026-12-24": ""}),
        (timed("20261224T100000", "20261224T140000"), {"2026-12-24": "10:00-14:00"}),
        (timed("20261224T100000Z", "20261224T140000Z"), {"2026-12-24": "10:00-14:00"}),
        (timed("20260824T100000Z", "20260824T140000Z", RRULE="FREQ=YEARLY;COUNT=2"), {"2027-08-24": "11:00-15:00"}),
        (timed("20261224T100000", "20261224T140000", "Europe/Berlin"), {"2026-12-24": "09:00-13:00"}),
        (timed("20261224T100000", "20261224T140000", "W. Europe Standard Time"), {"2026-12-24": "09:00-13:00"}),
        (timed("20261224T220000", "20261225T060000"), {"2026-12-24": "22:00-06:00"}),
        (timed("20261224T080000", "20261225T080000"), {"2026-12-24": "08:00-32:00"}),
        (
            timed("20261224T080000", "20261226T120000"),
            {"2026-12-24": "08:00-24:00", "2026-12-25": "00:00-24:00", "2026-12-26": "00:00-12:00"},
        ),
        (timed("20261224T080000", "20261226T000000"), {"2026-12-24": "08:00-24:00", "2026-12-25": "00:00-24:00"}),
        (event("DTSTART;VALUE=DATE:20261224", "DURATION:P2D"), {"2026-12-24": "", "2026-12-25": ""}),
        (event("DTSTART:20261224T100000", "DURATION:PT2H30M"), {"2026-12-24": "10:00-12:30"}),
        (all_day("20201224", RRULE="FREQ=YEARLY"), {"2026-12-24": "", "2027-12-24": "", "2028-12-24": ""}),
        (all_day("20201224", RRULE="FREQ=YEARLY;UNTIL=20271224"), {"2026-12-24": "", "2027-12-24": ""}),
        (
            timed("20261026T090000", "20261026T100000", RRULE="FREQ=WEEKLY;BYDAY=MO;UNTIL=20261207T090000Z"),
            {"2026-11-23": "09:00-10:00", "2026-11-30": "09:00-10:00", "2026-12-07": "09:00-10:00"},
        ),
        (
            # Nine in the morning stays nine when the clocks change.
            timed("20270325T090000", "20270325T100000", "Europe/London", RRULE="FREQ=DAILY;INTERVAL=2;COUNT=3"),
            {"2027-03-25": "09:00-10:00", "2027-03-27": "09:00-10:00", "2027-03-29": "09:00-10:00"},
        ),
        (all_day("20261130", RRULE="FREQ=MONTHLY;BYDAY=-1MO;COUNT=3"), {"2026-11-30": "", "2026-12-28": "", "2027-01-25": ""}),
        (
            all_day("20261201", RRULE="FREQ=DAILY;COUNT=5").replace(
                "RRULE", "EXDATE;VALUE=DATE:20261202,20261203\r\nEXDATE;VALUE=DATE:20261205\r\nRRULE"
            ),
            {"2026-12-01": "", "2026-12-04": ""},
        ),
        (
            timed("20261201T090000", "20261201T100000", RRULE="FREQ=DAILY;COUNT=3", EXDATE="20261202T090000").replace(
                "RRULE", "EXDATE;VALUE=DATE:20261203\r\nRRULE"
            ),
            {"2026-12-01": "09:00-10:00"},
        ),
        (event("DTSTART;VALUE=DATE:20261201", "RDATE;VALUE=DATE:20261205"), {"2026-12-01": "", "2026-12-05": ""}),
        (all_day("20261224", STATUS="CANCELLED"), {}),
        (event("DTSTART:20261224T100000", SUMMARY="A reminder"), {}),
        (all_day("20201224"), {}),
        (all_day("20301224"), {}),
    ],
)
def test_what_an_event_means(hours: ServiceHours, part: str, days: dict[str, str]) -> None:
    """Whole days close unless they name times; times open; repetitions, exceptions of them and time zones are followed."""
    assert days_of(hours, part) == days


def test_one_repetition_may_be_moved_and_another_cancelled(hours: ServiceHours) -> None:
    """RECURRENCE-ID takes the place of what would have been, wherever it stands in the file."""
    parts = (
        event("UID:weekly", "DTSTART;TZID=Europe/London:20261203T100000", "DURATION:PT1H", "RECURRENCE-ID:20261201T090000Z"),
        timed("20261124T090000", "20261124T100000", "Europe/London", UID="weekly", RRULE="FREQ=WEEKLY;COUNT=3"),
        event("UID:weekly", "DTSTART:20261208T090000Z", "DURATION:PT1H", "RECURRENCE-ID:20261208T090000Z", "STATUS:CANCELLED"),
        event("UID:whole", "DTSTART;VALUE=DATE:20270102", "RECURRENCE-ID;VALUE=DATE:20270101"),
        all_day("20261231", UID="whole", RRULE="FREQ=DAILY;COUNT=2"),
    )
    assert days_of(hours, *parts) == {"2026-11-24": "09:00-10:00", "2026-12-03": "10:00-11:00", "2026-12-31": "", "2027-01-02": ""}
    assert planned(hours, *parts).cancelled == 1


def test_a_file_may_define_its_own_time_zone(hours: ServiceHours) -> None:
    """Before or after the events, in winter and summer, and not for the next file that uses the name otherwise."""
    events = [timed(f"2027{month}15T100000", f"2027{month}15T120000", "Our office") for month in ("01", "07")]
    expected = {"2027-01-15": "09:00-11:00", "2027-07-15": "09:00-11:00"}
    assert days_of(hours, BERLIN_IN_ITS_OWN_WORDS, *events) == expected
    assert days_of(hours, *events, BERLIN_IN_ITS_OWN_WORDS) == expected
    in_moscow = BERLIN_IN_ITS_OWN_WORDS.replace("+0100", "+0300").replace("+0200", "+0300")
    assert days_of(hours, in_moscow, *events) == {"2027-01-15": "07:00-09:00", "2027-07-15": "08:00-10:00"}
    with pytest.raises(UnreadableCalendar, match="Line 6: there is no time zone “Our office”"):
        days_of(hours, *events)


def test_events_of_one_day_count_together(hours: ServiceHours) -> None:
    """Times win over closing, touching times become one, and the notes say all names once."""
    parts = (
        all_day("20261224", SUMMARY="Christmas Eve"),
        timed("20261224T080000", "20261224T120000", SUMMARY="Cover"),
        timed("20261224T110000", "20261224T130000", UID="b", SUMMARY="Cover"),
        timed("20261224T150000", "20261224T160000", SUMMARY="x" * 300),
    )
    (day,) = planned(hours, *parts).days
    assert day.times == "08:00-13:00,15:00-16:00"
    assert day.note == f"Christmas Eve; Cover; {'x' * 300}"[:200]


def test_the_same_times_are_left_alone_however_they_are_written(hours: ServiceHours) -> None:
    """A note that somebody typed stays."""
    ServiceHoursException.objects.create(hours=hours, date="2026-12-24", expression="8:00-12:00, 12:00-13:00", note="Typed")
    plan = planned(hours, timed("20261224T080000", "20261224T130000"), all_day("20261225"))
    assert (plan.left, plan.added, plan.changed) == (1, 1, 0)


def test_what_is_not_looked_at_is_counted(hours: ServiceHours) -> None:
    """Days that are over, days too far ahead, cancelled events, and events that say nothing, with their line."""
    cancelled, reminder = all_day("20261224", STATUS="CANCELLED"), event("DTSTART:20261224T100000", SUMMARY="Tick")
    plan = planned(hours, all_day("20250101"), all_day("20350101"), cancelled, reminder)
    assert (plan.past, plan.later, plan.cancelled) == (1, 1, 1)
    assert plan.left_out == ("Line 17: “Tick” has no end, so it says nothing about hours.",)


RULE = "DTSTART;VALUE=DATE:20261224"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Line 1: the calendar ends here without any event"),
        ("hello", "Line 1: “hello” cannot be read"),
        ("<html>: yes", "Line 1: “<html>: yes” cannot be read"),
        ("NAME:x", "Line 1: this is no calendar"),
        (calendar(), "Line 4: the calendar ends here without any event"),
        (calendar(all_day("20261224")).replace("END:VCALENDAR\r\n", ""), "Line 7: the file stops before VCALENDAR has ended"),
        (calendar("BEGIN:VEVENT"), "Line 5: VCALENDAR ends here, but VEVENT of line 4 has not ended"),
        (calendar(event(RULE, "no colon here")), "Line 6: “no colon here” cannot be read"),
        (calendar(event(RULE, "X-LONG:folded\r\n here", "no colon")), "Line 8: “no colon” cannot be read"),
        (calendar(event("SUMMARY:When?")), "Line 4: this event needs one DTSTART"),
        (calendar(event(RULE, RULE)), "Line 5: this event needs one DTSTART"),
        (calendar(all_day("20261399")), "Line 6: this cannot be read"),
        (calendar(event("DTSTART:101010")), "Line 5: this is no date"),
        (calendar(event("DTSTART;VALUE=DATE:00010101")), "Line 5: the year 1 cannot be used"),
        (calendar(event("DTSTART;VALUE=DATE:99991231")), "Line 5: the year 9999 cannot be used"),
        (calendar(timed("20261224T100000", "20261224T090000")), "Line 7: this event ends before it begins"),
        (calendar(event(RULE, "DTEND:20261225T100000")), "Line 6: this event has a time at one end"),
        (calendar(event(RULE, "DURATION:P9999D")), "lasts longer than ten years"),
        (calendar(timed("20261224T100000", "20261224T110000", "Mars/Base")), "Line 6: there is no time zone “Mars/Base”"),
        (calendar(event(RULE, "RRULE:FREQ=FORTNIGHTLY")), "Line 6: this cannot be read"),
        (calendar(event(RULE, "RRULE:FREQ=HOURLY")), "Line 6: an event that repeats within a day"),
        (calendar(event(RULE, "RRULE:FREQ=DAILY;BYHOUR=1,2")), "Line 6: an event that repeats within a day"),
        (calendar(event(RULE, "RRULE:FREQ=DAILY;INTERVAL=0")), "Line 6: a repetition needs an interval"),
        (calendar(event(RULE, "RRULE:FREQ=DAILY", "RRULE:FREQ=YEARLY")), "Line 6: an event with several rules"),
        (calendar(event(RULE, "RRULE:FREQ=YEARLY;BYMONTHDAY=" + "1," * 300 + "1")), "Line 6: this rule of repetition is too long"),
        (calendar(event(RULE, "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")), "Line 6: this event never happens"),
        (calendar(event("UID:a", RULE, "RECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20261224")), "Line 7: a change of all later"),
        (calendar(all_day("20261224", SUMMARY="From 25:00-26:00")), "Line 4: in this event “25:00-26:00”"),
        (calendar(BERLIN_IN_ITS_OWN_WORDS.replace("YEARLY", "DAILY"), all_day("20261224")), "Line 8: clocks cannot change more often"),
        (calendar(*(timed(f"20261224T{hour:02d}0000", f"20261224T{hour:02d}3000") for hour in range(12))), "too many times for one day"),
        (calendar(*(all_day("19010101", UID=str(number), RRULE="FREQ=DAILY") for number in range(3))), "too many to follow"),
        (calendar(*(all_day("20261224") for _each in range(2001))), "no more can be imported at once"),
    ],
)
def test_a_broken_file_is_refused_with_the_line_and_what_to_do(hours: ServiceHours, text: str, sentence: str) -> None:
    """The sentence names the line and the remedy, and nothing is planned."""
    with pytest.raises(UnreadableCalendar) as refused:
        plan_import(hours, text.encode(), today=TODAY)
    assert sentence in str(refused.value)


def test_a_file_in_another_encoding_is_refused_at_its_line(hours: ServiceHours) -> None:
    """UTF-8 with or without a mark is read; Latin-1 is not guessed."""
    text = calendar(all_day("20261224", SUMMARY="Été"))
    assert len(plan_import(hours, text.encode("utf-8-sig"), today=TODAY).days) == 1
    with pytest.raises(UnreadableCalendar, match="Line 7: a character is not in UTF-8"):
        plan_import(hours, text.encode("latin-1"), today=TODAY)


def test_whatever_is_in_a_file_it_is_planned_or_refused(hours: ServiceHours) -> None:
    """A thousand files with pieces cut out, doubled and put in: never another error."""
    whole = calendar(
        BERLIN_IN_ITS_OWN_WORDS,
        event("UID:a", RULE, "RRULE:FREQ=YEARLY;COUNT=4;BYDAY=-1SU;BYMONTH=5", "EXDATE;VALUE=DATE:20271224,20281224", "DURATION:P2D"),
        event("UID:b", "DTSTART;TZID=Our office:20261224T100000", "DTEND:20261225T100000Z", "RDATE;VALUE=PERIOD:20261224T100000Z/PT1H"),
        event("UID:b", "DTSTART:20261227T100000", "DURATION:PT1H", "RECURRENCE-ID;TZID=Our office:20261224T100000", "SUMMARY:9:00-12:00"),
    )
    pieces = ["", *";:,=-0TZé\0", "99999999999", "\r\n", "\r\n ", "TZID=", "VALUE=DATE", "BEGIN:VEVENT\r\n", "RRULE:"]
    dice = random.Random(4)
    for _number in range(1000):
        text = whole
        for _change in range(dice.randint(1, 3)):
            place = dice.randrange(len(text))
            text = text[:place] + dice.choice(pieces) + text[place + dice.choice((0, 0, 1, 2, 8, 30)) :]
        with suppress(UnreadableCalendar):
            plan = plan_import(hours, text.encode(), today=TODAY)
            assert all(TODAY <= day.date <= TODAY + timedelta(days=1098) for day in plan.days)
