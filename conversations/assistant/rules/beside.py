"""Whether a passage that was found is about something else than what was asked, so that nothing of it is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from conversations.assistant import acts
from conversations.assistant.answers import SAYS_NOTHING
from conversations.assistant.brain import TurnContext
from conversations.assistant.tools.search_knowledge import SURE_PASSAGE
from conversations.assistant.what_was_done import OF_A_PRICE
from conversations.knowledge.sentences import codes_in
from conversations.understanding.gloss import fold
from conversations.understanding.spelling import unknown_words

HARDLY: Final = 0.5
"""Below this score, half of the telling words are too few."""
WORD: Final = re.compile(r"[^\W\d_]{3,}")
GENERAL: Final = SAYS_NOTHING | frozenset(
    {
        "all", "also", "and", "any", "anything", "are", "ask", "away", "bring", "but", "can", "come", "cover", "did", "else", "fix", "for",
        "get", "give", "got", "had", "has", "help", "her", "him", "how", "just", "let", "like", "make", "may", "much", "must",
        "need", "not", "now", "off", "one", "our", "out", "see", "sell", "she", "take", "thing", "things", "too", "two", "use",
        "was", "way", "who", "why", "work", "yes", "you", "cost", "costs", "price", "prices", "charge", "fee", "system", "done",
        "happen", "happens",
    }
)  # fmt: skip
"""What may be said of anything."""


def is_beside(passage: Mapping[str, Any], context: TurnContext) -> bool:
    """Whether an English question has telling words, and a passage that is not surely its answer holds none or too few of them.

    Within what a conversation is about, everything is somehow like it, so more of the question must stand in the passage there.
    A price is only told for what it was asked for. Misspelt words tell nothing, but names of places that the passage has do.
    """
    words = context.words
    if not context.language.startswith("en") or not acts.wants_to_know(words) or codes_in(words):
        return False
    shared, telling = _shared(f"{passage['title']} {passage['text']}", words)
    if not telling:
        return False
    too_few = telling > 1 and 2 * shared <= telling
    if passage["within"]:
        return not shared or too_few
    if passage["score"] >= SURE_PASSAGE:
        return not shared and OF_A_PRICE.search(acts.plain(words)) is not None
    return not shared or (too_few and passage["score"] < HARDLY)


def _shared(passage: str, question: str) -> tuple[int, int]:
    """How many telling words of a question stand in a passage, in any form, and how many it has."""
    slips = set(unknown_words(question.lower()))
    there = {word[:4] for word in WORD.findall(fold(passage))}
    words = [word for word in WORD.findall(fold(question)) if word not in GENERAL]
    telling = {word[:4] for word in words if word not in slips or word[:4] in there}
    return len(telling & there), len(telling)
