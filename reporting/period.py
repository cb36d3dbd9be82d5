"""The stretch of time that a report is about: whole days of the company, up to now."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import EntryPoint

LONGEST_DAYS = 366


class InvalidPeriod(ValueError):
    """The wanted period makes no sense; the message says why, for the person who asked."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both included, in `zone`; it ends at `now` when `last` is today."""

    first: date
    last: date
    zone: ZoneInfo
    now: datetime

    @classmethod
    def ending_today(cls, number_of_days: int, zone: ZoneInfo | None = None) -> Period:
        """The last `number_of_days` days, today included, in `zone` (the company's when left out)."""
        zone = zone or company_zone()
        now = timezone.now()
        today = now.astimezone(zone).date()
        return cls(today - timedelta(days=number_of_days - 1), today, zone, now)

    @classmethod
    def between(cls, first: date, last: date, zone: ZoneInfo | None = None) -> Period:
        """From one day to another. Raises InvalidPeriod when they are in the wrong order, too far apart or to come."""
        period = cls(first, last, zone or company_zone(), timezone.now())
        if first > last:
            raise InvalidPeriod(_("The first day is after the last day. Swap them."))
        if period.number_of_days > LONGEST_DAYS:
            raise InvalidPeriod(_("That is more than a year. Choose at most %(days)s days.") % {"days": LONGEST_DAYS})
        if period.starts_at > period.now:
            raise InvalidPeriod(_("That period has not begun. Choose a first day up to today."))
        return period

    @property
    def starts_at(self) -> datetime:
        """The first moment of the period."""
        return datetime.combine(self.first, time.min, self.zone)

    @property
    def ends_at(self) -> datetime:
        """The first moment after the period: midnight, or now while its last day is not over."""
        return min(datetime.combine(self.last + timedelta(days=1), time.min, self.zone), self.now)

    @property
    def number_of_days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=offset) for offset in range(self.number_of_days)]

    @property
    def previous(self) -> Period:
        """As many days right before. It stops at the same time of day, so that half a day is compared with half a day."""
        length = timedelta(days=self.number_of_days)
        earlier_now = (self.now.astimezone(self.zone).replace(tzinfo=None) - length).replace(tzinfo=self.zone)
        return Period(self.first - length, self.last - length, self.zone, earlier_now)

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} – {self.last}"


def company_zone() -> ZoneInfo:
    """The time zone that most entry points are in; the site's own when there is none or it is not a real one."""
    names = Counter(EntryPoint.objects.order_by("pk").values_list("time_zone", flat=True))
    name = names.most_common(1)[0][0] if names else timezone.get_default_timezone_name()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(timezone.get_default_timezone_name())
