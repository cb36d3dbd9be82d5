"""The sentences of a passage, and which of them a question is about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from conversations.understanding.embed import Vectors, embed
from conversations.understanding.normalise import meaning
from conversations.understanding.vectors import remembered

PASSAGES_KEPT: Final = 512
"""So many have their sentences' meanings in each process: about 5 MB."""

LINK: Final = re.compile(r"\[([^\]]+)\]\([^)]*\)")
HEADING: Final = re.compile(r"(?m)^\s{0,3}#{1,6}\s.*$")
ITEM: Final = re.compile(r"(?m)^\s*(?:[-*+•]|\d{1,2}[.)])\s+")
MARKS: Final = re.compile(r"[*_`>|]+")
TABLE: Final = re.compile(r"(?m)^[ \t]*\|.*\|[ \t]*\n[ \t]*\|[ \t:|-]+\|[ \t]*\n(?:[ \t]*\|.*\|[ \t]*(?:\n|$))+")
CODE: Final = re.compile(r"\b[a-z]{1,3}\d{1,5}\b")
SENTENCE_END: Final = re.compile(r"(?<=[.?!])\s+(?=[^a-z])")


def sentences(passage: str) -> list[str]:
    """The sentences of a Markdown passage as plain text; headings are left out, list items are sentences."""
    return [each for text, _is_item in _blocks(passage) for each in _sentences_of(text)]


def lists(passage: str) -> list[range]:
    """Which of its sentences are the items of each list of a passage."""
    found: list[range] = []
    at = 0
    for text, is_item in _blocks(passage):
        until = at + len(_sentences_of(text))
        goes_on = is_item and found != [] and found[-1].stop == at
        if goes_on:
            found[-1] = range(found[-1].start, until)
        elif is_item:
            found.append(range(at, until))
        at = until
    return found


def _blocks(passage: str) -> list[tuple[str, bool]]:
    """Paragraphs and list items as plain text, and whether each is an item."""
    plain = TABLE.sub(_as_items, LINK.sub(r"\1", HEADING.sub("", passage)))
    blocks = re.split(r"\n\s*\n|\n(?=\s*(?:[-*+•]|\d{1,2}[.)])\s)", plain)
    return [(" ".join(MARKS.sub("", ITEM.sub("", each)).split()), ITEM.match(each) is not None) for each in blocks]


def _sentences_of(text: str) -> list[str]:
    return [each if each[-1] in ".?!:" else f"{each}." for each in SENTENCE_END.split(text) if each]


def codes_in(text: str) -> frozenset[str]:
    """The codes in a text, in small letters: one to three letters and a number, such as “e119”."""
    return frozenset(CODE.findall(text.lower()))


def _as_items(table: re.Match[str]) -> str:
    """The rows of a table as items: what it is about, and what the other columns say of it. The names of the columns say little alone."""
    rows = [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in table[0].strip().splitlines()]
    return "\n\n" + "\n".join(f"- {row[0]}: {'; '.join(filter(None, row[1:]))}" for row in rows[2:]) + "\n\n"


def likenesses(question: str, every: Sequence[str]) -> list[float]:
    """How like each sentence is to a question (-1 to 1), by the meaning of English words."""
    core = meaning(question)
    if not core or not every:
        return [0.0] * len(every)
    (asked,) = embed([core])
    return [float(asked @ each) for each in _meant(tuple(every))]


def meanings(every: Sequence[str]) -> list[str]:
    """What of each sentence is embedded."""
    return [meaning(each) or each for each in every]


@lru_cache(maxsize=PASSAGES_KEPT)
def _meant(every: tuple[str, ...]) -> Vectors:
    """The meanings of a passage's sentences, which `ingest` has embedded: nobody who asks waits for that."""
    return remembered(meanings(every))
