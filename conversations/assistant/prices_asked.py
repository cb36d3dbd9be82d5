"""Whether words ask what something costs, or go on to ask that of another day or hour."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from conversations.assistant import acts

PRICED: Final = "priced"
"""In the state of a dialogue: what a price was told of last."""
PRICE: Final = re.compile(r"\b(?:how much|pric(?:es?|ing)|costs?|charge for|charges|fees?|rates?|tariffs?)\b")
GOES_ON: Final = re.compile(r"(?:ok |okay |so )?(?:and|what about|how about|or|but|yes|if)\b")
"""How somebody begins who asks the same about something more."""
ALSO: Final = re.compile(r"(?:ok |okay |so )?(?:and|or|what about|how about)\b")
AT_A_TIME: Final = re.compile(
    r"(?:,? *(?:on|at|in|for|during|after|before|the|a|an|it|is|its|it's|that|be|until|hours?|out of|bank|public|same"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|week ?days?|week ?ends?|evenings?|nights?|tonight|day|daytime|mornings?|afternoons?"
    r"|today|tomorrow|holidays?|\d+ ?(?:am|pm)?))+"
)


def asks(text: str) -> bool:
    """Whether words ask for a price, of whatever."""
    return PRICE.search(acts.plain(text)) is not None


def goes_on_about_when(text: str, state: Mapping[str, Any]) -> bool:
    """“And on Sunday?”, after a price was told and nothing was begun: what it costs then, and no wish for a visit on that day."""
    words = acts.plain(text)
    begun = state.get("form") or state.get("action")
    goes_on = ALSO.match(words)
    return bool(state.get(PRICED)) and not begun and goes_on is not None and AT_A_TIME.fullmatch(words[goes_on.end() :]) is not None
