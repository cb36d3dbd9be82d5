"""Who may listen to which recording."""

from __future__ import annotations

from typing import Any

from conversations.models import CallRecording
from conversations.selectors import access


def for_user(user: Any, recording_id: str) -> CallRecording:
    """A recording of a conversation that a user may read. Raises CallRecording.DoesNotExist when there is none or they may not."""
    found = CallRecording.objects.select_related("interaction__conversation__customer", "interaction__entry_point")
    return found.get(recording_id=recording_id, interaction__conversation__in=access.conversations_for(user))
