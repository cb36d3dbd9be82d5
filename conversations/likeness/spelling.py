"""How else a name may be spelled: with one letter wrong, or as it sounds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from string import ascii_lowercase
from typing import Final

LONGEST_BY_SOUND: Final = 7
"""Longer words are alike enough in letters when they sound alike."""
MOST_SPELLINGS: Final = 900
VOWELS: Final = "aeiouy"
FOR_EACH_OTHER: Final = ("ck", "ks", "cs", "sz", "fv", "vw", "dt", "gj", "mn")
"""Consonants that are written for each other."""


def others(word: str) -> list[str]:
    """Other spellings of a folded word that may be meant: what sounds alike, by up to two changes, then what is one typo away.

    At most `MOST_SPELLINGS`, and never the word itself.
    """
    alike = dict.fromkeys(_sounding_alike(word)) if len(word) <= LONGEST_BY_SOUND else {}
    twice = chain.from_iterable(_sounding_alike(each) for each in alike)
    found = dict.fromkeys(each for each in chain(alike, _one_typo_away(word), twice) if each and each != word)
    return list(islice(found, MOST_SPELLINGS))


def _sounding_alike(word: str) -> Iterator[str]:
    """With another vowel, a silent e or h more or less, a letter doubled or not, or a consonant that sounds like it."""
    yield f"{word}e"
    for place, letter in enumerate(word):
        before, after = word[:place], word[place + 1 :]
        if letter in VOWELS:
            yield from (before + vowel + after for vowel in VOWELS if vowel != letter)
        else:
            yield from (f"{before}{letter}h{after}", f"{before}{letter}{letter}{after}")
            yield from (before + pair.replace(letter, "") + after for pair in FOR_EACH_OTHER if letter in pair)
        if before and (letter in "eh" or letter == before[-1]):
            yield before + after


def _one_typo_away(word: str) -> Iterator[str]:
    """With a letter left out, two swapped, one more, or another one; the first letter is rarely wrong, and is kept."""
    for place in range(1, len(word) + 1):
        before, after = word[:place], word[place:]
        if after:
            yield before + after[1:]
        yield before[:-1] + after[:1] + before[-1] + after[1:]
        for letter in ascii_lowercase:
            yield before + letter + after
            if after:
                yield before + letter + after[1:]
