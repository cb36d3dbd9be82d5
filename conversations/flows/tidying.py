"""Nothing stays in limbo: what nobody ended is ended here, by sweeps."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from conversations.flows import calling_back, wrapping_up
from conversations.models import Conversation, Interaction
from conversations.selectors import limbo
from conversations.selectors.limbo import endless_interactions
from conversations.services import call_state, ownership, threads
from routing.models import WorkItem

QUIET_CONVERSATION = timedelta(hours=24)


def end_silent_interactions() -> int:
    """Ends silent chat sessions, and calls older than any call can be (see `selectors.limbo`); returns how many."""
    now = timezone.now()
    return sum(_end_if_silent(each, now) for each in endless_interactions(now).values_list("pk", flat=True))


def close_quiet_conversations() -> int:
    """Closes conversations with the AI agent in which nothing happened for a day and nobody is waited for.

    Returns how many it closed. A conversation that waits for a person stays open.
    """
    now = timezone.now()
    return sum(_close_if_quiet(each, now) for each in _quiet(now))


def leave_nobody_without_work() -> int:
    """Ends what people have in name only, should the event have been lost (see `wrapping_up`); returns how many."""
    return sum(wrapping_up.leave_nobody_without_work(each) for each in limbo.owned_without_work())


def _end_if_silent(interaction_id: int, now: datetime) -> bool:
    """Ends one, unless something was said while its conversation's lock was waited for."""
    reasons = {"chat": "silence", "sms": "silence", "voice": "lost"}
    with transaction.atomic():
        Conversation.objects.select_for_update(no_key=True, of=("self",)).get(interactions=interaction_id)
        silent = endless_interactions(now).filter(pk=interaction_id).first()
        ended = silent is not None and threads.end_interaction(silent, reason=reasons[silent.channel], at=silent.last)
    if ended and silent is not None:
        wrapping_up.begin_when_over(silent)
        if call_state.waits_for_code(silent):
            calling_back.tell_when_over(silent.public_id)
    return ended


def _quiet(now: datetime) -> QuerySet[Conversation]:
    """Conversations that may be closed, but for work that waits; one that goes on in another is closed with that."""
    live_calls = Interaction.objects.filter(conversation=OuterRef("pk"), channel="voice", ended_at__isnull=True)
    return Conversation.objects.filter(
        status=Conversation.Status.OPEN,
        joined_into__isnull=True,
        owner_kind=Conversation.Owner.ASSISTANT,
        last_entry_at__lt=now - QUIET_CONVERSATION,
    ).exclude(Exists(live_calls))


def _close_if_quiet(conversation: Conversation, now: datetime) -> bool:
    """Closes one, unless something happened in it while its locks were waited for."""
    with transaction.atomic():
        ownership.lock_with_work(conversation)
        waiting = WorkItem.objects.filter(subject=conversation.public_id.hex, state__in=WorkItem.LIVE_STATES)
        if waiting.exists() or not _quiet(now).filter(pk=conversation.pk).exists():
            return False
        return threads.close(conversation, actor_kind="system", actor_name="", disposition=None)
