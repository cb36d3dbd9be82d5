"""Nothing stays in limbo: what nobody ended is ended here, by sweeps."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from conversations.models import Conversation, Interaction
from conversations.selectors.limbo import endless_interactions
from conversations.services import threads
from routing.models import WorkItem

QUIET_CONVERSATION = timedelta(hours=24)


def end_silent_interactions() -> int:
    """Ends silent chat sessions, and calls older than any call can be (see `selectors.limbo`); returns how many."""
    reasons = {"chat": "silence", "voice": "lost"}
    return sum(threads.end_interaction(each, reason=reasons[each.channel], at=each.last) for each in endless_interactions(timezone.now()))


def close_quiet_conversations() -> int:
    """Closes conversations with the AI agent in which nothing happened for a day and nobody is waited for.

    Returns how many it closed. A conversation that waits for a person stays open.
    """
    live_calls = Interaction.objects.filter(conversation=OuterRef("pk"), channel="voice", ended_at__isnull=True)
    quiet = Conversation.objects.filter(
        status=Conversation.Status.OPEN,
        owner_kind=Conversation.Owner.ASSISTANT,
        last_entry_at__lt=timezone.now() - QUIET_CONVERSATION,
    ).exclude(Exists(live_calls))
    closed = 0
    for conversation in quiet:
        with transaction.atomic():
            waiting = WorkItem.objects.filter(subject=conversation.public_id.hex, state__in=WorkItem.LIVE_STATES)
            if waiting.exists():
                continue
            closed += threads.close(conversation, actor_kind="system", actor_name="", disposition=None)
    return closed
