"""What was left open: what the customer asked or wanted and was not answered, and what we asked and were not told."""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.assistant import acts
from conversations.assistant.wrap_up import short
from conversations.assistant.writing.base import Heard, Point, Said

MOST_POINTS: Final = 6
FEWEST_WORDS: Final = 3
MOST_WORDS_OF_THANKS: Final = 7
THANKS: Final = frozenset({"thanks", "thank", "cheers", "bye", "goodbye", "great", "perfect", "ok", "okay", "gracias", "adiós"})
OURS: Final = ("assistant", "agent")
SENTENCE_END: Final = re.compile(r"(?<=[.?!])\s+")


def is_thanks(text: str) -> bool:
    """Whether somebody only says thanks, yes or goodbye, which wants no answer."""
    words = text.lower().replace(",", " ").replace(".", " ").replace("!", " ").split()
    return len(words) <= MOST_WORDS_OF_THANKS and any(word in THANKS for word in words)


def is_left(heard: Heard) -> bool:
    """Nobody answered what the customer said last; thanks and a goodbye after it change nothing."""
    wanted = [each.seq for each in heard.said if each.by == "customer" and each.text.strip() and not is_thanks(each.text)]
    return bool(wanted) and not any(each.by in OURS and each.seq > wanted[-1] for each in heard.said)


def is_waiting(heard: Heard) -> bool:
    """A person was asked for, on this line or before it, and none has spoken."""
    asked = heard.waiting or any(each.kind == "handoff.requested" for each in heard.happened)
    return asked and not any(each.by == "agent" for each in heard.said)


def question_in(text: str) -> str:
    """The last sentence that asks something; empty when none does."""
    return next((each for each in reversed(SENTENCE_END.split(text.strip())) if acts.is_question(each)), "")


def is_closing(question: str, language: str) -> bool:
    """Whether a question of ours only asks whether there is anything to do, in the customer's language."""
    with override(language or None):
        return question.rstrip().endswith((_("Is there anything else I can do?"), _("What can I do for you?")))


def left_unanswered(heard: Heard) -> Said | None:
    """The last thing said when it asks something in the middle of something, and not only whether there is anything else; else None."""
    last = next((each for each in reversed(heard.said) if each.text.strip() and each.by != "system"), None)
    if last is None or last.by not in OURS:
        return None
    question = question_in(last.text)
    in_the_middle = question.endswith("?") and not is_closing(question, heard.language) and not (last.sources or last.unknown)
    return last if last.asked or in_the_middle else None


def open_in(heard: Heard) -> tuple[Point, ...]:
    """What the customer asked and nobody answered, and what we asked and they did not tell."""
    waits = heard.waiting and is_waiting(heard)
    points = [
        Point(short(sentence), each.seq)
        for each in heard.said
        if each.by == "customer" and not _is_answered(each, heard)
        for sentence in SENTENCE_END.split(each.text)
        if not is_thanks(sentence) and (acts.is_question(sentence) or (waits and len(sentence.split()) >= FEWEST_WORDS))
    ]
    known = {fact.name for fact in heard.facts}
    asked = left_unanswered(heard)
    if asked and asked.asked not in known:
        words = question_in(asked.text) or asked.text
        points.append(Point(_("We asked, and were not told: %(words)s") % {"words": short(words)}, asked.seq))
    return tuple(points[-MOST_POINTS:])


def _is_answered(question: Said, heard: Heard) -> bool:
    """Whether a person spoke after it, or what the AI agent said next was an answer.

    None is that it does not know or did not understand; nor, once a person was asked for, that they will see to it.
    """
    later = [each for each in heard.said if each.seq > question.seq and each.by in OURS]
    if any(each.by == "agent" for each in later):
        return True
    if not later or later[0].unknown:
        return False
    next_reply = later[0]
    if next_reply == left_unanswered(heard) and not next_reply.sources:
        return False
    handed = any(each.kind == "handoff.requested" and each.seq <= next_reply.seq for each in heard.happened)
    done = any(question.seq < each.seq <= next_reply.seq and each.kind != "handoff.requested" for each in heard.happened)
    return not (heard.waiting or handed) or bool(next_reply.sources) or done
