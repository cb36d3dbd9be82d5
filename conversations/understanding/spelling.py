"""Slips of the keyboard put right, by the words that a company's own texts and phrases use: “apointment”, “chnage”, “boilr”.

Only what is no English word is looked at: the embedding model's own list of words says which are, as they are or as a stem with an ending.
What is near no word of the company's stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from conversations.understanding.embed import pieces

SHORTEST: Final = 3
SHORT: Final = 4
"""Up to here a word has so many neighbours that only a letter doubled, or two that changed places, count as a slip."""
LONG: Final = 8
"""From here on two slips are put right, before it one."""
STEM: Final = 3
MOST_SLIPS: Final = 8
WORD: Final = re.compile(r"(?<![\w@.'’-])[A-Za-z]{3,}(?![\w@'’-]|\.\w)")
ENDINGS: Final = frozenset({"s", "es", "ed", "ing", "er", "ers", "ly", "d", "ged", "ting", "ning", "ped", "ping", "ging"})


def unknown_words(text: str) -> list[str]:
    """The words of a text in small letters that are no English words."""
    words = (word for word in dict.fromkeys(text.split()) if len(word) >= SHORTEST and word.isalpha() and word.isascii())
    return [word for word in words if not _is_known(word)]


def corrected(text: str, vocabulary: Mapping[str, int]) -> str:
    """`text` with each unknown word replaced by the nearest of `vocabulary`, the more frequent first; as it is when none is near enough.

    A first letter is taken to be right. Takes time in proportion to the unknown words and the vocabulary.
    """
    meant = {word: _nearest(word, vocabulary) for word in unknown_words(text) if word not in vocabulary}
    return " ".join(meant.get(word, word) for word in text.split())


def put_right(text: str, vocabulary: Mapping[str, int], *, kept: Collection[str] = ()) -> str:
    """`text` as it was typed, with its unknown words replaced by the nearest of `vocabulary`; but for words in `kept`, in small letters,
    and what has a capital in the middle of it, which is a name.

    A text with more than eight unknown words is in no language that is known here, and stays as it is.
    """
    found = [match for match in WORD.finditer(text) if match[0][1:].islower() and (match[0].islower() or not match.start())]
    unknown = [word for word in unknown_words(" ".join(match[0].lower() for match in found)) if word not in vocabulary]
    meant = {word: _nearest(word, vocabulary) for word in unknown if word not in kept} if len(unknown) <= MOST_SLIPS else {}
    for match in reversed(found):
        word = meant.get(match[0].lower(), match[0])
        text = text[: match.start()] + match[0][0] + word[1:] + text[match.end() :]
    return text


def slips(one: str, other: str, most: int) -> int:
    """How many letters are wrong, left out, too many or swapped with the next between two words; `most` + 1 for more than that."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        following = [i]
        for j, against in enumerate(other, start=1):
            cost = min(row[j] + 1, following[j - 1] + 1, row[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, before[j - 2] + 1)
            following.append(cost)
        before, row = row, following
    return min(row[-1], most + 1)


def _is_known(word: str) -> bool:
    found = pieces(word)
    return len(found) == 1 or (len(found) == 2 and len(found[0]) >= STEM and found[1].removeprefix("##") in ENDINGS)


def _nearest(word: str, vocabulary: Mapping[str, int]) -> str:
    most = 1 if len(word) < LONG else 2
    near = [
        (slips(word, other, most), -often, other)
        for other, often in vocabulary.items()
        if other[:1] == word[:1] and len(other) >= SHORTEST and abs(len(other) - len(word)) <= most
    ]
    meant = [each for each in near if each[0] <= most and (len(word) > SHORT or _is_a_small_slip(word, each[2]))]
    return min(meant)[2] if meant else word


def _is_a_small_slip(one: str, other: str) -> bool:
    """Whether a letter is only doubled or not, or two have changed places."""
    if len(one) == len(other):
        return sorted(one) == sorted(other)
    shorter, longer = sorted((one, other), key=len)
    doubled = (index for index in range(1, len(longer)) if longer[index] == longer[index - 1])
    return any(longer[:index] + longer[index + 1 :] == shorter for index in doubled)
