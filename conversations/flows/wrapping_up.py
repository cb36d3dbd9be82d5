"""After the talking comes the writing-up: the person's work follows the lines to the customer."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from conversations.models import Conversation, Interaction
from conversations.services import threads
from routing.services import reservations


def end(interaction: Interaction, *, reason: str, at: datetime | None = None) -> bool:
    """Ends an interaction once; says whether this call did it. The wrap-up may follow, see `begin_when_over`."""
    ended = threads.end_interaction(interaction, reason=reason, at=at)
    if ended:
        begin_when_over(interaction)
    return ended


def begin_when_over(ended: Interaction) -> None:
    """Begins the wrap-up of the person who has the conversation, when this was its last open line.

    A transaction of its own: work is locked before its conversation, so call it after the one that ended the line.
    """
    conversation = Conversation.objects.get(interactions=ended.pk)
    if not conversation.interactions.exclude(state=Interaction.State.ENDED).exists():
        reservations.wrap_up(conversation.public_id.hex)


def talk_again_after_commit(conversation: Conversation) -> None:
    """The customer is back: a person who has the conversation is talking again, once the transaction is committed."""
    if conversation.owner_kind == Conversation.Owner.HUMAN:
        transaction.on_commit(lambda: reservations.talk_again(conversation.public_id.hex), robust=True)
