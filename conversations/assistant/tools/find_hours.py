"""From when to when people are there on a day."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant import wording
from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema, day
from conversations.assistant.tools.words import for_both as _
from conversations.models import EntryPoint
from routing.services.hours import next_opening, readable_calendar

MINUTES_OF_A_DAY = 24 * 60
FURTHEST = timedelta(days=366)
"""Nobody keeps the hours of later days yet, or of earlier ones any more."""


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `day`, `open` (each with `from` and `to`, empty when closed), `opens_next`, and `kept`: whether hours are kept at all."""
    asked = date.fromisoformat(arguments["day"]) if "day" in arguments else context.now.date()
    entry_point = EntryPoint.objects.select_related("hours").get(interactions=context.interaction)
    hours, now = entry_point.hours, context.now
    is_near = abs(asked - now.date()) <= FURTHEST
    calendar = readable_calendar(hours, now - FURTHEST, now + FURTHEST) if hours and is_near else None
    if calendar is None:
        unknown = {"day": asked.isoformat(), "kept": False, "open": [], "opens_next": ""}
        return ToolOutcome(unknown, _("No opening hours are known for that day."))
    spans = [{"from": _clock(start), "to": _clock(end)} for start, end in calendar.day(asked).spans]
    opening = next_opening(hours, now)
    result = {"day": asked.isoformat(), "kept": True, "open": spans, "opens_next": opening.isoformat() if opening else ""}
    times = wording.listed([_("%(from)s to %(to)s") % each for each in spans])
    is_open, is_closed = _("Looked up the opening hours: %(day)s, from %(times)s."), _("Looked up the opening hours: %(day)s, closed.")
    return ToolOutcome(result, (is_open if spans else is_closed) % {"day": wording.date_of(asked), "times": times})


def _clock(minutes: int) -> str:
    """“18:00”; the end of a day is 24:00, and what is past it is of the next."""
    within = minutes if minutes <= MINUTES_OF_A_DAY else minutes - MINUTES_OF_A_DAY
    return f"{within // 60:02d}:{within % 60:02d}"


TOOL = Tool(
    "find_hours",
    "Says from when to when people are there on a day, today when none is named, and when somebody is there next.",
    arguments_schema([], day=day("The day, when it is another one than today.")),
    run,
    recorded=False,
    title=gettext_lazy("Look up the opening hours"),
    labels={"day": gettext_lazy("Day")},
    unshown=frozenset({"kept", "day", "opens_next"}),
)
