"""What should have gone on and did not: how long each may last, and the queries that find what is over its time.

The sweeps take up what is found at this moment; a manager and `doctor` are told of what the sweeps should have taken up
a while ago.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Max, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from conversations.models import ActionItem, Conversation, Entry, Interaction
from conversations.models.entry_point import Channel
from conversations.selectors.naming import HEX_UUID
from routing.models import WorkItem

WAITING = (WorkItem.State.QUEUED, WorkItem.State.RESERVED)
LONGEST_CALL = timedelta(hours=3)
"""The platform ends a call after two hours, so one that is older has lost its last event; no webhook of it comes later."""
LONGEST_RINGING = timedelta(minutes=3)
"""A phone that we ring stops ringing within two minutes (the platform's limit), so then its last event was lost."""
SILENT_CHAT = timedelta(minutes=30)
"""A chat session ends when nothing was written in it for so long."""
SILENT_TEXTS = timedelta(hours=12)
"""Text messages go to and fro for so long after the last one; then the next one begins anew."""
SWEPT_WITHIN = timedelta(minutes=5)
"""How long the sweeps, which run every few seconds to a minute, may take for what they should do."""

WRAPPED_UP_WITHIN = timedelta(hours=1)
"""How long after its end an interaction may owe its wrap-up; a chat that fell silent ended when its last words were written."""


def unwritten_wrap_ups(at: datetime) -> QuerySet[Interaction]:
    """Interactions that owed a wrap-up at that time for longer than the sweep and its tries again should take."""
    return Interaction.objects.filter(wrap_up_due_at__isnull=False, ended_at__lt=at - WRAPPED_UP_WITHIN)


def endless_interactions(at: datetime) -> QuerySet[Any]:
    """Live chat sessions that were silent for too long at that time, and live calls that are older than any call can be.

    Among them phones that we ring and that cannot be ringing any more.

    `last` is when the last entry of each was recorded, or when it started.
    """
    live = Interaction.objects.exclude(state=Interaction.State.ENDED)
    return live.annotate(last=Coalesce(Max("entries__recorded_at"), F("started_at"))).filter(
        Q(channel=Channel.CHAT, last__lt=at - SILENT_CHAT)
        | Q(channel=Channel.SMS, last__lt=at - SILENT_TEXTS)
        | Q(channel=Channel.VOICE, started_at__lt=at - LONGEST_CALL)
        | Q(
            channel=Channel.VOICE,
            direction=Interaction.Direction.OUTBOUND,
            answered_at__isnull=True,
            started_at__lt=at - LONGEST_RINGING,
        )
    )


def turns_nobody_works_on(at: datetime | Combinable, *, unclaimed_for: timedelta = timedelta(0)) -> QuerySet[Conversation]:
    """Conversations in which the AI agent owed an answer at that time and nobody worked on it.

    The lease ran out, or none was taken within `unclaimed_for` of the last entry.
    """
    return Conversation.objects.filter(
        Q(turn_lease_until__lt=at) | Q(turn_lease_until__isnull=True, last_entry_at__lt=at - unclaimed_for),
        turn_wanted_seq__gt=F("turn_done_seq"),
        owner_kind=Conversation.Owner.ASSISTANT,
        status=Conversation.Status.OPEN,
        joined_into__isnull=True,
    )


def call_backs_nobody_was_given(at: datetime | Combinable) -> QuerySet[ActionItem]:
    """Calls at a chosen time that were due at that time and that nobody was given, the longest due first."""
    waiting = ActionItem.objects.filter(kind=ActionItem.Kind.CALL_BACK, done_at__isnull=True, put_in_line_at__isnull=True)
    return waiting.filter(due_at__lte=at).order_by("due_at", "pk")


def owned_without_work(numbers: Iterable[int] | None = None) -> list[Conversation]:
    """Open conversations, of all or of those with these ids, that a person has without any live work for it. Two statements."""
    owned = Conversation.objects.filter(owner_kind=Conversation.Owner.HUMAN, status=Conversation.Status.OPEN, joined_into__isnull=True)
    found = list(owned if numbers is None else owned.filter(pk__in=numbers))
    subjects = [each.public_id.hex for each in found]
    live = set(WorkItem.objects.filter(subject__in=subjects, state__in=WorkItem.LIVE_STATES).values_list("subject", flat=True))
    return [each for each in found if each.public_id.hex not in live]


def unkept_call_backs(kind: str) -> list[Conversation]:
    """Open conversations whose work a step has made this kind, a call back, but the customer was not told or no number is noted."""
    waiting = WorkItem.objects.filter(kind=kind, kind_stays=False, state__in=WAITING).values_list("subject", "pk")
    works = {UUID(subject): number for subject, number in waiting if HEX_UUID.fullmatch(subject)}
    open_ones = Conversation.objects.filter(public_id__in=works, status=Conversation.Status.OPEN, owner_kind=Conversation.Owner.ASSISTANT)
    noted = Entry.objects.filter(conversation__in=open_ones, kind="callback.requested").values_list("conversation", flat=True)
    told = Entry.objects.filter(source_id__in=[f"overflow:{number}" for number in works.values()]).values_list("source_id", flat=True)
    done, said = set(noted), set(told)
    return [each for each in open_ones if each.pk not in done or f"overflow:{works[each.public_id]}" not in said]
