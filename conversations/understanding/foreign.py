"""Languages that nobody here speaks: told, so that it can be said so kindly, and the few things that must be understood in any.

Each is an entry of data/foreign.yaml. Words only, no model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from conversations.understanding.gloss import fold

DATA: Final = Path(__file__).parent / "data" / "foreign.yaml"
WORD: Final = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
ENOUGH: Final = 2
LONGEST: Final = 2000


@dataclass(frozen=True, slots=True)
class Foreign:
    """A language that is not spoken: by its code.

    `words` tell it, `yes`, `no` and `danger` are what must be understood in it (dangers by the English words
    that the recognisers know); all of them without accents.
    """

    code: str
    words: frozenset[str]
    yes: frozenset[str]
    no: frozenset[str]
    danger: Mapping[str, tuple[str, ...]]
    sentence: str
    spoken: Mapping[str, str]

    def says(self, languages: Sequence[str]) -> str:
        """The one sentence in it: that it is not spoken, that `languages` (codes) are, and that there is a person."""
        names = [self.spoken[code] for code in languages if code in self.spoken]
        return self.sentence % {"languages": f" {self.spoken['or']} ".join(names)}


def read(text: str, *, beside: int = 0) -> Foreign | None:
    """The language that a text is in, when more of its words tell that one than `beside`, the words that tell a spoken one.

    None when it is none of these. Reads at most 2,000 characters.
    """
    words = [each.strip("'-") for each in WORD.findall(_folded(text))]
    parts = [part for word in words for part in dict.fromkeys((word, *re.split("['-]", word)))]
    found = [(sum(part in each.words for part in parts), each) for each in _languages()]
    most, likeliest = max(found, key=lambda pair: pair[0])
    return likeliest if most >= ENOUGH and most > beside else None


def danger(text: str) -> str:
    """The danger that a text names in one of these languages, in the English words that the recognisers know; empty without one."""
    folded = f" {' '.join(WORD.findall(_folded(text)))} "
    named = ((meant, phrase) for each in _languages() for meant, phrases in each.danger.items() for phrase in phrases)
    return next((meant for meant, phrase in named if f" {phrase} " in folded), "")


def answer(text: str) -> bool | None:
    """Yes or no in one of these languages; None when a text is neither, or both."""
    folded = " ".join(WORD.findall(_folded(text)))
    is_yes, is_no = (any(folded in getattr(each, kind) for each in _languages()) for kind in ("yes", "no"))
    return None if is_yes == is_no else is_yes


def _folded(text: str) -> str:
    # “ł” is a letter of its own and has no accent to lose.
    return fold(text[:LONGEST]).replace("’", "'").replace("ł", "l")


@cache
def _languages() -> tuple[Foreign, ...]:
    rows = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return tuple(
        Foreign(
            code=str(code),
            words=frozenset(fold(row["words"]).replace("ł", "l").split()),
            yes=frozenset(row["yes"]),
            no=frozenset(row["no"]),
            danger={str(meant): tuple(phrases) for meant, phrases in row["danger"].items()},
            sentence=row["says"],
            spoken=row["spoken"],
        )
        for code, row in rows.items()
    )
