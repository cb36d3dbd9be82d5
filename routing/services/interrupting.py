"""Work laid aside for other work, such as chats while their agent is on a call, where a routing profile allows it.

What is laid aside stays with its agent, who gets no other work until it is taken up again: when the work that interrupts ends, in
whatever way. So all that the agent has always fits their capacity then. Everything here happens under the agent's row lock; see
docs/decisions/interruptions.md.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import F, Value
from django.db.models.functions import Greatest

from routing import clock
from routing.models import AgentProfile, Interruption, Reservation
from routing.services import load
from routing.services.announce import announce_work_item


def make_room(weights: Mapping[int, int]) -> None:
    """Frees the capacity of agents of what they are about to lay aside: the agent's id -> how much it weighs.

    The caller holds the agents' rows, offers the other work in the same transaction, and then calls `lay_aside`.
    """
    if weights:
        load.lay_aside_all(weights)


def lay_aside(pieces: Mapping[int, Reservation]) -> None:
    """Notes what is laid aside: reservation's id -> the offer that it is laid aside for. The caller holds the agents' rows."""
    if not pieces:
        return
    now = clock.now()
    Interruption.objects.bulk_create(
        Interruption(agent_id=offer.agent_id, laid_aside_id=reservation_id, by=offer, began_at=now)
        for reservation_id, offer in pieces.items()
    )
    for reservation in Reservation.objects.filter(pk__in=pieces).select_related("work_item"):
        announce_work_item(reservation.work_item)


def give_capacity_back(reservation: Reservation, agent: AgentProfile) -> None:
    """A reservation has ended: its agent has its capacity again, and takes up what was laid aside for it.

    `agent` is the row that the caller has locked. It alone says that nothing is laid aside, so nobody looks for it then.
    """
    if not agent.laid_aside:
        load.give_back(agent.pk, reservation.weight)
        return
    # The clock may have been set back since it began.
    ended_at = Greatest(F("began_at"), Value(reservation.ended_at))
    if Interruption.objects.filter(laid_aside=reservation, ended_at=None).update(ended_at=ended_at):
        load.forget_laid_aside(agent.pk, reservation.weight)
    else:
        load.give_back(agent.pk, reservation.weight)
    coming_back = list(Interruption.objects.filter(by=reservation, ended_at=None).select_related("laid_aside__work_item"))
    if coming_back:
        Interruption.objects.filter(pk__in=[each.pk for each in coming_back]).update(ended_at=ended_at)
        load.take_up_again(agent.pk, sum(each.laid_aside.weight for each in coming_back))
    for each in coming_back:
        announce_work_item(each.laid_aside.work_item)
