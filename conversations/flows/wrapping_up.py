"""After the talking comes the writing-up: the person's work follows the lines to the customer."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from conversations.models import Conversation, Interaction
from conversations.services import threads
from routing.services import reservations


def end(interaction: Interaction, *, reason: str, at: datetime | None = None) -> bool:
    """Ends an interaction once; says whether this call did it.

    When it was the last open line of a conversation that a person has, their wrap-up begins, in a transaction of its own.
    """
    if not threads.end_interaction(interaction, reason=reason, at=at):
        return False
    conversation = Conversation.objects.get(interactions=interaction.pk)
    if not conversation.interactions.exclude(state=Interaction.State.ENDED).exists():
        reservations.wrap_up(conversation.public_id.hex)
    return True


def talk_again_after_commit(conversation: Conversation) -> None:
    """The customer is back: a person who has the conversation is talking again, once the transaction is committed."""
    if conversation.owner_kind == Conversation.Owner.HUMAN:
        transaction.on_commit(lambda: reservations.talk_again(conversation.public_id.hex), robust=True)
