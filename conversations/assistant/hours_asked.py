"""Whether words ask for the hours of some day, which is no wish for a visit on that day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from conversations.assistant import acts, prices_asked

ASKED: Final = "hours_asked"
"""In the state of a dialogue: what was said last answered a question for hours, and a day that is named next asks on."""
HOURS: Final = re.compile(r"\b(?:open(?:ing|s)?|clos(?:e|es|ed|ing)|shuts?|hours)\b")
NEAR: Final = re.compile(r"\b(?P<today>today|tonight|now|right now|currently|this (?:morning|afternoon|evening))\b|\btomorrow\b")
OPEN_NOW: Final = re.compile(r"\bopen\b.*\b(?:now|right now|currently|at the moment)\b")
OF_SOMETHING_ELSE: Final = re.compile(r"\b(?:emergency|line|visits?|appointments?|engineers?|plumbers?|tap|valve|ticket|account|invoice)\b")
THEN_WHEN: Final = re.compile(
    r"(?:(?:ok(?:ay)?|oh|so|and|well|then),? )*(?:when|what time)(?: (?:then|are you|will you be|do you|open|next|again|in|back))*"
)
UNTIL: Final = re.compile(
    r"(?:(?:ok(?:ay)?|oh|so|and|well),? )*(?:(?:un)?till?|how late|for how long)(?: (?:when|what time|are you (?:there|open)))*"
)
MOST_WORDS: Final = 6
"""Of a question for the hours of one more day."""


def asks(text: str) -> bool:
    """Whether words ask for hours, of whatever day."""
    words = acts.plain(text)
    return HOURS.search(words) is not None and OF_SOMETHING_ELSE.search(words) is None and acts.wants_to_know(text)


def days_ahead(text: str) -> int | None:
    """0 for today, 1 for tomorrow; None when the hours of neither are asked for."""
    near = NEAR.search(acts.plain(text))
    if near is None or not asks(text):
        return None
    return 0 if near["today"] else 1


def asks_whether_now(text: str) -> bool:
    """Whether it is asked if somebody is there now."""
    return OPEN_NOW.search(acts.plain(text)) is not None


def asks_when_then(text: str) -> bool:
    """“Then when?”, after hours were told."""
    return acts.is_short(text, THEN_WHEN)


def asks_until_when(text: str) -> bool:
    """“Until when?”, after hours were told."""
    return acts.is_short(text, UNTIL)


def may_ask_on(text: str, state: Mapping[str, Any]) -> bool:
    """Whether a few words that name a day may ask for its hours, too: “and on Boxing Day”, after hours were told and nothing was begun."""
    begun = state.get("form") or state.get("action")
    return bool(state.get(ASKED)) and not begun and len(text.split()) <= MOST_WORDS and not acts.is_request(text)


def only_asks_of_a_day(text: str, state: Mapping[str, Any]) -> bool:
    """Whether a day is only named to ask for its hours, or for what something costs then, and no visit is wanted on it."""
    return asks(text) or may_ask_on(text, state) or prices_asked.goes_on_about_when(text, state)
