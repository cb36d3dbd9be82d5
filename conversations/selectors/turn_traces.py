"""How an answer came about, for the people who ask."""

from __future__ import annotations

from conversations.models import Entry, TurnTrace


def trace_of(entry: Entry) -> TurnTrace | None:
    """The trace of the turn that said this; None for what no brain said, and for what was said before traces were kept."""
    return TurnTrace.objects.filter(conversation=entry.conversation_id, reply_seq=entry.seq).order_by("-pk").first()
