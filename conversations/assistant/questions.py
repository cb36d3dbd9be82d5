"""How words ask something: by how they begin, or how their last part does. Everything is read in small letters."""

from __future__ import annotations

import re
from typing import Final

_SOMEBODY: Final = r"(?:some|any|every)(?:body|one)"
_OWN: Final = r"(?:the|my|your|our|any|an?|all)"
_FIRST: Final = (
    r"(?:what|whats|what's|when|where|which|who|why|how|does|did|will|should|would (?!like|love|prefer|rather|need|be)"
    r"|(?:do|am|have|had|must|shall) (?:i|you|we|they)"
    rf"|(?:is|are|was|were|has) (?:i|you|we|they|he|she|it|there|this|that|these|those|{_SOMEBODY}|{_OWN})"
    r"|(?:can|could|may) (?:i|you|we))"
)
"""With the verb before who does it: “do I have to be in”, “is the boiler covered”.

“Do the boiler”, “have it mended” and “can it be at ten” are wishes.
"""
_BEFORE: Final = (
    "and|but|so|ok|okay|please|also|hi|hello|by the way|wait|hang on|hold on|sorry|actually|oh|well|thanks|thank you|fine|then|right|hmm+"
    "|one more thing|(?:a )?quick question|yeah|um|like|you know|i (?:was|am)(?: just)? wondering(?: if)?"
    "|i(?:'d)? (?:just )?(?:wanted|want|like) to ask"
)
AT_THE_BEGINNING: Final = re.compile(rf"^(?:(?:{_BEFORE}),? )*{_FIRST}\b")
AT_THE_END: Final = re.compile(
    r"\bwhat (?:do|should|shall|can|must) i do\b"
    r"|[,.;!] (?:and |but |so )?(?:what|when|where|which|who|why|how|do(?:es)? (?:i|you|we|they|it|the|my)|is there|is it|are you|are there"
    r"|am i|are we|will (?:i|it|you|they|the|my)|would (?:i|it|you|they)|is (?:this|that|the|my)|have i|must i|should i)\b[^,.;!]*$"
)
_OF_US: Final = re.compile(
    rf"^(?:(?:{_BEFORE}),? )*(?:(?:are|is|do|does|did|will|would|have|has) (?:your|the|an?|any|{_SOMEBODY}|they|he|she)"
    r"|how long (?:does|do|will|would|is)|what happens (?:if|when))\b"
)
_OF_THEIRS: Final = re.compile(r"\b(?:my|our|mine|ours|available|free|able|come|coming|fix|repair|mend|book|visit me)\b")


def asks_of_us(text: str) -> bool:
    """Whether small letters ask how we work, and tell of nothing that is the customer's: “are your electricians certified”."""
    return _OF_US.match(text) is not None and _OF_THEIRS.search(text) is None
