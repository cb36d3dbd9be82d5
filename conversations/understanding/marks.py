"""A mark from 1 to 5, said in a few words. Whoever says more than the mark means something else."""

from __future__ import annotations

import re
from typing import Final

from conversations.understanding.gloss import fold
from conversations.understanding.normalise import clean

LOWEST: Final = 1
HIGHEST: Final = 5
NUMBERS: Final = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "uno": 1, "una": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5,
    **{str(number): number for number in range(LOWEST, HIGHEST + 1)},
}  # fmt: skip
HEARD_AS: Final = {"won": 1, "to": 2, "too": 2, "for": 4}
"""What a recogniser writes for an English number that is said alone."""
OUT_OF: Final = re.compile(r"\b(?:out of|de|sobre) (?:five|cinco|5)\b")
AROUND: Final = frozenset(
    re.split(
        r"\s+",
        "i i'd i'll id ill would will say give it its it's a an the number definitely maybe about think that that's is please well um uh er"
        " star stars point points thanks thank you yo le les lo doy daria diria pondria pongo un el la numero estrella estrellas punto"
        " puntos pues eh creo que es gracias por favor",
    )
)


def mark_in(text: str) -> int | None:
    """The one mark that the words name in English or Spanish; None when they name none or several, or say something besides."""
    said = OUT_OF.sub(" ", fold(clean(text)).lower())
    words = re.findall(r"[\w']+", said)
    if len(words) == 1 and words[0] in HEARD_AS:
        return HEARD_AS[words[0]]
    marks = {NUMBERS[word] for word in words if word in NUMBERS and not (word == "una" and len(words) > 1)}
    is_all = all(word in NUMBERS or word in AROUND for word in words)
    return marks.pop() if is_all and len(marks) == 1 else None
