"""What supervisors do to the line: hold a queue, raise or lower work, give it to somebody. Each call is one transaction."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from routing import clock
from routing.models import AgentProfile, Queue, Reservation, WorkItem
from routing.services.announce import announce_queue, announce_reservation, announce_work_item
from routing.services.dispatch import dispatch_after_commit
from routing.services.load import take
from routing.services.locks import lock_live_reservation, lock_live_work, lock_subject
from routing.services.queueing import WorkEnded
from routing.services.reservations import end_reservation, lock_with_room


def pause_queue(queue: Queue, *, by: str, why: str = "") -> bool:
    """Nothing of the queue is offered from the next pass on; what is offered or taken stays. Locks the queue's row.

    Pausing twice keeps the first time. `by` names who did it. Says whether this call did it.
    """
    with transaction.atomic():
        row = Queue.objects.select_for_update().get(pk=queue.pk)
        if row.paused_at is not None:
            return False
        row.paused_at, row.paused_by, row.paused_why = clock.now(), by[:150], why[:200]
        row.save(update_fields=["paused_at", "paused_by", "paused_why"])
        announce_queue(row)
    return True


def resume_queue(queue: Queue) -> bool:
    """The queue's work is offered again; a dispatch pass follows on commit. Locks the queue's row.

    Says whether it was paused until now.
    """
    with transaction.atomic():
        row = Queue.objects.select_for_update().get(pk=queue.pk)
        was_paused = row.paused_at is not None
        row.paused_at, row.paused_by, row.paused_why = None, "", ""
        row.save(update_fields=["paused_at", "paused_by", "paused_why"])
        announce_queue(row)
        dispatch_after_commit(row.group)
    return was_paused


def change_class(work_item: WorkItem, priority_class: int) -> WorkItem:
    """Puts work that nobody has taken into another priority class, 1 to 9; a dispatch pass follows on commit.

    Takes the subject's lock and the work item. Raises WorkEnded when somebody has it or it has ended, ValueError for no class.
    """
    if not 1 <= priority_class <= 9:
        raise ValueError("A priority class is a number from 1 to 9.")
    with transaction.atomic():
        lock_subject(work_item.subject)
        live = lock_live_work(work_item.subject)
        if live is None or live.pk != work_item.pk or live.state not in (WorkItem.State.QUEUED, WorkItem.State.RESERVED):
            raise WorkEnded(_("Somebody has taken this work meanwhile, or it has ended."))
        live.priority_class = priority_class
        live.save(update_fields=["priority_class"])
        announce_work_item(live)
        dispatch_after_commit(live.queue.group)
    return live


def offer_to(work_item: WorkItem, agent: AgentProfile, *, by: str) -> Reservation:
    """Offers live work to one agent, whatever their skills and queues; an offer to somebody else is taken back, and so is work
    that somebody has.

    Takes the subject's lock, the work item, its reservation and the agents' rows. Raises WorkEnded when it has ended, and
    NoCapacity when the agent has no room for it or does not do this kind of work.
    """
    with transaction.atomic():
        lock_subject(work_item.subject)
        live = lock_live_work(work_item.subject)
        if live is None or live.pk != work_item.pk:
            raise WorkEnded(_("This work has ended meanwhile."))
        before = lock_live_reservation(live)
        if before is not None and before.agent_id == agent.pk:
            return before
        locked, weight = lock_with_room(agent, live.kind, before)
        if before is not None:
            offered = before.state == Reservation.State.PENDING
            end_reservation(before, Reservation.State.RESCINDED if offered else Reservation.State.COMPLETED)
        for state in (WorkItem.State.QUEUED, WorkItem.State.RESERVED):
            if live.state != state:
                live.state = state
                live.save(update_fields=["state"])
        reservation = _offer(live, locked, weight, by)
        announce_work_item(live)
    return reservation


def _offer(work_item: WorkItem, agent: AgentProfile, weight: int, by: str) -> Reservation:
    now = clock.now()
    reservation = Reservation.objects.create(
        work_item=work_item,
        agent=agent,
        weight=weight,
        reason=_("%(supervisor)s gave it to them.") % {"supervisor": by},
        offered_at=now,
        expires_at=now + timedelta(seconds=settings.RESERVATION_TIMEOUT_SECONDS),
    )
    take(agent.pk, weight)
    announce_reservation(reservation)
    return reservation
