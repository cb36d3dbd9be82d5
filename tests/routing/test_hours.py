"""Opening hours with public holidays, exceptions and daylight saving."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from routing.models import ServiceHours, ServiceHoursException
from routing.services.hours import InvalidHours, check_hours, check_times_of_a_day, coming_days, is_open, next_opening
from routing.services.opening_rules import written

LONDON = ZoneInfo("Europe/London")


@pytest.fixture
def hours(db: None) -> ServiceHours:
    return ServiceHours.objects.create(
        code="office",
        name="Office",
        time_zone="Europe/London",
        expression="Mo-Fr 08:00-18:00; Sa 09:00-13:00; PH off",
        country="GB",
        subdivision="ENG",
    )


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-23 07:59", False),
        ("2026-11-23 08:00", True),
        ("2026-11-23 17:59", True),
        ("2026-11-23 18:00", False),
        ("2026-11-28 10:00", True),
        ("2026-11-29 10:00", False),
        ("2026-12-25 10:00", False),
        ("2026-12-26 10:00", False),
        ("2026-12-28 10:00", False),
        ("2026-01-01 10:00", False),
        ("2026-08-31 10:00", False),
        ("2028-02-29 10:00", True),
    ],
)
def test_days_times_and_public_holidays(hours: ServiceHours, moment: str, expected: bool) -> None:
    """Weekdays, Saturday, Sunday, bank holidays of England, a leap day."""
    assert is_open(hours, datetime.fromisoformat(moment).replace(tzinfo=LONDON)) is expected


def test_a_part_of_a_country_has_its_own_holidays(hours: ServiceHours) -> None:
    """The summer bank holiday is not one in Scotland; St Andrew's Day is."""
    hours.subdivision = "SCT"
    assert is_open(hours, datetime(2026, 8, 31, 10, tzinfo=LONDON))
    assert not is_open(hours, datetime(2026, 11, 30, 10, tzinfo=LONDON))


def test_the_same_local_time_counts_on_both_sides_of_a_clock_change(hours: ServiceHours) -> None:
    """Opening at eight is 08:00 UTC in winter and 07:00 UTC in summer."""
    assert not is_open(hours, datetime(2026, 3, 27, 7, 30, tzinfo=UTC))
    assert is_open(hours, datetime(2026, 3, 30, 7, 30, tzinfo=UTC))
    assert next_opening(hours, datetime(2026, 3, 28, 20, tzinfo=UTC)) == datetime(2026, 3, 30, 7, tzinfo=UTC)
    assert next_opening(hours, datetime(2026, 10, 24, 20, tzinfo=UTC)) == datetime(2026, 10, 26, 8, tzinfo=UTC)


def test_the_hour_that_a_clock_change_skips_or_repeats_is_no_trouble(hours: ServiceHours) -> None:
    """Night hours across the change are open throughout."""
    hours.expression = "Mo-Su 22:00-06:00"
    for minute in range(0, 360, 30):
        for night in (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)):
            assert is_open(hours, night.replace(hour=minute // 60 % 5, minute=minute % 60))


def test_an_exceptional_day_replaces_its_ordinary_hours(hours: ServiceHours) -> None:
    """Shorter on Christmas Eve, closed for the summer party, open on a holiday."""
    for day, times in ((date(2026, 12, 24), "10:00-14:00"), (date(2026, 7, 1), ""), (date(2026, 12, 28), "09:00-11:00,12:00-13:00")):
        ServiceHoursException.objects.create(hours=hours, date=day, expression=times)
    at = [
        datetime(2026, 12, 24, 9, tzinfo=LONDON),
        datetime(2026, 12, 24, 13, tzinfo=LONDON),
        datetime(2026, 12, 24, 15, tzinfo=LONDON),
        datetime(2026, 7, 1, 12, tzinfo=LONDON),
        datetime(2026, 12, 28, 10, tzinfo=LONDON),
        datetime(2026, 12, 28, 11, 30, tzinfo=LONDON),
    ]
    assert [is_open(hours, moment) for moment in at] == [False, True, False, False, True, False]
    assert next_opening(hours, datetime(2026, 12, 24, 15, tzinfo=LONDON)) == datetime(2026, 12, 28, 9, tzinfo=LONDON)


def test_when_open_the_next_opening_is_now_and_never_is_none(hours: ServiceHours) -> None:
    """An open moment is its own answer; hours that never open have none."""
    now = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    assert next_opening(hours, now) == now
    hours.expression = "off"
    assert next_opening(hours, now) is None


def test_a_moment_without_a_time_zone_is_refused(hours: ServiceHours) -> None:
    """Time zones are explicit."""
    with pytest.raises(ValueError, match="time zone"):
        is_open(hours, datetime(2026, 11, 23, 9))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"time_zone": "Europe/Atlantis"}, "no time zone"),
        ({"time_zone": "../etc/passwd"}, "no time zone"),
        ({"expression": "Mo-Fr 8-18"}, "cannot be read"),
        ({"expression": ""}, "cannot be read"),
        ({"expression": "x" * 100_000}, "cannot be read"),
        ({"expression": "Mo-Fr,PH 08:00-18:00"}, "a rule of their own"),
        ({"expression": "Mo-Fr 08:00-18:00; SH off"}, "School holidays"),
        ({"expression": "PH off; Mo-Fr 08:00-18:00"}, "last"),
        ({"expression": "Mo-Fr 08:00-08:00"}, "same time"),
        ({"expression": "Mo-Fr 08:00+"}, "cannot be read"),
        ({"expression": "sunrise-sunset"}, "cannot be read"),
        ({"expression": "Mo 08:00-18:00 || 10:00-12:00"}, "cannot be read"),
        ({"expression": 'Mo 08:00-18:00 "by appointment"'}, "cannot be read"),
        ({"expression": "Mo 08:00-18:00;; Tu off"}, "cannot be read"),
        ({"expression": "a" + " " * 100_000}, "cannot be read"),
        ({"country": ""}, "needs the country"),
        ({"country": "ZZ"}, "not known"),
        ({"subdivision": "ZZZ"}, "are: ENG, NIR, SCT, WLS"),
    ],
)
def test_hours_that_cannot_be_used_are_refused_with_a_sentence(changed: dict[str, str], sentence: str) -> None:
    """Typing mistakes are told before anybody waits in front of a closed door."""
    parts = {
        "time_zone": "Europe/London",
        "expression": "Mo-Fr 08:00-18:00; PH off",
        "country": "GB",
        "subdivision": "ENG",
    }
    check_hours(**parts)
    with pytest.raises(InvalidHours, match=sentence):
        check_hours(**(parts | changed))


