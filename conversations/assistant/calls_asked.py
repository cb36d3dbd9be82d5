"""Whether words ask to be called, on a day, at a time or about something: such a call is promised, and nobody is looked for at once."""

from __future__ import annotations

import re
from typing import Final

from conversations.assistant import acts

CALL_BACK: Final = re.compile(
    r"(?:please )?\b(?:call|ring|phone) (?:me|us) (?:back|later)\b|\b(?:call|ring) ?back\b|\bgive me a (?:call|ring) back\b"
    r"|\b(?:someone|somebody|anyone|a (?:person|colleague|human)) (?:to |can |could |please )*(?:call|ring|phone) (?:me|us)\b"
    r"(?! (?:on|at)\b)"
)
WHEN_THEY_CAN: Final = re.compile(
    r"\b(?:call|ring|phone) (?:me|us)(?: back)?(?: please)?,? (?:when(?:ever)? (?:you|someone|somebody|they|it)(?:'re|'s)?"
    r" (?:can|are|is|have|has|get|gets|free|suits)|some ?time|at some point)\b"
)
"""No time is told, and none is meant that is now: it is later on whichever line that is asked for."""
CALL_ABOUT: Final = re.compile(
    r"\b(?:(?:call|ring|phone) (?:me|us)|(?:have|get|want|like|need) a (?:phone ?)?call)(?: back)?(?: please)?"
    r"(?:[,.;]? (?:it's|its|it is|this is))? (?:about|regarding|concerning|to (?:discuss|talk|arrange|explain)|with an?)\b"
    r"(?P<subject>.*)"
)
"""A call that has a subject is one of a person who knows about it, whichever line it is asked for on."""
AT_ONCE: Final = re.compile(r"\b(?:now|at once|(?:right|straight) away|immediately|asap|as soon as|urgent(?:ly)?)\b")
BEFORE_COMING: Final = re.compile(r"\b(?:engineer|plumber|technician|before (?:you|they|he|she) come)\b")

ON_THE_WAY: Final = re.compile(r"\bbefore (?:you|they|he|she) comes?\b")


def asks_for_call_before_coming(text: str) -> bool:
    """Whether a text asks that the engineer rings before coming, which is for the visit and says nothing of one who is late."""
    words = acts.plain(text)
    return ON_THE_WAY.search(words) is not None and acts.CALLS_US.search(words) is not None


def asks_for_call_at_a_time(text: str, told: frozenset[str], *, spoken: bool) -> bool:
    """Whether a text asks to be called on a day or at a time; `told` are the names of the facts in it.

    In a chat (not `spoken`), whoever asks to be called back wants no colleague to write: when, is asked.
    """
    words = acts.plain(text)
    if BEFORE_COMING.search(words):
        return False
    if WHEN_THEY_CAN.search(words) and not AT_ONCE.search(words):
        return True
    later = not spoken and CALL_BACK.search(words) and (acts.is_request(words) or CALL_BACK.match(words)) and not AT_ONCE.search(words)
    is_about = CALL_ABOUT.search(words) and acts.is_request(words) and not AT_ONCE.search(words)
    return bool(later or is_about) or (bool(told & {"date", "time_window"}) and acts.CALLS_US.search(words) is not None)
