"""How a reference, an e-mail address and a phone number are written, and texts that say the same whoever's they are."""

from __future__ import annotations

import re
from typing import Final

# Every quantifier below is bounded, and what it matches starts with a fixed class of characters, so none can backtrack far.
PHONE: Final = re.compile(r"(?<![\w-])\+?\(?[0-9](?:[ ().-]{0,2}[0-9]){6,16}(?![\w-])")
EMAIL: Final = re.compile(r"(?<![\w.+-])[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
ORDER_NUMBER: Final = re.compile(r"\b(HH)( ?- ?| )?([A-Z0-9]{6})\b", re.IGNORECASE)
OTHER_NUMBER: Final = re.compile(
    r"\b(?!(?:about|and|are|at|bill|by|for|from|in|is|it|its|my|no|of|on|only|or|over|paid|ref|that|the|this|to|was|with|year)\b)"
    r"([A-Z]{2,4}) ?(?:-|dash|hyphen)? ?((?:[0-9] ?){2,9}[0-9])\b",
    re.IGNORECASE,
)
"""A number of another kind, with letters before it: of an invoice or a refund."""
DIALLED: Final = re.compile(r"(?<![\w-])(?:\+|\(?0)[0-9](?:[ ()]{0,2}[0-9]){8,14}(?![\w-])")
"""Digits that can be nothing but a phone number: no date and no time has a plus or nine more without a mark between."""
USUAL_ORDER_NUMBER: Final = "HH-4F7K2Q"
USUAL_EMAIL: Final = "name@example.com"
USUAL_PHONE: Final = "07700 900123"


def alike(text: str) -> str:
    """`text` with one usual reference, e-mail address and phone number in place of each that it names.

    What such a thing is made of, letters drawn by lot or “cancel@example.com”, says nothing of what its owner wants.
    """
    return DIALLED.sub(USUAL_PHONE, EMAIL.sub(USUAL_EMAIL, ORDER_NUMBER.sub(_usual_reference, text)))


def is_reference(match: re.Match[str]) -> bool:
    """Whether what looks like a reference is none of the words that begin with the same letters: it has a digit or a hyphen."""
    return any(character.isdigit() for character in match[3]) or "-" in (match[2] or "")


def _usual_reference(match: re.Match[str]) -> str:
    return USUAL_ORDER_NUMBER if is_reference(match) else match[0]
