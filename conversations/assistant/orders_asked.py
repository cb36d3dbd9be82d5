"""Whether words ask how far an order is, which no missing engineer is: “where is my order?”, “has my filter been sent yet?”"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from conversations.assistant import acts

TOLD: Final = "orders_told"
"""In the state of a dialogue: what was said last tells of orders, and “when will it arrive?” is about them."""
_THING: Final = r"(?:orders?|parcels?|packages?|deliver(?:y|ies)|shipments?)"
_NO_GOODS: Final = (
    r"(?:engineers?|plumbers?|technicians?|surveyors?|fitters?|m[ae]n|guys?|teams?|visits?|appointments?|bookings?|quotes?|certificates?|refunds?|payments?|money|letters?|codes?"
    r"|links?|bills?|invoices?|cop(?:y|ies))"
)
_SENT: Final = (
    r"(?:ship(?:ped|ping)?|dispatch(?:ed)?|posted|delivered|sent(?: out| off)?|out for delivery|arriv(?:e|ed|ing)|on (?:its|the|their) way)"
)
ASKS: Final = re.compile(
    rf"\b(?:where|when|what|which|how|has|have|is|are|did|track|check|look up|status)\b.{{0,60}}\b(?:my|our|the|an?) (?:\w+ )?{_THING}\b"
    rf"|\bwhat (?:did|have) i (?:just )?order(?:ed)?$|\b{_THING} (?:status|number)\b|^(?:track|check|look up)\b.{{0,20}}\b{_THING}\b"
    rf"|\b{_THING}\b.{{0,30}}(?:\b(?:not|never)|n'?t)(?: \w+)? (?:come|arrived?|been|turned up|here|got here)\b"
    r"|(?:\bwaiting (?:for|on)|(?:\b(?:not|never)|n'?t)(?: \w+)? (?:got|had|received|seen))\b"
    rf".{{0,15}}\b(?:my|our|the) (?:\w+ ){{0,2}}{_THING}\b"
    r"|\b(?:has|have|is|are|was|were|did|when|when's)\b.{0,15}\b(?:my|our) "
    rf"(?:(?!{_NO_GOODS}\b)[\w'-]+ ){{1,5}}{_SENT}\b"
)
_LEAD: Final = r"^(?:(?:and|so|ok|okay|but|then|yes|oh|sorry|great|thanks|right),? )*"
ASKS_ON: Final = re.compile(
    rf"{_LEAD}(?:when(?:'?s|'?ll)?|what (?:time|day|date)|which day|how (?:long|soon)|where(?:'?s)?|has|have|is|are|will|did|does)\b"
    r"(?: \w+){0,2}? ?\b(?:it|they|that|those|the (?:other|first|second|last)(?: one)?|i|we|arrive)\b"
    rf"(?:.{{0,15}}\b(?:{_SENT}|com(?:e|es|ing)(?! with)|here|due|now|expected|(?:get|have|receive) (?:it|them)$)\b|$)"
)


def asks(text: str) -> bool:
    """Whether a text asks how far an order is, or says that it has not come."""
    return ASKS.search(acts.plain(text)) is not None


def asks_on(text: str) -> bool:
    """Whether a short text asks more of what was just told of: “when will it arrive?”, “has it been sent?”"""
    words = acts.plain(text)
    return len(words) <= acts.LONGEST_ACT and ASKS_ON.search(words) is not None


def is_asked(text: str, state: Mapping[str, Any]) -> bool:
    """Whether a text is about orders, given where the dialogue stands."""
    return asks(text) or (bool(state.get(TOLD)) and asks_on(text))
