"""What people say who only want to know that they are heard, or praise who came; nothing is to be done."""

from __future__ import annotations

import re
from typing import Final

from conversations.assistant import acts

LONGEST_PRAISE: Final = 240
HEARS: Final = re.compile(
    r"(?:(?:hi|hello|hey|sorry|so|but|and)[,.!?]* )*"
    r"(?:(?:can|could|do) you (?:still )?(?:hear|read|see) me(?: (?:now|ok|okay|all right|alright|well))?"
    r"|are you (?:still )?(?:there|listening|receiving me)|is this (?:thing )?(?:on|working))"
)
_PRAISED: Final = (
    r"(?:fantastic|brilliant|great|excellent|amazing|wonderful|superb|lovely|fabulous|fab|outstanding|perfect"
    r"|very (?:good|helpful|kind|nice)|first class|spot on|a (?:star|gem|legend|credit to you)|really (?:good|helpful|kind|nice)"
    r"|awesome|impressed)"
)
PRAISE: Final = re.compile(
    r"(?!.*\b(?:but|not|never|however|late|broken|leak\w*|wrong|still|again|except|although|until|problem|unfortunately)\b)"
    r"[^?]*\b(?:engineer|plumber|technician|man|lad|guy|chap|bloke|he|she|they|team|service|work|job|staff|you (?:guys|people|all))\b[^?]*?"
    rf"\b(?:was|were|is|are|been|did an?) (?:\w+ ){{0,2}}{_PRAISED}\b[^?]{{0,60}}"
)
"""Of whoever came or what was done; nothing in it is wrong."""


def asks_whether_heard(text: str) -> bool:
    """“Can you hear me?”, and nothing else."""
    return acts.is_short(text, HEARS)


def praises(text: str) -> bool:
    """Whether the text praises whoever came or what was done, and nothing more is wanted."""
    words = acts.plain(text)
    asks = acts.is_question(text) or acts.BOOKS.search(words) is not None
    return len(words) <= LONGEST_PRAISE and PRAISE.fullmatch(words) is not None and not asks
