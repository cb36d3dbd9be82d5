"""One comparable form for words of any script, and how they sound."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import groupby
from typing import Final

from anyascii import anyascii

LONGEST: Final = 300
"""Characters of a hypothesis that are read; a name, a date or a number is never longer."""
TOKEN: Final = re.compile(r"[0-9]+|[a-z]+")
LETTERS: Final = re.compile(r"[a-z]+")
CONSONANTS: Final = {"bfpvw": "1", "cgjkqsxz": "2", "dt": "3", "l": "4", "mn": "5", "r": "6"}
"""Groups of consonants that are taken for each other, as in Soundex (Odell and Russell, 1918)."""
VOWELS: Final = "aeiouy"
SOUNDS: Final = str.maketrans({letter: group for letters, group in {**CONSONANTS, VOWELS: "0", "h": ""}.items() for letter in letters})


def folded(text: str) -> str:
    """`text` in small Latin letters without accents, whatever script it was in. Cut at 300 characters."""
    return anyascii(text[:LONGEST].replace("\x00", " "))[:LONGEST].lower()


def tokens(text: str) -> list[str]:
    """Runs of digits and runs of letters, in order."""
    return TOKEN.findall(folded(text))


def words(text: str) -> list[str]:
    """Runs of letters, in order."""
    return LETTERS.findall(folded(text))


@lru_cache(maxsize=20_000)
def sound(word: str) -> str:
    """How a folded word sounds, roughly: groups of consonants as digits 1 to 6, any vowels as 0, nothing twice in a row."""
    return "".join(group for group, _ in groupby(word.translate(SOUNDS)))
