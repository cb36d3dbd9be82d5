"""Which parts of a recording lie in time in which the call was not to be recorded. Writes nothing.

When a recording really ends is the platform's to say, and it is documented for the end of a call alone. So what we keep does not
depend on it: the history says from when to when a call was to be recorded, and nothing else is kept, sound or words.
"""

from __future__ import annotations

from typing import Final

from conversations.models import CallRecording, Entry
from conversations.services.sound import Span

BEGINS: Final = ("recording.began", "recording.resumed")
ENDS: Final = ("recording.ended", "recording.paused")
MARGIN_SECONDS: Final = 1.0
"""Two clocks, and the platform's tells whole seconds."""
FOREVER: Final = 1e9


def spans(row: CallRecording) -> list[Span]:
    """In seconds of the recording, those that must not be kept; empty for a message, and for a call that we had no recording begun of."""
    if row.kind != CallRecording.Kind.CALL:
        return []
    told = Entry.objects.filter(interaction=row.interaction_id, kind__in=[*BEGINS, *ENDS]).order_by("occurred_at", "pk")
    length = FOREVER if row.seconds is None else row.seconds + MARGIN_SECONDS
    found: list[Span] = []
    since: float | None = None
    for kind, at in told.values_list("kind", "occurred_at"):
        second = (at - row.began_at).total_seconds()
        if kind in ENDS and since is None:
            since = second - MARGIN_SECONDS
        elif kind in BEGINS and since is not None:
            found.append((since, second + MARGIN_SECONDS))
            since = None
    if since is not None:
        found.append((since, FOREVER))
    return [(max(0.0, first), last) for first, last in found if last > 0 and first < length]


def is_in(second: float, unwanted: list[Span]) -> bool:
    """Whether a moment of a recording lies in one of the spans."""
    return any(first <= second <= last for first, last in unwanted)
