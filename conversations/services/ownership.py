"""Who answers: the AI agent or one named person. Every change raises the fence."""

from django.db import transaction
from django.db.models import F

from conversations.models import Conversation
from conversations.selectors import history
from conversations.services import announce, delivery, timeline
from conversations.services.timeline import NewEntry
from routing.models import AgentProfile
from routing.services.locks import lock_subject


def lock_with_work(conversation: Conversation) -> Conversation:
    """The conversation's row, locked after its work and that of what goes on in it: the order for everybody who changes both.

    Needs a transaction.
    """
    for subject in sorted({conversation.public_id.hex, *(each.public_id.hex for each in history.going_on_in(conversation.pk))}):
        lock_subject(subject)
    rows = Conversation.objects.select_for_update(no_key=True, of=("self",)).select_related("owner_agent")
    return rows.get(pk=conversation.pk)


def give_to_human(conversation: Conversation, agent: AgentProfile) -> int:
    """Makes a person the owner; whatever the AI agent was writing is refused from now on.

    Returns the new fence. Must run in a transaction; locks the conversation's row.
    """
    return _change(conversation, Conversation.Owner.HUMAN, agent)


def give_to_assistant(conversation: Conversation) -> int:
    """Makes the AI agent the owner again. Returns the new fence. Must run in a transaction."""
    return _change(conversation, Conversation.Owner.ASSISTANT, None)


def let_go(conversation: Conversation) -> None:
    """The person who has it has it no longer: the AI agent answers, and after commit their phone is taken off the call.

    Must run in a transaction; locks the conversation's row.
    """
    number, agent_id = conversation.pk, conversation.owner_agent_id
    give_to_assistant(conversation)
    if agent_id is not None:
        transaction.on_commit(lambda: delivery.release(number, agent_id), robust=True)


def _change(conversation: Conversation, owner_kind: str, agent: AgentProfile | None) -> int:
    Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
    Conversation.objects.filter(pk=conversation.pk).update(
        owner_kind=owner_kind,
        owner_agent=agent,
        fence=F("fence") + 1,
        turn_done_seq=F("turn_wanted_seq"),
        turn_lease_until=None,
        turn_worker="",
        turn_attempts=0,
    )
    conversation.refresh_from_db()
    timeline.append(
        conversation.pk,
        NewEntry(
            kind="owner.changed",
            actor_kind="system",
            audience="staff",
            body=agent.display_name if agent else "",
            data={
                "owner_kind": owner_kind,
                "agent": agent.pk if agent else None,
                "fence": conversation.fence,
            },
        ),
    )
    announce.work_changed(conversation)
    return conversation.fence
