"""What interactions that ended owe: claimed by one worker at a time, and settled in the transaction that writes it."""

from __future__ import annotations

from datetime import timedelta

from django.db.models.functions import Now

from conversations.models import Conversation, Interaction


def claim(*, limit: int, lease: timedelta) -> list[int]:
    """The interactions whose wrap-up is due, put off by the lease so that nobody else writes it meanwhile; the longest owed first."""
    due = Interaction.objects.filter(wrap_up_due_at__lte=Now()).order_by("wrap_up_due_at", "pk")[:limit]
    return [
        number
        for number in due.values_list("pk", flat=True)
        if Interaction.objects.filter(pk=number, wrap_up_due_at__lte=Now()).update(wrap_up_due_at=Now() + lease)
    ]


def settle(number: int) -> Conversation | None:
    """The conversation of an interaction that owes nothing from now on, locked; None when it owed nothing.

    Must run in a transaction. Locks the conversation's row and then the interaction's.
    """
    held = Interaction.objects.values("conversation").filter(pk=number)
    rows = Conversation.objects.select_for_update(no_key=True, of=("self",)).select_related("disposition")
    row = rows.get(pk__in=held)
    owed = Interaction.objects.filter(pk=number, wrap_up_due_at__isnull=False)
    return row if owed.update(wrap_up_due_at=None) else None
