"""Small iCalendar files."""

from __future__ import annotations


def calendar(*parts: str) -> str:
    """A file of these parts, each some lines."""
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:tests", *parts, "END:VCALENDAR", ""))


def event(*lines: str, **properties: str) -> str:
    """An event of these lines and properties; underscores in their names stand for hyphens."""
    named = [f"{name.replace('_', '-')}:{value}" for name, value in properties.items()]
    return "\r\n".join(("BEGIN:VEVENT", *lines, *named, "END:VEVENT"))


def all_day(first: str, after: str = "", **properties: str) -> str:
    """An event of whole days, from one to the day before another; UID first, so that its days stand on its third line and after."""
    ends = [f"DTEND;VALUE=DATE:{after}"] if after else []
    return event("UID:" + properties.pop("UID", first), f"DTSTART;VALUE=DATE:{first}", *ends, **properties)


def timed(starts: str, ends: str, zone: str = "", **properties: str) -> str:
    """An event from one local time to another, in a time zone or in none."""
    of = f";TZID={zone}" if zone else ""
    return event("UID:" + properties.pop("UID", starts), f"DTSTART{of}:{starts}", f"DTEND{of}:{ends}", **properties)
