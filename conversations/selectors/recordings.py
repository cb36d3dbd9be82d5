"""Who may listen to which recording, and which need not be listened to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from conversations.models import CallRecording
from conversations.selectors import access

MARGIN: Final = timedelta(seconds=2)
"""The platform tells whole seconds, and ends what ends together one after the other."""


def for_user(user: Any, recording_id: str) -> CallRecording:
    """A recording of a conversation that a user may read. Raises CallRecording.DoesNotExist when there is none or they may not."""
    found = CallRecording.objects.select_related("interaction__conversation__customer", "interaction__entry_point")
    return found.get(recording_id=recording_id, interaction__conversation__in=access.conversations_for(user))


def in_longer_ones(recording_ids: Iterable[str]) -> set[str]:
    """Of these recordings of calls, those that another one that is stored has all of, as where the platform goes on with it. One query.

    What was cut counts as shorter than it was, so it stands for less.
    """
    calls = CallRecording.objects.filter(recording_id__in=list(recording_ids), kind=CallRecording.Kind.CALL).values("interaction")
    rows = list(CallRecording.objects.filter(interaction__in=calls, kind=CallRecording.Kind.CALL, seconds__isnull=False))
    whole = [row for row in rows if row.state == CallRecording.State.STORED]
    return {row.recording_id for row in rows if any(_has_all_of(longer, row) for longer in whole)}


def _has_all_of(longer: CallRecording, row: CallRecording) -> bool:
    length, own = longer.seconds or 0, row.seconds or 0
    if longer.interaction_id != row.interaction_id or (length, -longer.pk) <= (own, -row.pk):
        return False
    ends_at = longer.began_at + timedelta(seconds=length)
    return longer.began_at <= row.began_at + MARGIN and row.began_at + timedelta(seconds=own) <= ends_at + MARGIN
