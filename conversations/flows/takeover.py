"""A person takes a conversation, passes it on, or ends it: each one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from conversations.flows.outbound import NotYours, line_to_customer, require_owner
from conversations.models import Conversation
from conversations.services import announce, delivery, handoff, ownership, threads, timeline, turns
from conversations.services.timeline import NewEntry
from routing.models import AgentProfile, DispositionCode, Queue, WorkItem
from routing.services import queueing, reservations


class OutcomeMissing(Exception):
    """It cannot be closed without saying how it ended; the message is a sentence for the agent."""


def needs_outcome(conversation: Conversation) -> bool:
    """Whether closing needs an outcome: the queue of the live work decides, and without work it does not."""
    live = WorkItem.objects.filter(subject=conversation.public_id.hex, state__in=WorkItem.LIVE_STATES)
    return live.filter(queue__outcome_required=True).exists()


class ToolRuns(Exception):
    """The AI agent is changing something at this instant."""


LONGEST_TOOL_SECONDS: Final = 5.0
LOOK_AGAIN_SECONDS: Final = 0.05


def accept(reservation_id: int, agent: AgentProfile) -> Conversation:
    """Accepts an offer: from this instant the person answers and the AI agent is refused. Accepting twice is accepting once.

    Waits for what the AI agent has begun to change (`_after_a_tool`). Locks the work with its offer, and then the
    conversation's row. Raises routing.services.reservations.ReservationGone with a sentence for the agent.
    """

    @transaction.atomic
    def change(*, even_during_a_tool: bool) -> Conversation:
        reservation = reservations.accept(reservation_id, agent)
        row = ownership.lock_with_work(Conversation.objects.get(public_id=reservation.work_item.subject))
        if row.owner_agent_id != agent.pk:
            _join(row, agent, even_during_a_tool=even_during_a_tool)
        return row

    return _after_a_tool(change)


def take_over(conversation: Conversation, agent: AgentProfile) -> Conversation:
    """Takes a conversation that was not offered: from the AI agent or out of the waiting line. Taking it twice is taking it once.

    Waits for what the AI agent has begun to change (`_after_a_tool`). Locks the work's subject, then the conversation's row,
    then the work with its offer and the agents. Raises NotYours when another person has it or it is closed,
    reservations.NoCapacity when the agent is full.
    """

    @transaction.atomic
    def change(*, even_during_a_tool: bool) -> Conversation:
        row = ownership.lock_with_work(conversation)
        if row.status == Conversation.Status.CLOSED:
            raise NotYours(_("This conversation is closed."))
        if row.owner_agent_id == agent.pk:
            return row
        if row.owner_agent:
            raise NotYours(_("%(owner)s has this conversation. Ask them to transfer it.") % {"owner": row.owner_agent.display_name})
        reservations.assign(subject=row.public_id.hex, kind=handoff.kind_of_work(row), agent=agent)
        _join(row, agent, even_during_a_tool=even_during_a_tool)
        return row

    return _after_a_tool(change)


def transfer(conversation: Conversation, agent: AgentProfile, queue: Queue, note: str) -> None:
    """Passes a conversation to a queue, with a note; it keeps its place in time, and the agent's phone is taken off the call after commit.

    Locks the work's subject, then the conversation's row, the work, its reservation and the agent. Raises NotYours.
    """
    with transaction.atomic():
        row = require_owner(conversation, agent)
        timeline.append(
            row.pk,
            NewEntry(
                kind="conversation.transferred",
                actor_kind="agent",
                actor_name=agent.display_name,
                audience="staff",
                body=note,
                data={"queue": queue.code},
            ),
        )
        work_item = WorkItem.objects.get(subject=row.public_id.hex, state__in=WorkItem.LIVE_STATES)
        queueing.requeue(work_item, queue=queue)
        ownership.let_go(row)


def close(
    conversation: Conversation, agent: AgentProfile, disposition: DispositionCode | None, note: str = "", *, suggested: str = ""
) -> None:
    """Ends a conversation with how it ended; the agent's capacity is free again. `suggested` is the outcome's code that they were shown.

    Raises NotYours, and OutcomeMissing when the queue it came through asks for an outcome and none is given.
    """
    with transaction.atomic():
        row = require_owner(conversation, agent)
        if disposition is None and needs_outcome(row):
            raise OutcomeMissing(_("Choose how it ended."))
        threads.close(
            row, actor_kind="agent", actor_name=agent.display_name, disposition=disposition, note=note, suggested=suggested
        )
        transaction.on_commit(lambda: delivery.deliver(row.pk))


def _after_a_tool(change: Callable[..., Conversation]) -> Conversation:
    """Has a person wait for what the AI agent has begun to change, so that nothing comes of it once they have joined.

    At most five seconds: what takes longer does not keep them out.
    """
    ends_at = time.monotonic() + LONGEST_TOOL_SECONDS
    while True:
        try:
            return change(even_during_a_tool=time.monotonic() >= ends_at)
        except ToolRuns:
            time.sleep(LOOK_AGAIN_SECONDS)


def _join(conversation: Conversation, agent: AgentProfile, *, even_during_a_tool: bool) -> None:
    if not even_during_a_tool and turns.is_changing_something(conversation):
        raise ToolRuns
    ownership.give_to_human(conversation, agent)
    handoff.note_accepted(conversation)
    timeline.append(
        conversation.pk,
        NewEntry(
            kind="handoff.accepted",
            actor_kind="agent",
            actor_name=agent.display_name,
            body=_("%(name)s joined.") % {"name": agent.display_name},
            interaction=line_to_customer(conversation),
        ),
    )
    announce.work_changed(conversation)
    transaction.on_commit(lambda: delivery.deliver(conversation.pk))
