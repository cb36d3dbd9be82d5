"""What a model wrote for staff is held against what it was told: a reference, an amount or a page that stands nowhere is made up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from conversations.assistant.outgoing.checks import Bounds, refusal_of
from conversations.assistant.outgoing.claims import DEEDS
from conversations.assistant.outgoing.private import NOTHING
from conversations.assistant.outgoing.sources import Sources
from conversations.assistant.tools import TOOLS
from conversations.assistant.writing.base import Heard, MayLeave

BOUNDS: Final = Bounds(private=NOTHING, secrets=frozenset(), policies=frozenset(), pieces=frozenset(), hosts=frozenset())
"""Staff may read the whole record, so nothing of it is private here."""
ANYTHING: Final = DEEDS | TOOLS.keys()
"""What was done stands in the texts themselves."""


def told_by(texts: Iterable[str]) -> MayLeave:
    """Judges texts that may repeat what stands in these, and tell of things that were done."""
    sources = Sources()
    sources.add(texts)

    def judge(written: str) -> str:
        refusal = refusal_of(written, BOUNDS, sources, ANYTHING)
        return f"{refusal.reason} {refusal.about}".strip() if refusal else ""

    return judge


def told_by_history(heard: Heard) -> MayLeave:
    """Judges texts about a line or a conversation."""
    outcomes = [each.name for each in heard.outcomes]
    return told_by([*(each.text for each in heard.said), *(each.sentence for each in heard.happened), heard.reason, *outcomes])
