"""What people of the company say and note."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from conversations.models import Conversation, Interaction
from conversations.services import delivery, ownership, timeline
from conversations.services.timeline import Appended, NewEntry
from routing.models import AgentProfile


class NotYours(Exception):
    """The conversation is not the agent's; the message says whose it is, in a sentence for them."""


def say_as_agent(
    conversation: Conversation, agent: AgentProfile, text: str, *, client_id: str, interaction: Interaction | None = None
) -> Appended:
    """Says something to the customer: spoken into a live call when there is one, shown in the web chat otherwise.

    `client_id` makes a resend harmless. Raises NotYours. Locks the conversation's row.
    """
    with transaction.atomic():
        row = require_owner(conversation, agent)
        line = interaction or line_to_customer(row)
        appended = timeline.append(
            row.pk,
            NewEntry(
                kind="message",
                actor_kind="agent",
                actor_name=agent.display_name,
                body=text,
                data={"client_id": client_id},
                interaction=line,
                source_id=f"agent:{agent.pk}:{client_id}",
            ),
        )
        transaction.on_commit(lambda: delivery.deliver(row.pk))
    return appended


def add_note(conversation: Conversation, agent: AgentProfile, text: str, *, client_id: str) -> Appended:
    """Adds a note that only staff see. Any agent may; `client_id` makes a resend harmless."""
    return timeline.append(
        conversation.pk,
        NewEntry(
            kind="note",
            actor_kind="agent",
            actor_name=agent.display_name,
            body=text,
            audience="staff",
            data={"client_id": client_id},
            source_id=f"agent:{agent.pk}:{client_id}",
        ),
    )


def connect_call(conversation: Conversation, agent: AgentProfile) -> None:
    """Puts the agent's phone on the conversation's live call.

    Raises NotYours, and delivery.CannotConnect when there is no live call or the agent has no phone.
    """
    with transaction.atomic():
        row = require_owner(conversation, agent)
    call = row.interactions.filter(channel="voice").exclude(state=Interaction.State.ENDED).order_by("-pk").first()
    if call is None:
        raise delivery.CannotConnect(_("There is no live call in this conversation."))
    if not agent.phone_number:
        raise delivery.CannotConnect(_("Your profile has no phone number yet. A manager can add it in the admin."))
    delivery.connect(call, agent)


def require_owner(conversation: Conversation, agent: AgentProfile) -> Conversation:
    """The conversation's row, locked with its work, when it is open and the agent's. Raises NotYours. Needs a transaction."""
    row = ownership.lock_with_work(conversation)
    if row.status == Conversation.Status.CLOSED:
        raise NotYours(_("This conversation is closed."))
    if row.owner_agent_id != agent.pk:
        owner = row.owner_agent.display_name if row.owner_agent else _("the AI agent")
        raise NotYours(_("This conversation is with %(owner)s. Take it over to answer.") % {"owner": owner})
    return row


def line_to_customer(conversation: Conversation) -> Interaction | None:
    """Where a message to the customer goes: the live call first, then the latest chat session."""
    interactions = conversation.interactions.order_by("-pk")
    live_call = interactions.filter(channel="voice").exclude(state=Interaction.State.ENDED).first()
    return live_call or interactions.filter(channel="chat").first() or interactions.first()
