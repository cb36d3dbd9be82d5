"""Who may listen to which recording, and which need not be listened to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from conversations.models import CallRecording, Entry
from conversations.selectors import access

MARGIN: Final = timedelta(seconds=2)
"""The platform tells whole seconds, and ends what ends together one after the other."""


class _Made(NamedTuple):
    """A recording, and from when until when the platform made it."""

    row: CallRecording
    since: datetime
    until: datetime


def for_user(user: Any, recording_id: str) -> CallRecording:
    """A recording of a conversation that a user may read. Raises CallRecording.DoesNotExist when there is none or they may not."""
    found = CallRecording.objects.select_related("interaction__conversation__customer", "interaction__entry_point")
    return found.get(recording_id=recording_id, interaction__conversation__in=access.conversations_for(user))


def in_longer_ones(recording_ids: Iterable[str]) -> set[str]:
    """Of these recordings of calls, those that another one that is stored has all of, as where the platform goes on with it.

    They are compared as the platform made them: what was cut out of the longer one was cut out of the others, too. Two queries.
    """
    calls = CallRecording.objects.filter(recording_id__in=list(recording_ids), kind=CallRecording.Kind.CALL).values("interaction")
    told = Entry.objects.filter(interaction__in=calls, kind="call.recorded").values_list("data__recording", "data__duration_seconds")
    lengths = {recording: timedelta(seconds=seconds) for recording, seconds in told if seconds is not None}
    rows = CallRecording.objects.filter(interaction__in=calls, kind=CallRecording.Kind.CALL, recording_id__in=list(lengths))
    all_made = [_Made(row, row.began_at, row.began_at + lengths[row.recording_id]) for row in rows]
    stored = [each for each in all_made if each.row.state == CallRecording.State.STORED]
    return {made.row.recording_id for made in all_made if any(_has_all_of(longer, made) for longer in stored)}


def _has_all_of(longer: _Made, other: _Made) -> bool:
    if longer.row.interaction_id != other.row.interaction_id:
        return False
    is_longer = (longer.until - longer.since, -longer.row.pk) > (other.until - other.since, -other.row.pk)
    return is_longer and longer.since <= other.since + MARGIN and other.until <= longer.until + MARGIN
