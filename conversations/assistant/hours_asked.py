"""Whether words ask for the hours of today or tomorrow, which is no wish for a visit on that day."""

from __future__ import annotations

import re
from typing import Final

from conversations.assistant import acts

HOURS: Final = re.compile(r"\b(?:open(?:ing|s)?|clos(?:e|es|ed|ing)|shuts?|hours)\b")
NEAR: Final = re.compile(r"\b(?P<today>today|tonight|now|right now|currently|this (?:morning|afternoon|evening))\b|\btomorrow\b")
OF_SOMETHING_ELSE: Final = re.compile(r"\b(?:emergency|line|visits?|appointments?|engineers?|plumbers?|tap|valve|ticket|account|invoice)\b")


def days_ahead(text: str) -> int | None:
    """0 for today, 1 for tomorrow; None when the hours of neither are asked for."""
    words = acts.plain(text)
    near = NEAR.search(words)
    if near is None or not HOURS.search(words) or OF_SOMETHING_ELSE.search(words) or not acts.wants_to_know(text):
        return None
    return 0 if near["today"] else 1
