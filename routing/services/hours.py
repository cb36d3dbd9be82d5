"""When somebody is there: opening hours typed by managers, with public holidays and exceptional dates.

Evaluated by opening-hours-py in the hours' own time zone, so daylight saving is right. Public holidays come from
the `holidays` package: the calendar inside opening-hours-py lacks dates (in 2026 New Year and Boxing Day of Great Britain).
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
from django.utils.translation import gettext as _
from opening_hours import OpeningHours, validate

from routing.models import ServiceHours

MOST_CHANGES_LOOKED_AT = 800
_HOLIDAY_RULE = re.compile(r"\s*PH\b\s*(?P<times>.*)", re.DOTALL)
_MENTIONS_HOLIDAYS = re.compile(r"\b(PH|SH)\b")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class InvalidHours(ValueError):
    """Hours cannot be read; the message says what is wrong, for managers."""


def is_open(hours: ServiceHours, at: datetime) -> bool:
    """Whether the hours are open at an aware moment. Reads the exceptions: one query."""
    return _evaluated(hours, at).is_open(_local(hours, at))


def next_opening(hours: ServiceHours, at: datetime) -> datetime | None:
    """The first open moment from `at` on, in the hours' time zone; None when there is none within a year or so."""
    evaluated = _evaluated(hours, at)
    moment = _local(hours, at)
    for _change in range(MOST_CHANGES_LOOKED_AT):
        if evaluated.is_open(moment):
            return moment
        change = evaluated.next_change(moment)
        if change is None or change.year > at.year + 1:
            return None
        moment = change
    return None


def open_days(hours: ServiceHours, first: date, last: date) -> frozenset[date]:
    """The days from `first` to `last`, both included and in the hours' time zone, on which the hours are open at some time.

    Reads the exceptions: one query.
    """
    zone = _zone(hours.time_zone)
    evaluated = _evaluated(hours, datetime.combine(first, time(0), zone))
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return frozenset(day for day in days if _is_open_on(evaluated, day, zone))


def _is_open_on(evaluated: OpeningHours, day: date, zone: ZoneInfo) -> bool:
    midnight = datetime.combine(day, time(0), zone)
    if evaluated.is_open(midnight):
        return True
    change = evaluated.next_change(midnight)
    return change is not None and change.date() == day


def check_hours(*, time_zone: str, expression: str, country: str = "", subdivision: str = "") -> None:
    """Raises InvalidHours when the parts of service hours cannot be used together."""
    zone = _zone(time_zone)
    dates = _holiday_dates(country, subdivision, (2026,))
    if _mentions_holidays_wrongly(expression):
        raise InvalidHours(_("Give public holidays a rule of their own, such as “; PH off”."))
    if not country and _MENTIONS_HOLIDAYS.search(expression):
        raise InvalidHours(_("“PH” needs the country whose public holidays are meant."))
    _parse(_with_holidays(expression, dates), zone)


def check_times_of_a_day(expression: str) -> None:
    """Raises InvalidHours unless the text is the opening times of one day, such as “10:00-14:00”, or empty."""
    if expression and not re.fullmatch(r"\d{2}:\d{2}-\d{2}:\d{2}(\s*,\s*\d{2}:\d{2}-\d{2}:\d{2})*", expression.strip()):
        raise InvalidHours(_("Write times such as “10:00-14:00” or “09:00-12:00,13:00-17:00”; empty means closed."))
    _parse(_rule_for(date(2026, 1, 1), expression), ZoneInfo("UTC"))


def _evaluated(hours: ServiceHours, at: datetime) -> OpeningHours:
    if at.tzinfo is None:
        raise ValueError("A moment without a time zone cannot be compared with opening hours.")
    years = tuple(range(at.year - 1, at.year + 3))
    exceptions = tuple(
        _rule_for(day, expression) for day, expression in hours.exceptions.values_list("date", "expression")
    )
    return _kept(hours.time_zone, hours.expression, hours.country, hours.subdivision, years, exceptions)


@lru_cache(maxsize=256)
def _kept(
    time_zone: str, expression: str, country: str, subdivision: str, years: tuple[int, ...], exceptions: tuple[str, ...]
) -> OpeningHours:
    dates = _holiday_dates(country, subdivision, years)
    return _parse("; ".join((_with_holidays(expression, dates), *exceptions)), _zone(time_zone))


def _with_holidays(expression: str, dates: list[date]) -> str:
    """The expression with each rule for PH replaced by one for each date: a later rule overrides an earlier one."""
    rules: list[str] = []
    for rule in expression.split(";"):
        holiday = _HOLIDAY_RULE.fullmatch(rule)
        if not holiday:
            rules.append(rule.strip())
            continue
        times = holiday["times"].strip()
        rules += [_rule_for(day, "" if times in ("off", "closed") else times) for day in dates]
    return "; ".join(rules)


def _mentions_holidays_wrongly(expression: str) -> bool:
    rules = expression.split(";")
    return any(_MENTIONS_HOLIDAYS.search(rule) and not _HOLIDAY_RULE.fullmatch(rule) for rule in rules)


def _rule_for(day: date, times: str) -> str:
    return f"{day.year:04d} {_MONTHS[day.month - 1]} {day.day:02d} {times.strip() or 'off'}"


def _holiday_dates(country: str, subdivision: str, years: tuple[int, ...]) -> list[date]:
    if not country:
        return []
    try:
        found = holidays.country_holidays(country, subdiv=subdivision or None, years=years)
    except NotImplementedError as error:
        raise InvalidHours(
            _("The public holidays of “%(place)s” are not known. Use two-letter codes, such as GB and ENG.")
            % {"place": f"{country} {subdivision}".strip()}
        ) from error
    return sorted(found)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidHours(_("There is no time zone “%(zone)s”. Write one such as Europe/London.") % {"zone": name}) from error


def _parse(expression: str, zone: ZoneInfo) -> OpeningHours:
    if not validate(expression):
        raise InvalidHours(
            _("“%(hours)s” cannot be read. Write hours such as “Mo-Fr 08:00-18:00; Sa 09:00-13:00; PH off”.")
            % {"hours": expression[:200]}
        )
    return OpeningHours(expression, timezone=zone)


def _local(hours: ServiceHours, at: datetime) -> datetime:
    return at.astimezone(_zone(hours.time_zone))
