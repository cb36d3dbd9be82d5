"""What of a text matched what was looked for: the text cut into pieces, and a long one cut short around the first match."""

import re
import unicodedata
from typing import Final

WORD: Final = re.compile(r"[^\W_]+")
SNIPPET: Final = 120
WITHOUT_MARKS: Final = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "þ": "t", "ß": "ss", "æ": "ae", "œ": "oe"}
)

Pieces = tuple[tuple[str, bool], ...]
"""(text, whether it matched), one after the other the whole text."""


def fold(text: str) -> str:
    """A text as the database function `conversations_folded` folds it."""
    bare = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return bare.lower().translate(WITHOUT_MARKS)


def words_marked(text: str, asked: str) -> Pieces:
    """The words of `text` that begin like a word of `asked`, whatever their accents and capitals."""
    wanted = tuple(fold(word) for word in WORD.findall(asked))
    pieces: list[tuple[str, bool]] = []
    end = 0
    for word in WORD.finditer(text):
        if wanted and fold(word[0]).startswith(wanted):
            pieces += [(text[end : word.start()], False), (word[0], True)]
            end = word.end()
    return _without_empty([*pieces, (text[end:], False)])


def part_marked(text: str, part: str) -> Pieces:
    """The first place in `text` where `part` stands; a text without it matched as a whole."""
    start = text.lower().find(part.lower()) if part else -1
    if start < 0:
        return ((text, True),)
    end = start + len(part)
    return _without_empty([(text[:start], False), (text[start:end], True), (text[end:], False)])


def snippet(text: str, asked: str) -> str:
    """At most some 120 characters of a text around the first word that was looked for, in one line."""
    line = " ".join(text.split())
    if len(line) <= SNIPPET:
        return line
    wanted = tuple(fold(word) for word in WORD.findall(asked))
    first = next((word.start() for word in WORD.finditer(line) if wanted and fold(word[0]).startswith(wanted)), 0)
    start = max(0, min(first - SNIPPET // 3, len(line) - SNIPPET))
    if start:
        start = line.find(" ", start) + 1 or start
    shown = line[start : start + SNIPPET]
    return f"{'…' if start else ''}{shown}{'…' if start + SNIPPET < len(line) else ''}"


def _without_empty(pieces: list[tuple[str, bool]]) -> Pieces:
    return tuple(piece for piece in pieces if piece[0])
