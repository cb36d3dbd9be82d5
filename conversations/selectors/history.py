"""Reading history: one conversation by seq, one customer across all of theirs."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from conversations.models import Conversation, Customer, Entry, Interaction, InteractionLink
from routing.compiled import CompiledOnce, Given

JUST_NOW = timedelta(minutes=1)
JOINED: Final = CompiledOnce(
    lambda: Conversation.objects.filter(joined_into__pk__any_of=Given("into")).exclude(pk__any_of=Given("found")).only("public_id")
)


def entries(conversation_id: int, *, after: int = 0, before: int | None = None, limit: int = 200) -> list[Entry]:
    """Entries of one conversation in order of seq: those after `after`, or the last ones before `before`."""
    rows = Entry.objects.filter(conversation_id=conversation_id, seq__gt=after).select_related("interaction")
    if before is not None:
        return list(reversed(rows.filter(seq__lt=before).order_by("-seq")[:limit]))
    return list(rows.order_by("seq")[:limit])


def latest(conversation_id: int, *, limit: int = 200) -> list[Entry]:
    """The newest entries of one conversation, oldest of them first."""
    rows = Entry.objects.filter(conversation_id=conversation_id).select_related("interaction")
    return list(reversed(rows.order_by("-seq")[:limit]))


def going_on_in(conversation_id: int) -> list[Conversation]:
    """Conversations that go on in this one, also through others; their entries are part of its story. Only their ids are read."""
    found: dict[int, Conversation] = {}
    layer = {conversation_id}
    while layer:
        new = {row.pk: row for row in JOINED.all(into=layer, found=set(found))}
        found |= new
        layer = set(new)
    return list(found.values())


def went_on_in(conversation_id: int) -> list[int]:
    """Where lines of this conversation went on within the last minute: what it was joined into, or a line was moved to."""
    joined = Conversation.objects.get(pk=conversation_id).joined_into_id
    moved = InteractionLink.objects.filter(origin=conversation_id, made_at__gt=Now() - JUST_NOW).values_list("into", flat=True)
    return list(dict.fromkeys([*([joined] if joined else []), *moved]))


def of_customer(customer: Customer) -> QuerySet[Entry]:
    """Every entry of every conversation and line of a customer, across channels, in the order of recording.

    With what was said on a call before it went on in one of them, whichever record its number was filed under, and with what their
    lines said in another record's conversation while the two were joined; without what that record's lines said in theirs. Two
    statements before the one that is returned, which has numbers of rows alone and so is served by indexes.
    """
    places = set(Conversation.objects.filter(Q(customer=customer) | Q(joined_into__customer=customer)).values_list("pk", flat=True))
    lines = dict(
        Interaction.objects.filter(Q(conversation__in=places) | Q(original_conversation__in=places)).values_list("pk", "conversation")
    )
    of_theirs = Q(conversation__in=places) & (Q(interaction__isnull=True) | Q(interaction__in=lines))
    elsewhere = Q(interaction__in=[line for line, place in lines.items() if place in places])
    return (
        Entry.objects.filter(of_theirs | elsewhere)
        .select_related("interaction__entry_point", "conversation")
        .order_by("recorded_at", "conversation_id", "seq")
    )
