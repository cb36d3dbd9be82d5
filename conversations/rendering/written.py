"""How a reply reads: plain paragraphs that are short, lists as lines, no markup and no links but addresses that can be pressed."""

from __future__ import annotations

import re
from typing import Final

LINK: Final = re.compile(r"!?\[([^\]\n]+)\]\(\s*([^)\s]*)\s*\)")
HEADING: Final = re.compile(r"(?m)^\s{0,3}#{1,6}\s+")
BULLET: Final = re.compile(r"(?m)^\s*[-*+•–]\s+")
EMPHASIS: Final = re.compile(r"(\*{1,3}|_{2,3}|`{1,3})(?=\S)(.+?)(?<=\S)\1")
SENTENCE_END: Final = re.compile(r"(?<=[.?!…])\s+(?=[^a-z\s])")
LONGEST_PARAGRAPH: Final = 320
MOST_SENTENCES: Final = 3


def text(body: str) -> str:
    """A reply's text as it is kept and shown: the same words, without marks, broken into paragraphs of a few sentences."""
    plain = EMPHASIS.sub(r"\2", LINK.sub(_link, HEADING.sub("", body)))
    plain = BULLET.sub("• ", plain)
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", plain) if part.strip()]
    return "\n\n".join(short for part in paragraphs for short in _short(part))


def _link(found: re.Match[str]) -> str:
    """What a link says, and where it leads when that is an address of its own."""
    return f"{found[1]} ({found[2]})" if found[2].startswith(("https://", "http://", "/")) and found[2] != found[1] else found[1]


def _short(paragraph: str) -> list[str]:
    """A paragraph in pieces of at most three sentences; one that is short, or a list, as it is."""
    if len(paragraph) <= LONGEST_PARAGRAPH or "\n" in paragraph:
        return [paragraph]
    sentences = SENTENCE_END.split(paragraph)
    pieces = -(-len(sentences) // MOST_SENTENCES)
    size = -(-len(sentences) // pieces)
    return [" ".join(sentences[start : start + size]) for start in range(0, len(sentences), size)]
