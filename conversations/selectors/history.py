"""Reading history: one conversation by seq, one customer across all of theirs."""

from __future__ import annotations

from django.db.models import QuerySet

from conversations.models import Conversation, Customer, Entry


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


def joined_conversations(conversation: Conversation) -> list[Conversation]:
    """Conversations that go on in this one, oldest first; their entries are part of its story."""
    return list(Conversation.objects.filter(joined_into=conversation).order_by("opened_at"))


def of_customer(customer: Customer) -> QuerySet[Entry]:
    """Every entry of every conversation of a customer, across channels, in the order of recording."""
    return (
        Entry.objects.filter(conversation__customer=customer)
        .select_related("interaction__entry_point", "conversation")
        .order_by("recorded_at", "conversation_id", "seq")
    )
