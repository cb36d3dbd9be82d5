"""Which postcodes are served and when somebody could come: shifts cut into windows, less what is booked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from conversations.connectors.schedule import Area, CheckArea, FindSlots, ListPrices, NotServed, Price, Slot
from conversations.models import Booking, PriceListItem, Technician
from routing.models import TerritoryPostcode
from routing.services import hours

WINDOW = timedelta(hours=2)
NOTICE = timedelta(hours=1)
FARTHEST = timedelta(days=60)
LONGEST_POSTCODE = 10
DISTRICT = re.compile(r"[A-Z]{1,2}([0-9]{1,2})[A-Z]?(?:[0-9][A-Z]{2})?$")


def squeezed(postcode: str) -> str:
    """A postcode in capitals without anything but letters and digits, as territories spell their prefixes."""
    return "".join(letter for letter in postcode.upper() if letter.isascii() and letter.isalnum())


def check_area(arguments: CheckArea) -> Area:
    """The territory with the longest prefix of the postcode."""
    whole = squeezed(arguments.postcode)[:LONGEST_POSTCODE]
    prefixes = [whole[:length] for length in range(1, len(whole) + 1) if not _cuts_a_number(whole, length)]
    rows = TerritoryPostcode.objects.filter(prefix__in=prefixes).select_related("territory")
    best = max(rows, key=lambda row: len(row.prefix), default=None)
    if best is None:
        return Area(arguments.postcode, served=False)
    return Area(arguments.postcode, True, best.territory.code, best.territory.name)


def _cuts_a_number(postcode: str, length: int) -> bool:
    """Whether so many characters of a British postcode end within the number of its district: HB1 is no part of HB12 4QT."""
    district = DISTRICT.match(postcode)
    return district is not None and district.start(1) < length < district.end(1)


def find_slots(arguments: FindSlots) -> tuple[Slot, ...]:
    """Windows of two hours in which at least one technician of the area is free, earliest first, each once.

    None starts within the next hour or more than 60 days from now. Raises NotServed; ValueError for naive times.
    """
    if arguments.from_time.tzinfo is None or arguments.to_time.tzinfo is None:
        raise ValueError("Times must carry a time zone.")
    technicians = technicians_for(arguments.postcode)
    now = timezone.now()
    earliest, latest = max(arguments.from_time, now + NOTICE), min(arguments.to_time, now + FARTHEST)
    if earliest >= latest:
        return ()
    taken = _bookings_by_technician(technicians, earliest, latest + WINDOW)
    free: dict[datetime, Slot] = {}
    for technician in technicians:
        for slot in windows_of(technician, earliest, latest):
            if not any(start < slot.end and slot.start < end for start, end in taken.get(technician.pk, ())):
                free.setdefault(slot.start.astimezone(UTC), slot)
    return tuple(slot for _start, slot in sorted(free.items()))[: max(arguments.limit, 0)]


def list_prices(_arguments: ListPrices) -> tuple[Price, ...]:
    """The whole price list, by name."""
    return tuple(Price(row.name, row.description, row.price, row.unit) for row in PriceListItem.objects.all())


def technicians_for(postcode: str) -> list[Technician]:
    """The active technicians of the postcode's territory, with their shifts. Raises NotServed."""
    area = check_area(CheckArea(postcode))
    if not area.served:
        raise NotServed(postcode)
    return list(
        Technician.objects.filter(active=True, territories__code=area.territory)
        .select_related("hours")
        .prefetch_related("shifts")
        .order_by("name")
    )


def windows_of(technician: Technician, earliest: datetime, latest: datetime) -> Iterator[Slot]:
    """The technician's windows that start in [earliest, latest), in their own time zone, booked or not; none on days off."""
    zone = ZoneInfo(technician.time_zone)
    shifts = list(technician.shifts.all())
    first, last = earliest.astimezone(zone).date(), latest.astimezone(zone).date()
    working = hours.open_days(technician.hours, first, last) if technician.hours else None
    for day in _days(first, last):
        if working is not None and day not in working:
            continue
        for shift in shifts:
            if shift.weekday != day.weekday():
                continue
            # Counted in UTC, so that a window is two real hours on the days when clocks change.
            start = datetime.combine(day, shift.starts, zone).astimezone(UTC)
            shift_ends = datetime.combine(day, shift.ends, zone).astimezone(UTC)
            while start + WINDOW <= shift_ends:
                if earliest <= start < latest:
                    yield Slot(start.astimezone(zone), (start + WINDOW).astimezone(zone))
                start += WINDOW


def _days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def _bookings_by_technician(
    technicians: Iterable[Technician], earliest: datetime, latest: datetime
) -> dict[int, list[tuple[datetime, datetime]]]:
    rows = Booking.objects.filter(
        technician__in=[technician.pk for technician in technicians],
        state=Booking.State.BOOKED,
        window__overlap=(earliest, latest),
    ).values_list("technician_id", "window__startswith", "window__endswith")
    taken: dict[int, list[tuple[datetime, datetime]]] = {}
    for technician_id, start, end in rows:
        taken.setdefault(technician_id, []).append((start, end))
    return taken
