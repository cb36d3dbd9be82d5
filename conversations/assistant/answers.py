"""Cutting an article's passage to an answer: plain text, the sentences that fit the question, no more than is read or heard."""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext as _

from conversations.knowledge.sentences import HEADING, codes_in, likenesses, lists, sentences
from conversations.understanding.gloss import fold

ORDERED: Final = re.compile(r"(?m)^\s*\d{1,2}[.)]\s")
"""Steps that follow each other: nobody begins in the middle of what to do in a danger."""
WORD: Final = re.compile(r"[^\W\d_]{4,}")
SAYS_NOTHING: Final = frozenset(
    {
        "about", "been", "could", "does", "from", "have", "here", "hello", "know", "long", "please", "should", "some", "tell",
        "than", "that", "their", "them", "then", "there", "these", "they", "this", "those", "very", "want", "were", "what", "when",
        "where", "which", "will", "with", "would", "your",
        "algo", "como", "cual", "cuales", "cuando", "cuanto", "cuanta", "cuesta", "cuestan", "debe", "deben", "desde", "donde",
        "entre", "esta",
        "estan", "estar", "este", "favor", "gracias", "hace", "hacen", "hacer", "hasta", "hola", "hora", "horas", "para", "pero", "porque",
        "puede", "pueden",
        "quien", "quiero", "sobre", "tener", "tengo", "tiene", "tienen",
        "ustedes", "usted",
    }
)  # fmt: skip
WRITTEN: Final = (4, 500)
SPOKEN: Final = (2, 260)
WHOLE_WRITTEN: Final = 700
WHOLE_SPOKEN: Final = 330
"""A list is told to its end when the answer is no longer than that with it."""
SHORT_LIST: Final = 200
CLEARLY_NEARER: Final = 0.3
"""By so much a sentence must be liker to the question than the one that an answer would begin with."""


def opening(passage: str, most: int) -> str:
    """The first sentences of a passage."""
    return " ".join(sentences(passage)[:most])


def first_block(passage: str) -> str:
    """The first paragraph or list of a Markdown passage, where an article on safety says what to do; no headings."""
    blocks = re.split(r"\n\s*\n", HEADING.sub("", passage).strip())
    return blocks[0]


def shares_words(passage: str, question: str) -> bool:
    """Whether a telling word of the question stands in the passage, in any form (“take”, “takes”)."""
    return shared_words(passage, question)[0] > 0


def shared_words(passage: str, question: str) -> tuple[int, int]:
    """How many telling words of the question stand in the passage, in any form, and how many it has. Accents do not count."""
    beginnings = {word[:4] for word in WORD.findall(fold(passage)) if word not in SAYS_NOTHING}
    telling = {word[:4] for word in WORD.findall(fold(question)) if word not in SAYS_NOTHING}
    return len(telling & beginnings), len(telling)


def fitting(passage: str, question: str, *, spoken: bool) -> str:
    """The sentences of a passage that answer a question: from the one that shares most words with it on, or is clearly nearer in meaning.

    Where a code was asked about (“E119”), those that hold it, and nothing of others. At most four sentences and 500 characters to read,
    two and 260 to hear; never less than one sentence. A list is told whole where it is short, and is said to go on where it is not.
    """
    every = sentences(passage)
    if not every:
        return ""
    most, longest = SPOKEN if spoken else WRITTEN
    codes = codes_in(question)
    if of_the_code := [each for each in every if codes & codes_in(each)]:
        return " ".join(of_the_code[:most])
    wanted = set(WORD.findall(question.lower()))
    shared = [len(wanted & set(WORD.findall(sentence.lower()))) for sentence in every]
    # Articles say the main thing first, so another beginning must be clearly better.
    start = shared.index(max(shared)) if max(shared) > shared[0] + 1 else 0
    if spoken and not start:
        # So little is heard that the sentence which is about it must be in it.
        about = [shared_words(sentence, question)[0] for sentence in every]
        start = about.index(max(about)) if max(about) > about[0] + 1 else 0
    # The answer often begins a sentence before the words of the question come up again.
    start = max(0, min(start, len(every) - most))
    if not ORDERED.search(passage):
        near = likenesses(question, every)
        start = near.index(max(near)) if max(near) > near[start] + CLEARLY_NEARER else start
    start = _of_a_short_list(passage, every, start)
    end = start + 1
    while end < min(start + most, len(every)) and len(" ".join(every[start : end + 1])) <= longest:
        end += 1
    # A question or a colon only announces what is cut off.
    while end > start + 1 and every[end - 1][-1] in "?:":
        end -= 1
    return _with_whole_list(passage, every, start, end, WHOLE_SPOKEN if spoken else WHOLE_WRITTEN)


def _of_a_short_list(passage: str, every: list[str], start: int) -> int:
    """Where to begin when the answer begins within a list: with what announces it, where it is as short as one item of others."""
    items = next((each for each in lists(passage) if start in each), None)
    if items is None or len(" ".join(every[items.start : items.stop])) > SHORT_LIST:
        return start
    return items.start - (items.start > 0 and every[items.start - 1][-1] == ":")


def _with_whole_list(passage: str, every: list[str], start: int, end: int, longest: int) -> str:
    """The sentences from `start` to `end`; a list that this cuts is told to its end, or else is said to go on.

    Whoever is told some of what is announced takes it for all there is.
    """
    cut = next((each for each in lists(passage) if start < each.start < end < each.stop), None)
    if cut is None:
        return " ".join(every[start:end])
    whole = " ".join(every[start : cut.stop])
    return whole if len(whole) <= longest else " ".join([*every[start:end], _("That is not all: the list goes on.")])
