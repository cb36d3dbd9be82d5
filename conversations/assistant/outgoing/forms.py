"""Texts in forms in which they can be compared, however they are written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from conversations.services.written_digits import groups, runs

NOT_SQUEEZED: Final = re.compile(r"[\W_]+")
WORD: Final = re.compile(r"[^\W_]+")
FEWEST_DIGITS: Final = 4


def squeezed(text: str) -> str:
    """Letters and digits only, in one case and one form: “hh-7K2Q 4F” and “HH7K2Q4F” are the same."""
    return NOT_SQUEEZED.sub("", unicodedata.normalize("NFKC", text).casefold())


def words(text: str) -> list[str]:
    """The words and numbers of a text, in one case and one form."""
    return WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def digits_said(text: str) -> Iterator[str]:
    """The digits that stand together, written or in words: “double oh seven, one” and “0071”."""
    found = groups(text)
    if sum(len(group.digits) for group in found) >= FEWEST_DIGITS:
        for run in runs(text, found):
            yield "".join(group.digits for group in run.groups)


def runs_of_words(text: str, length: int) -> set[tuple[str, ...]]:
    """Every so many words that follow on each other."""
    every = words(text)
    return {tuple(every[start : start + length]) for start in range(len(every) - length + 1)}
