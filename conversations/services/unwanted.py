"""Which parts of a recording are not to be kept: time in which the call was not to be recorded, and card numbers. Writes nothing.

When a recording really ends is the platform's to say, and it is documented for the end of a call alone. So what we keep does not
depend on it: the history says from when to when a call was to be recorded, and nothing else is kept, sound or words.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from conversations.models import CallRecording, Entry
from conversations.services.sound import Span

BEGINS: Final = ("recording.began", "recording.resumed")
ENDS: Final = ("recording.ended", "recording.paused")
MARGIN_SECONDS: Final = 1.0
"""Two clocks, and the platform's tells whole seconds."""
FOREVER: Final = 1e9
LONGEST_MESSAGE_SECONDS: Final = 600
HIDDEN: Final = "hidden"
"""In the data of an entry: from when until when words were said of which a card number was taken out, in seconds since 1970."""


def spans(row: CallRecording) -> list[Span]:
    """In seconds of the recording, those that must not be kept; empty for a message, and for a call that we had no recording begun of."""
    if row.kind != CallRecording.Kind.CALL:
        return []
    told = Entry.objects.filter(interaction=row.interaction_id, kind__in=[*BEGINS, *ENDS]).order_by("occurred_at", "pk")
    length = _length(row)
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


def time_of(row: CallRecording, at: datetime, seconds: float) -> list[float]:
    """When words were said that held a card number, from and until; all of the recording where the platform did not tell for how long."""
    if seconds > 0:
        return [at.timestamp(), at.timestamp() + seconds]
    return [row.began_at.timestamp(), row.began_at.timestamp() + (LONGEST_MESSAGE_SECONDS if row.seconds is None else row.seconds)]


def card_spans(row: CallRecording) -> list[Span]:
    """In seconds of a recording, those in which a card number is said, as far as the words of any recording of the call tell."""
    said = Entry.objects.filter(interaction=row.interaction_id, kind="speech", data__has_key=HIDDEN)
    began = row.began_at.timestamp()
    times = [(since - began, until - began) for since, until in said.values_list(f"data__{HIDDEN}", flat=True)]
    length = _length(row)
    return sorted((max(0.0, since - MARGIN_SECONDS), until + MARGIN_SECONDS) for since, until in times if until > 0 and since < length)


def _length(row: CallRecording) -> float:
    """Until which second something may lie in what the platform made; of a stored file, the length is that of what was left of it."""
    is_whole = row.seconds is not None and row.state != CallRecording.State.STORED
    return row.seconds + MARGIN_SECONDS if is_whole and row.seconds is not None else FOREVER
