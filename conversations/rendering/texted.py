"""How a reply reads as a text message: the words, what only its cards show, the choices as a line, no markup, in few parts.

Source of the alphabet and the lengths: 3GPP TS 23.038 and TS 23.040 (160 characters of seven bits, or 70 of sixteen; 153 and 67 in
a message of several parts).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _

from conversations.rendering import cards, written

SEVEN_BIT: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
TWO_CHARACTERS: Final = frozenset("^{}\\[~]|€\f")
PLAIN: Final = str.maketrans(
    {"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "•": "-", "\u00a0": " ", "·": "-", "→": "->"}
)
"""Signs that would make a message twice as dear, as those that are as good."""
MOST_PARTS: Final = 4


def words(body: str, data: Mapping[str, Any] | None = None) -> str:
    """A message with `body` and the entry's `data` as a text message."""
    data = data or {}
    told = [written.text(body), *cards.unsaid(data.get("cards"), body)]
    labels = [str(row.get("label", "")) for row in data.get("quick_replies") or [] if isinstance(row, dict)]
    offered = [label for label in labels if label and label.lower() not in body.lower()]
    if offered:
        told.append(_("You can answer: %(choices)s.") % {"choices": " / ".join(offered[:4])})
    return fitting("\n".join(part for part in told if part))


def fitting(text: str) -> str:
    """`text` in at most four parts, cut between words."""
    plain = text.strip()
    simple = plain.translate(PLAIN)
    plain = simple if is_seven_bit(simple) else plain
    if parts(plain) <= MOST_PARTS:
        return plain
    room = len(plain)
    while parts(f"{plain[:room]}...") > MOST_PARTS:
        room -= max(1, (_length(plain[:room]) - _room(plain)) // 2)
    cut = plain.rfind(" ", 0, room)
    return f"{plain[: cut if cut > room // 2 else room].rstrip()}..."


def parts(text: str) -> int:
    """How many parts a text message is sent in."""
    single, joined = (160, 153) if is_seven_bit(text) else (70, 67)
    length = _length(text)
    return 1 if length <= single else math.ceil(length / joined)


def is_seven_bit(text: str) -> bool:
    """Whether every character is one of the short alphabet."""
    return all(character in SEVEN_BIT or character in TWO_CHARACTERS for character in text)


def _length(text: str) -> int:
    if is_seven_bit(text):
        return len(text) + sum(character in TWO_CHARACTERS for character in text)
    return len(text.encode("utf-16-le")) // 2


def _room(text: str) -> int:
    return MOST_PARTS * (153 if is_seven_bit(text) else 67)
