"""Postcodes and numbers of orders, accounts and phones, as they are said: in digits, words, letters and pieces."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from conversations.likeness.folding import tokens
from conversations.likeness.numbers import as_digits, joined

MOST_READINGS: Final = 48
LONGEST_LETTERS: Final = 3
"""Longer runs of letters are words around the code, not part of it."""


def typed(postcode: str) -> str:
    """A written postcode in the form in which records keep it: capitals and digits, however it was grouped."""
    return re.sub(r"[\s-]", "", postcode).upper()


def read(hypotheses: Iterable[str], languages: Sequence[str], *, lengths: Collection[int] = ()) -> list[str]:
    """What codes the hypotheses can mean, in capitals and digits, at most 48, those of better hypotheses first.

    With `lengths`, the lengths that such codes have, parts of those lengths are readings too, of one that has another length.
    """
    readings: dict[str, None] = {}
    for hypothesis in hypotheses:
        pieces = [(as_digits(token, languages) or token).upper() for token in tokens(hypothesis)]
        for longest in (LONGEST_LETTERS, 1):
            read = joined(piece for piece in pieces if piece.isdigit() or len(piece) <= longest)
            for reading in read:
                readings.setdefault(reading)
                readings.update(dict.fromkeys(_parts(reading, lengths)))
            if any(len(reading) in lengths for reading in read):
                break
        if len(readings) >= MOST_READINGS:
            break
    return list(readings)[:MOST_READINGS]


def _parts(reading: str, lengths: Collection[int]) -> list[str]:
    if len(reading) in lengths:
        return []
    return [reading[start : start + length] for length in lengths for start in range(len(reading) - length + 1)]
