"""What a model wrote for staff a moment ago, taken again while nothing has changed: opening the same panel twice asks it once.

Kept for a few minutes in the cache, by all that it was written from, so that a word more, or one that was taken out, is another question.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from django.core.cache import cache

from conversations.models import Conversation

KEPT_SECONDS: Final = 300
FORM: Final = "1"


@dataclass(frozen=True, slots=True)
class Lately:
    """A text, empty when the model had none, the number of its trace, and the titles and addresses it is from."""

    text: str
    trace: int | None
    sources: tuple[tuple[str, str], ...] = ()


def key(conversation: Conversation, writer: str, *written_from: object) -> str:
    """Under what it is kept that a writer wrote from these, of one conversation."""
    digest = hashlib.sha256(repr(written_from).encode()).hexdigest()
    return f"written:{FORM}:{conversation.public_id.hex}:{writer}:{digest}"


def recall(kept_as: str) -> Lately | None:
    """What was written; None when nothing is kept, or the key is empty."""
    found = cache.get(kept_as) if kept_as else None
    if not isinstance(found, dict):
        return None
    return Lately(found["text"], found["trace"], tuple((title, url) for title, url in found["sources"]))


def remember(kept_as: str, written: Lately) -> None:
    """Keeps it for five minutes."""
    if kept_as:
        kept = {"text": written.text, "trace": written.trace, "sources": [list(each) for each in written.sources]}
        cache.set(kept_as, kept, KEPT_SECONDS)
