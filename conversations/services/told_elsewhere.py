"""What other recordings of a call have brought into its history, word by word: one may go on when the next one begins.

A recording that covers a time need not have all that was said in it, so only the words themselves tell that something is there already.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from conversations.models import CallRecording, Entry
from conversations.services.redaction import MASK, hide_digits

WITHIN: Final = timedelta(seconds=3)
"""The same words of the same speaker are told twice when no more lies between them: two clocks, of which one tells whole seconds."""
WORD: Final = re.compile(rf"(?:[^\W_]|{MASK})+(?:['’][^\W_]+)*")


@dataclass(slots=True)
class _Word:
    """A word in the history: whose it is, when it was said, and whether a word of this recording was found to be it."""

    kind: str
    text: str
    at: datetime
    is_found: bool = False


class ToldElsewhere:
    """The words that all recordings of a call but one have brought, in the order in which they were said. Writes nothing."""

    def __init__(self, row: CallRecording) -> None:
        entries = Entry.objects.filter(interaction=row.interaction_id, kind="speech").exclude(data__recording=row.recording_id)
        self._entries = list(entries.order_by("occurred_at", "pk"))
        self._words = [word for entry in self._entries for word in _words_of(entry)]

    def has(self, kind: str, text: str, at: datetime, seconds: float) -> bool:
        """Whether this speaker's words are there, one after another and at about that time; each word stands for one that is said."""
        since, until = at - WITHIN, at + timedelta(seconds=seconds) + WITHIN
        near = [word for word in self._words if word.kind == kind and since <= word.at <= until and not word.is_found]
        own = _split(text)
        begins = _place_of(own, [word.text for word in near])
        if begins is None:
            return self._has_hidden(kind, text, since, until)
        for word in near[begins : begins + len(own)]:
            word.is_found = True
        return True

    def _has_hidden(self, kind: str, text: str, since: datetime, until: datetime) -> bool:
        """The same of a sentence with digits that one of both has hidden, since the digits of a card were near."""
        near = [each for each in self._entries if each.actor_kind == kind and since <= each.occurred_at + _length(each)]
        told = " ".join(each.body for each in near if each.occurred_at <= until)
        if MASK not in text + told or MASK not in hide_digits(text):
            return False
        return _place_of(_hidden(text), _hidden(told)) is not None


def _words_of(entry: Entry) -> list[_Word]:
    """The words of an entry, each at its share of the time that the sentence took."""
    words = _split(entry.body)
    step = _length(entry) / max(1, len(words))
    return [_Word(entry.actor_kind, text, entry.occurred_at + number * step) for number, text in enumerate(words)]


def _length(entry: Entry) -> timedelta:
    return timedelta(seconds=float(entry.data.get("duration_seconds") or 0))


def _split(text: str) -> list[str]:
    """The words as they are compared. What has none, such as a sound that is written as a mark, is one by itself."""
    return WORD.findall(text.casefold()) or [text.strip()]


def _hidden(text: str) -> list[str]:
    """The words with one dot for each row of digits, however it is divided."""
    words = [MASK if MASK in word else word for word in _split(hide_digits(text))]
    return [word for number, word in enumerate(words) if word != MASK or number == 0 or words[number - 1] != MASK]


def _place_of(words: list[str], among: list[str]) -> int | None:
    """Where these words stand among others, one after another."""
    for begins in range(len(among) - len(words) + 1):
        if among[begins : begins + len(words)] == words:
            return begins
    return None
