"""How much of a text that is still being written can be judged already."""

from __future__ import annotations

import re
from typing import Final

from conversations.assistant.outgoing.checks import Bounds
from conversations.assistant.outgoing.forms import squeezed, words

OPEN_TAG: Final = re.compile(r"[<\[(!][^>\])]*$")
HAS_SIGNS: Final = re.compile(r"[\d@£€$:/.\\<\[#|_-]")
NUMBERS_AT_END: Final = re.compile(r"(?:[£€$]|\+)?\d[\d\s.,:/()+-]*$")
LAST_WORD: Final = re.compile(r"\S*$")
WORDS_HELD: Final = 3
"""So many words of the instructions in a row are held back, since a run of them must not leave."""
LONGEST_HELD: Final = 160
NUMBER_WORDS: Final = frozenset(
    ["zero", "oh", "nought", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "double", "triple"]
)


def settled(text: str, bounds: Bounds) -> int:
    """The length of the beginning of `text` that no longer text can make worse."""
    upto = len(text)
    tag = OPEN_TAG.search(text, max(0, len(text) - LONGEST_HELD))
    if tag:
        upto = tag.start()
    last = LAST_WORD.search(text, 0, upto)
    start = last.start() if last else upto
    if start < upto and (HAS_SIGNS.search(text, start, upto) or _may_become(text[start:upto], bounds)):
        upto = start
    numbers = NUMBERS_AT_END.search(text, max(0, upto - LONGEST_HELD), upto)
    if numbers:
        upto = numbers.start()
    return _before_a_beginning(text, upto, bounds)


def _may_become(word: str, bounds: Bounds) -> bool:
    """Whether a word that is not over may become one that must not leave."""
    form = squeezed(word)
    if not form:
        return True
    if any(each.startswith(form) for each in (*bounds.private.names, *bounds.secrets, "https", "www")):
        return True
    return any(writing.startswith(form) or form.startswith(writing) for _what, writings in bounds.private.values for writing in writings)


def _before_a_beginning(text: str, upto: int, bounds: Bounds) -> int:
    """Where the last words begin, when a value of the record, a number in words or the instructions begin with them."""
    found = [(match.start(), match[0]) for match in re.finditer(r"\S+", text[max(0, upto - LONGEST_HELD) : upto])]
    offset = max(0, upto - LONGEST_HELD)
    held = upto
    for start, _word in reversed(found[-8:]):
        form = squeezed(text[offset + start : upto])
        if form and any(writing.startswith(form) and writing != form for _what, writings in bounds.private.values for writing in writings):
            held = offset + start
    tail = words(text[offset:upto])
    if tuple(tail[-WORDS_HELD:]) in bounds.pieces:
        held = min(held, offset + found[-min(len(found), WORDS_HELD + 4)][0])
    for start, word in reversed(found):
        if squeezed(word) not in NUMBER_WORDS:
            break
        held = min(held, offset + start)
    return held
