"""The waiting line: work comes in, goes back, or ends before anybody took it. Each call is one transaction."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from routing import clock
from routing.models import AgentProfile, Decision, Queue, Reservation, RoutingProfileWork, WorkItem
from routing.services.ageing import enter_queue
from routing.services.announce import announce_work_item
from routing.services.dispatch import dispatch_after_commit
from routing.services.locks import lock_live_reservation, lock_live_work, lock_subject
from routing.services.reservations import end_reservation
from routing.services.service_levels import deadline, service_level_of


class DecisionWithoutQueue(ValueError):
    """A decision that names no queue cannot put work into a line."""


class WorkEnded(LookupError):
    """The work item has ended and cannot go back to a line."""


def enqueue(
    *, subject: str, kind: str, decision: Decision, preferred_agent: AgentProfile | None = None, since: datetime | None = None
) -> WorkItem:
    """Puts work into the line of the decision's queue; a dispatch pass follows on commit.

    New work waits from now on, or counts as waiting `since` an earlier time.

    A subject has one live item. A second call for a waiting or offered one may raise its class, move it to the new
    decision's queue and make it a heavier kind of work, but never moves it back in line. An offer of what now belongs
    to another queue, needs other skills or is another kind of work is taken back, so that the right people get it at
    once. An item that somebody has taken is returned as it is.

    Takes the subject's lock, its work item, and when an offer is taken back the agent's row. Raises DecisionWithoutQueue.
    """
    if decision.queue is None:
        raise DecisionWithoutQueue(_("The decision names no queue, so nothing can wait in it."))
    with transaction.atomic():
        lock_subject(subject)
        live = lock_live_work(subject)
        if live is None:
            work_item = _new_work(subject, kind, decision, decision.queue, preferred_agent, since)
        elif live.state in (WorkItem.State.QUEUED, WorkItem.State.RESERVED):
            work_item = _raise(live, kind, decision, decision.queue, preferred_agent)
        else:
            return live
        announce_work_item(work_item)
        dispatch_after_commit(work_item.queue.group)
    return work_item


def requeue(work_item: WorkItem, *, queue: Queue | None = None) -> WorkItem:
    """Puts live work back into its line, or into another queue's, with its first time and place.

    Whoever had it gets their capacity back and is not offered it again at once; a dispatch pass follows on commit.
    Takes the lock of the item's subject, the item, its reservation and the row of the agent who had it.
    Raises WorkEnded when the item has ended meanwhile.
    """
    with transaction.atomic():
        lock_subject(work_item.subject)
        live = lock_live_work(work_item.subject)
        if live is None or live.pk != work_item.pk:
            raise WorkEnded(_("This work has ended meanwhile."))
        now = clock.now()
        reservation = lock_live_reservation(live)
        if reservation is not None:
            offered = reservation.state == Reservation.State.PENDING
            end_reservation(reservation, Reservation.State.RESCINDED if offered else Reservation.State.COMPLETED)
            live.given_back_at = reservation.ended_at
            if live.preferred_agent_id == reservation.agent_id:
                live.preferred_agent = None
        live.state = WorkItem.State.QUEUED
        if queue is not None and queue != live.queue:
            enter_queue(live, queue, now)
        live.save()
        announce_work_item(live)
        dispatch_after_commit(live.queue.group)
    return live


def keep_kind(subject: str, kind: str) -> bool:
    """Waiting or offered work is of this kind from now on, and no step of its queue changes that; its place stays.

    An offer of it as another kind is taken back, and a dispatch pass follows on commit. Says whether there was such work. Takes
    the subject's lock, the item, its reservation and the row of the agent it was offered to. Raises nothing of its own.
    """
    return _change_kind(subject, kind, stays=True)


def turn_into(subject: str, kind: str, *, instead_of: str) -> bool:
    """The same for work of the kind `instead_of` alone, and steps of its queue may change it again."""
    return _change_kind(subject, kind, stays=False, instead_of=instead_of)


def _change_kind(subject: str, kind: str, *, stays: bool, instead_of: str = "") -> bool:
    with transaction.atomic():
        lock_subject(subject)
        live = lock_live_work(subject)
        if live is None or live.state not in (WorkItem.State.QUEUED, WorkItem.State.RESERVED) or instead_of not in ("", live.kind):
            return False
        before, live.kind, live.kind_stays = live.kind, kind, live.kind_stays or stays
        if live.kind != before:
            _take_offer_back(live)
        live.save(update_fields=["kind", "kind_stays", "state"])
        announce_work_item(live)
        dispatch_after_commit(live.queue.group)
    return True


def cancel(subject: str) -> None:
    """Ends work that is waiting or offered; what somebody has taken stays with them. Does nothing when there is none.

    Takes the subject's lock, the item, its reservation and the row of the agent it was offered to, who gets their
    capacity back. Raises nothing of its own.
    """
    with transaction.atomic():
        lock_subject(subject)
        live = lock_live_work(subject)
        if live is None or live.state not in (WorkItem.State.QUEUED, WorkItem.State.RESERVED):
            return
        reservation = lock_live_reservation(live)
        if reservation is not None:
            end_reservation(reservation, Reservation.State.CANCELED)
        live.state = WorkItem.State.CANCELED
        live.ended_at = clock.now()
        live.save(update_fields=["state", "ended_at"])
        announce_work_item(live)


def _new_work(
    subject: str, kind: str, decision: Decision, queue: Queue, preferred_agent: AgentProfile | None, since: datetime | None
) -> WorkItem:
    now = clock.now()
    waits_since = since or now
    work = WorkItem(
        subject=subject,
        kind=kind,
        decision=decision,
        priority_class=decision.priority_class,
        preferred_agent=preferred_agent,
        created_at=now,
        enqueued_at=waits_since,
        deadline=deadline(waits_since, service_level_of(decision, queue), queue.hours),
    )
    enter_queue(work, queue, now)
    work.save(force_insert=True)
    return work


def _raise(
    live: WorkItem, kind: str, decision: Decision, queue: Queue, preferred_agent: AgentProfile | None
) -> WorkItem:
    """Raises work that nobody has taken yet, and takes an offer of it back that was made to the wrong people."""
    offered_as = (live.queue_id, live.required_skills, live.kind)
    if decision.priority_class <= live.priority_class:
        live.priority_class = decision.priority_class
        live.decision = decision
        live.deadline = min(live.deadline, deadline(live.enqueued_at, service_level_of(decision, queue), queue.hours))
        enter_queue(live, queue, clock.now())
    if kind != live.kind and _heaviest(kind) >= _heaviest(live.kind):
        live.kind = kind
    live.preferred_agent = preferred_agent or live.preferred_agent
    if (live.queue_id, live.required_skills, live.kind) != offered_as:
        _take_offer_back(live)
    live.save()
    return live


def _take_offer_back(live: WorkItem) -> None:
    """What is offered waits again; stores the offer and not the work. The caller holds the work item."""
    if live.state != WorkItem.State.RESERVED:
        return
    offer = lock_live_reservation(live)
    if offer is not None:
        end_reservation(offer, Reservation.State.RESCINDED)
    live.state = WorkItem.State.QUEUED


def _heaviest(kind: str) -> int:
    """The most that any routing profile counts for a kind of work."""
    heaviest: int | None = RoutingProfileWork.objects.filter(kind=kind).aggregate(most=Max("weight"))["most"]
    return heaviest or 0
