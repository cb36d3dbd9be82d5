"""Names as they are said: in words, or spelled letter by letter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein

from conversations.likeness.folding import sound, words

MOST_WORDS: Final = 16
MOST_SPELLINGS: Final = 6
LETTERS_OF_A_SPELLING: Final = 3
LONGEST_NAME: Final = 12
"""Words of a hypothesis that are read."""
ALIKE: Final = 0.85
"""From this likeness on two written words are taken for the same name: a letter or two that sound alike, as in Jon and John."""


@dataclass(frozen=True, slots=True)
class SaidName:
    """What was heard of a name, folded, over all hypotheses: first words, further words, and what was spelled."""

    first: tuple[str, ...]
    further: tuple[str, ...]
    spelled: tuple[str, ...]


def read(hypotheses: Iterable[str]) -> SaidName:
    """Sorts what was heard. Three single letters or more make a hypothesis a spelling, joined as a whole, since recognition takes
    some letters' names for words. Further words are also tried as one, since it cuts unknown names in pieces.
    """
    first: dict[str, None] = {}
    further: dict[str, None] = {}
    spelled: dict[str, None] = {}
    for hypothesis in hypotheses:
        heard = words(hypothesis)
        if sum(len(word) == 1 for word in heard) >= LETTERS_OF_A_SPELLING:
            spelled.setdefault("".join(heard))
        elif heard:
            first.setdefault(heard[0])
            further.update(dict.fromkeys(heard[1:LONGEST_NAME]))
            if len(heard) > 2:
                further.setdefault("".join(heard[1:LONGEST_NAME]))
    return SaidName(tuple(first)[:MOST_WORDS], tuple(further)[:MOST_WORDS], tuple(spelled)[:MOST_SPELLINGS])


def likeness(known: Sequence[str], said: Sequence[str], *, spelled: bool = False) -> NDArray[np.float32]:
    """How like each known word is to the best of the said ones, 0 to 1: the mean of the edit similarity of letters and of sounds.

    Two words are as like one way as the other. With `spelled` a word may stand anywhere in what was said. Both sides are
    folded words; 0 when nothing was said.
    """
    if not known or not said:
        return np.zeros(len(known), np.float32)
    letters = _similarity(known, said, spelled)
    sounds = _similarity([sound(word) for word in known], [sound(word) for word in said], spelled)
    best: NDArray[np.float32] = ((letters + sounds) / 2).max(axis=1)
    return best


def may_be_ones(one: str, other: str) -> bool:
    """Whether two written names may be the same person's: each word of the shorter is like one of the other, or its initial.

    In any order; a name without letters, or none, may be anybody's. A family has a word in common, and is not one person.
    """
    shorter, longer = sorted((words(one), words(other)), key=len)
    if not shorter:
        return True
    like = likeness(shorter, longer) >= ALIKE
    return all(found or any(_is_initial(word, each) for each in longer) for word, found in zip(shorter, like.tolist(), strict=True))


def _is_initial(one: str, other: str) -> bool:
    return one[0] == other[0] and min(len(one), len(other)) == 1


def _similarity(known: Sequence[str], said: Sequence[str], spelled: bool) -> NDArray[np.float32]:
    if not spelled:
        return process.cdist(known, said, scorer=Levenshtein.normalized_similarity, dtype=np.float32)
    percent: NDArray[np.float32] = process.cdist(known, said, scorer=fuzz.partial_ratio, dtype=np.float32)
    return percent * np.float32(0.01)
