"""Somebody wants a moment, or goes now and comes back of their own accord."""

from __future__ import annotations

import re
from typing import Final

from conversations.assistant import acts

_THINKS_ABOUT_IT: Final = re.compile(
    r"\b(?:(?:can|could|may) i|i(?:'ll| will| need to| want to|'d like to| would like to)|let me)(?: just)? "
    r"(?:think (?:about it|it over)|sleep on it|talk it over)\b"
)
_LOOKS_FOR: Final = r"(?:find|look|get|check|fetch|see|grab|ask|go and \w+)\b.*"
_WAITS: Final = (
    r"(?:hold on|hang on|wait|bear with me|(?:just )?(?:(?:a|one|two|half a) )?(?:moment|minute|min|mo|sec|second|tick)s?"
    r"|give me (?:a|one|two) (?:moment|minute|min|mo|sec|second)s?"
    rf"|let me (?:just )?{_LOOKS_FOR}|i(?:'ll| will)(?: just| need to| have to)* {_LOOKS_FOR}"
    r"|i(?:'m| am) (?:just )?(?:looking|checking|getting)\b.*)"
)
_A_MOMENT: Final = re.compile(
    rf"(?:(?:ok|okay|sorry|please|just|yes|yeah|oh|well|er|um|thanks),? )*{_WAITS}(?:[,.]? (?:please|and )?{_WAITS})*(?:,? please)?"
)
_COMES_BACK: Final = re.compile(
    r"\bi(?:'ll| will| can| might|'m going to| am going to| want to| need to) (?:just |maybe )?"
    r"(?:call|ring|phone|write|text|message|come|get)(?: you)?(?: back| again)?"
    r" (?:later|another time|some other time|tomorrow|tonight|next week|when i|in a (?:bit|while))\b"
)


def asks_for_a_moment(text: str) -> bool:
    """“One moment please”, “hold on, let me find it”, and nothing else."""
    return acts.is_short(text, _A_MOMENT)


def thinks_about_it(text: str) -> bool:
    """“Let me think about it”, in a short text."""
    words = acts.plain(text)
    return len(words) <= acts.LONGEST_ACT and _THINKS_ABOUT_IT.search(words) is not None


def comes_back(text: str) -> bool:
    """“I will call back later”, in a few words."""
    return acts.is_brief_mention(text, _COMES_BACK, 12)
