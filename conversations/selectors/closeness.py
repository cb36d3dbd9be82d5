"""How near a conversation is to a person, and which of two goes on when they are joined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from conversations.models import Conversation
from routing.models import WorkItem

WAITING = (WorkItem.State.QUEUED, WorkItem.State.RESERVED)


def live_works(conversations: Iterable[Conversation]) -> dict[str, WorkItem]:
    """The live work of conversations, by its subject; one statement."""
    subjects = [each.public_id.hex for each in conversations]
    live = WorkItem.objects.filter(subject__in=subjects, state__in=WorkItem.LIVE_STATES).select_related("decision", "preferred_agent")
    return {work.subject: work for work in live}


def closeness(conversation: Conversation, works: Mapping[str, WorkItem]) -> int:
    """0 not near at all, 1 waiting for a person, 2 with one."""
    if conversation.owner_kind == Conversation.Owner.HUMAN:
        return 2
    work = works.get(conversation.public_id.hex)
    return 0 if work is None else 1 if work.state in WAITING else 2


def joined_and_going_on(joined: Conversation, into: Conversation, works: Mapping[str, WorkItem]) -> tuple[Conversation, Conversation]:
    """The two in the order in which they are joined: last the one that goes on.

    That is the one that a person has, else the one that waits for a person, else `into`.
    """
    source, target = sorted((joined, into), key=lambda each: (closeness(each, works), each == into))
    return source, target
