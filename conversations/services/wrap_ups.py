"""What interactions that ended owe: claimed by one worker at a time, and settled in the transaction that writes it."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from conversations.models import CallRecording, Conversation, Entry, Interaction

WORDS_COME_WITHIN = timedelta(minutes=5)
"""How long after a call its wrap-up waits for what people said to be written down."""


def claim(*, limit: int, lease: timedelta) -> list[int]:
    """The interactions whose wrap-up is due, put off by the lease so that nobody else writes it meanwhile; the longest owed first."""
    due = Interaction.objects.filter(wrap_up_due_at__lte=Now()).exclude(_waits_for_words()).order_by("wrap_up_due_at", "pk")[:limit]
    return [
        number
        for number in due.values_list("pk", flat=True)
        if Interaction.objects.filter(pk=number, wrap_up_due_at__lte=Now()).update(wrap_up_due_at=Now() + lease)
    ]


def _waits_for_words() -> Q:
    """For a query: calls of which what people said, or a message that was left, is still on its way; not waited for any longer than
    that takes."""
    written = CallRecording.objects.filter(interaction=OuterRef("pk"), transcript__in=["written", "failed"])
    # Not by path: where there is none it is neither true nor false, and whatever is excluded by it is never claimed.
    is_coming = Q(data__contains={"recording": {"is_written_down": True}}) & ~Exists(written)
    on_its_way = Exists(CallRecording.objects.filter(interaction=OuterRef("pk"), transcript="waiting"))
    return Q(is_coming | on_its_way | _message_is_coming(), ended_at__gt=Now() - WORDS_COME_WITHIN)


def _message_is_coming() -> Q:
    """For a query: calls on which a message was asked for that the platform has not told of, or that is not in the history yet."""
    entries = Entry.objects.filter(interaction=OuterRef("pk"))
    messages = CallRecording.objects.filter(interaction=OuterRef("pk"), kind=CallRecording.Kind.VOICEMAIL)
    left = messages.exclude(state=CallRecording.State.DELETED)
    is_untold = Exists(entries.filter(kind="voicemail.asked")) & ~Exists(messages)
    is_unfiled = Exists(left) & ~Exists(entries.filter(kind="voicemail"))
    is_unwritten = Q(entry_point__transcribes_recordings=True) & Exists(left.filter(transcript=CallRecording.Transcript.NONE))
    return Q(is_untold | is_unfiled | is_unwritten)


def settle(number: int) -> Conversation | None:
    """The conversation of an interaction that owes nothing from now on, locked; None when it owed nothing.

    Must run in a transaction. Locks the conversation's row and then the interaction's.
    """
    held = Interaction.objects.values("conversation").filter(pk=number)
    rows = Conversation.objects.select_for_update(no_key=True, of=("self",)).select_related("disposition")
    row = rows.get(pk__in=held)
    owed = Interaction.objects.filter(pk=number, wrap_up_due_at__isnull=False)
    return row if owed.update(wrap_up_due_at=None) else None
