"""How a wrap-up reads: how a customer's mood went, and what an outcome is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from routing.models import DispositionCode

UPSET, UNEASY, FRIENDLY = -0.5, -0.15, 0.3
CHANGED_BY = 0.35
"""From which difference a mood has changed, rather than wavered."""


def mood(value: float) -> str:
    """A mood from -1 to 1 in a word."""
    if value <= UPSET:
        return _("upset")
    if value < UNEASY:
        return _("uneasy")
    return _("friendly") if value > FRIENDLY else _("neutral")


def mood_course(course: Mapping[str, Any]) -> str:
    """How a mood went: “uneasy, then friendly”, “neutral throughout”, “neutral, upset in between”."""
    start, end, lowest = float(course["start"]), float(course["end"]), float(course["lowest"])
    if abs(end - start) >= CHANGED_BY and mood(start) != mood(end):
        return _("%(start)s at first, %(end)s at the end") % {"start": mood(start), "end": mood(end)}
    if min(start, end) - lowest >= CHANGED_BY and mood(lowest) != mood(end):
        return _("%(end)s, %(lowest)s in between") % {"end": mood(end), "lowest": mood(lowest)}
    return _("%(mood)s throughout") % {"mood": mood(end)}


def outcome(code: str) -> str:
    """What an outcome is called by its code; the code itself when it is gone."""
    return DispositionCode.objects.filter(code=code).values_list("name", flat=True).first() or code
