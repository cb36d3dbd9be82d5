"""Opening hours with public holidays, exceptions and daylight saving."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from routing.models import ServiceHours, ServiceHoursException
from routing.services.hours import InvalidHours, check_hours, check_times_of_a_day, is_open, next_opening

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
        ({"country": ""}, "needs the country"),
        ({"country": "ZZ"}, "not known"),
        ({"subdivision": "ZZZ"}, "not known"),
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


@pytest.mark.parametrize("times", ["8-12", "Mo 08:00-12:00", "25:00-26:00", "08:00-12:00; off"])
def test_the_times_of_one_day_are_only_times(times: str) -> None:
    """An exception cannot smuggle in rules for other days."""
    check_times_of_a_day("08:00-12:00, 13:00-17:00")
    check_times_of_a_day("")
    with pytest.raises(InvalidHours):
        check_times_of_a_day(times)
