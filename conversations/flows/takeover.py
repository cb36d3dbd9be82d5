"""A person takes a conversation, passes it on, or ends it: each one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from conversations.flows import supervising
from conversations.flows.outbound import NotYours, line_to_customer, live_call, require_owner
from conversations.models import CallSeat, Conversation, Interaction
from conversations.services import announce, call_seats, call_state, delivery, handoff, ownership, threads, timeline, turns
from conversations.services.timeline import NewEntry
from routing.models import AgentProfile, DispositionCode, Queue, Reservation, WorkItem
from routing.services import queueing, reservations
from routing.services import supervising as steering


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


def call_offered(reservation_id: int, agent: AgentProfile) -> Interaction:
    """The live call behind an offer, by which the agent may be rung. Raises delivery.CannotConnect, and reservations.ReservationGone."""
    offer = Reservation.objects.filter(pk=reservation_id, agent=agent).select_related("work_item").first()
    conversation = Conversation.objects.filter(public_id=offer.work_item.subject).first() if offer else None
    if conversation is None:
        raise reservations.ReservationGone(_("This offer is not yours."))
    call = live_call(conversation)
    if call is None or call_state.waits_for_code(call):
        raise delivery.CannotConnect(_("There is no live call in this conversation."))
    return call


def hand_over(call: Interaction, agent: AgentProfile, to: CallSeat) -> list[CallSeat]:
    """Who was asked in private or joined has the caller from now on: a colleague gets conversation and work with them, in one transaction.

    A number outside gets the caller alone. Returns who has left the call by this. Locks the work's subject, the conversation's row,
    the work, its reservation and the agents, and then the call. Raises NotYours, reservations.NoCapacity, call_seats.SeatRefused.
    """
    with transaction.atomic():
        row = require_owner(Conversation.objects.get(interactions=call.pk), agent)
        if to.agent is not None:
            live = WorkItem.objects.filter(subject=row.public_id.hex, state__in=WorkItem.LIVE_STATES).first()
            if live is None:
                reservations.assign(subject=row.public_id.hex, kind=handoff.kind_of_work(row), agent=to.agent)
            else:
                reservations.accept(steering.offer_to(live, to.agent, by=agent.display_name).pk, to.agent)
            ownership.give_to_human(row, to.agent)
        left = call_seats.give_the_caller(call, to)
        timeline.append(
            row.pk,
            NewEntry(
                kind="call.handed_over",
                actor_kind="agent",
                actor_name=agent.display_name,
                audience="staff",
                body=_("%(before)s handed the call over to %(name)s.") % {"before": agent.display_name, "name": to.name},
                interaction=call,
            ),
        )
        announce.work_changed(row)
    return left


def park(call: Interaction, agent: AgentProfile, *, words: str) -> list[CallSeat]:
    """The caller waits with music, hearing `words` first, and the work goes back to the line with its place; everybody leaves the call.

    Returns who does. Locks as `hand_over`. Raises NotYours.
    """
    with transaction.atomic():
        row = require_owner(Conversation.objects.get(interactions=call.pk), agent)
        call_state.move(call.pk, call_state.PARKED, words=words)
        left = call_seats.end_all(call)
        timeline.append(
            row.pk,
            NewEntry(
                kind="call.parked",
                actor_kind="agent",
                actor_name=agent.display_name,
                audience="staff",
                body=_("%(name)s parked the call. The caller hears music and keeps their place.") % {"name": agent.display_name},
                interaction=call,
            ),
        )
        queueing.requeue(_work_of(row, agent))
        ownership.let_go(row)
    return left


def give_back(call: Interaction, agent: AgentProfile) -> list[CallSeat]:
    """The AI agent has the conversation again, the agent's work with it is done, and everybody leaves its call; returns who does.

    Locks as `hand_over`. Raises NotYours.
    """
    with transaction.atomic():
        row = require_owner(Conversation.objects.get(interactions=call.pk), agent)
        reservations.complete(row.public_id.hex)
        left = call_seats.end_all(call)
        ownership.let_go(row)
    return left


def transfer_to_agent(conversation: Conversation, agent: AgentProfile, colleague: AgentProfile, note: str) -> None:
    """Passes a conversation on to a colleague, to whom it is offered; the agent's phone is taken off the call after commit.

    Locks the work's subject, then the conversation's row, the work, its reservation and the agents. Raises NotYours, and
    supervising.CannotSteer with a sentence when they are not there or have no room.
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
                body=note or _("To %(name)s.") % {"name": colleague.display_name},
                data={"agent": colleague.pk},
            ),
        )
        supervising.give(_work_of(row, agent), colleague, by=agent.user, seen_with=agent.pk)
        if Conversation.objects.values_list("owner_agent", flat=True).get(pk=row.pk) == agent.pk:
            ownership.let_go(row)


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
        queueing.requeue(_work_of(row, agent), queue=queue)
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
        threads.close(row, actor_kind="agent", actor_name=agent.display_name, disposition=disposition, note=note, suggested=suggested)
        transaction.on_commit(lambda: delivery.deliver(row.pk))


def _work_of(conversation: Conversation, agent: AgentProfile) -> WorkItem:
    """The live work with a conversation that a person has; begun now when they have it without any."""
    live = WorkItem.objects.filter(subject=conversation.public_id.hex, state__in=WorkItem.LIVE_STATES).first()
    if live is None:
        live = reservations.assign(subject=conversation.public_id.hex, kind=handoff.kind_of_work(conversation), agent=agent).work_item
    return live


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
