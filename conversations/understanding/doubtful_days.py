"""Short names of days that are other words too: “sat”, “sun” and “wed” are days only beside what stands with a day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

DOUBTFUL_WEEKDAYS: Final = frozenset({"sat", "sun", "wed"})
_LEADS_TO: Final = frozenset({"on", "this", "next", "by", "for", "until"})
_LEADS_TO_AT_THE_END: Final = frozenset({"come", "coming", "round", "over", "out", "free", "available", "open", "or", "possible", "say"})
_PARTS: Final = frozenset(
    {"morning", "mornings", "afternoon", "afternoons", "evening", "evenings", "night", "lunchtime", "lunch", "noon", "midday", "am", "pm"}
)
_LEADS_TO_AN_HOUR: Final = frozenset({"at", "after", "before", "between", "from", "around", "about", "early", "late", "first"})
_AFTER_AN_HOUR: Final = frozenset({"am", "pm", "o'clock", "oclock", ":", "-", "to", "till", "until", "and"})
_WHO_DOES: Final = frozenset({"i", "you", "he", "she", "we", "they", "who", "it", "just", "been", "have", "has", "was", "were", "am"})
"""Before a verb: “I sat”."""


def is_day(words: Sequence[str], index: int) -> bool:
    """Whether the “sat”, “sun” or “wed” at `index` is a day: “on sat”, “wed morning”, “sun 10 to 12”, “can you come sat”."""
    before, after = words[max(index - 2, 0) : index], words[index + 1 : index + 3]
    last, follower = before[-1] if before else "", after[0] if after else ""
    if last in _LEADS_TO or (not after and last in _LEADS_TO_AT_THE_END):
        return True
    if last in _WHO_DOES:
        return False
    hour = after[1] if len(after) > 1 else ""
    if last == "the":
        # “The sun at noon” is none, and “the sat morning one” is.
        return follower in _PARTS
    is_beside = last in _PARTS or (last == "of" and before[0] in _PARTS) or last == "week" or (follower, hour) == ("next", "week")
    is_hour = follower.isdigit() and len(follower) <= len("12") and hour in _AFTER_AN_HOUR
    leads_to_hour = follower in _LEADS_TO_AN_HOUR and (hour.isdigit() or hour in _PARTS or hour in {"half", "quarter", "thing"})
    return is_beside or follower in _PARTS or is_hour or leads_to_hour