@pytest.mark.parametrize(
    ("expression", "opens"),
    [
        ("Fr 22:00-06:00; Sa 10:00-14:00", {"27": "22:00-06:00", "28": "10:00-14:00"}),
        ("Fr 22:00-06:00, Sa 10:00-14:00", {"27": "22:00-06:00", "28": "10:00-14:00"}),
        ("Fr 22:00-06:00; Sa off", {"27": "22:00-06:00"}),
        ("Fr-Sa 08:00-12:00; Sa 14:00-16:00", {"27": "08:00-12:00", "28": "14:00-16:00"}),
        ("Fr-Sa 08:00-12:00, Sa 14:00-16:00", {"27": "08:00-12:00", "28": "08:00-12:00,14:00-16:00"}),
        ("Fr-Sa 08:00-18:00; Fr 12:00-13:00 off", {"27": "08:00-12:00,13:00-18:00", "28": "08:00-18:00"}),
        ("Fr 08:00-12:00,12:00-13:00", {"27": "08:00-13:00"}),
        ("Fr", {"27": "00:00-24:00"}),
        ("Fr 22:00-30:00;", {"27": "22:00-06:00"}),
        ("Nov Sa[-1] 9:00-10:00", {"28": "09:00-10:00"}),
        ("2026 Nov 27-2026 Nov 28 08:00-09:00", {"27": "08:00-09:00", "28": "08:00-09:00"}),
        ("24/7; Fr,Sa off", {"29": "00:00-24:00"}),
    ],
)
def test_what_a_day_begins_with(hours: ServiceHours, expression: str, opens: dict[str, str]) -> None:
    """Later rules replace, add or take away; a shift belongs to the day on which it begins, whatever the next day has of its own."""
    hours.expression = expression
    days = coming_days(hours, date(2026, 11, 27), 3)
    assert {f"{day.opening.date:%d}": written(day.opening.spans) for day in days if day.opening.spans} == opens


def test_a_night_before_a_closed_day_runs_to_its_end(hours: ServiceHours) -> None:
    """Closing Christmas Day closes the night that begins on it, and leaves Christmas Eve's."""
    hours.expression = "Mo-Su 22:00-06:00; PH off"
    nights = [datetime(2026, 12, day, 3, tzinfo=LONDON) for day in (25, 26, 27, 28, 29)]
    assert [is_open(hours, night) for night in nights] == [True, False, False, True, False]
    ServiceHoursException.objects.create(hours=hours, date=date(2026, 12, 25), expression="22:00-02:00")
    assert is_open(hours, datetime(2026, 12, 26, 1, 59, tzinfo=LONDON))
    assert not is_open(hours, datetime(2026, 12, 26, 2, tzinfo=LONDON))


@pytest.mark.parametrize(
    "times", ["08:00-08:00", "24:00-26:00", "08:61-09:00", "22:00-47:00", "8-12", "Mo 08:00-12:00", "25:00-26:00", "08:00-12:00; off"]
)
def test_the_times_of_one_day_are_only_times(times: str) -> None:
    """An exception cannot smuggle in rules for other days."""
    check_times_of_a_day("08:00-12:00, 13:00-17:00")
    check_times_of_a_day("")
    with pytest.raises(InvalidHours):
        check_times_of_a_day(times)
