"""The waiting line and an agent's own work."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Avg, F, Q, QuerySet
from django.utils import timezone

from routing.models import AgentProfile, Queue, Reservation, WorkItem

LOOKED_BACK = timedelta(hours=2)
LEAST_ANSWERS = 3


def waiting(queue: Queue | None = None) -> QuerySet[WorkItem]:
    """Work that waits or is being offered, first in line first; of one queue or of all."""
    line = WorkItem.objects.filter(state__in=[WorkItem.State.QUEUED, WorkItem.State.RESERVED])
    if queue is not None:
        line = line.filter(queue=queue)
    return line.select_related("queue", "decision").order_by("priority_class", "deadline", "pk")


def live_for_agent(agent: AgentProfile) -> QuerySet[Reservation]:
    """An agent's offers and work, offers first, then by deadline."""
    return (
        Reservation.objects.filter(agent=agent, state__in=Reservation.LIVE_STATES)
        .select_related("work_item__queue", "work_item__decision")
        .order_by(F("accepted_at").asc(nulls_first=True), "work_item__deadline", "pk")
    )


def position(work_item: WorkItem) -> int | None:
    """The place in the line of its queue, from 1; None when it does not wait."""
    if work_item.state not in (WorkItem.State.QUEUED, WorkItem.State.RESERVED):
        return None
    before = (
        Q(priority_class__lt=work_item.priority_class)
        | Q(priority_class=work_item.priority_class, deadline__lt=work_item.deadline)
        | Q(priority_class=work_item.priority_class, deadline=work_item.deadline, pk__lt=work_item.pk)
    )
    return waiting(work_item.queue).filter(before).count() + 1


def estimated_wait(work_item: WorkItem) -> timedelta | None:
    """About how long until somebody takes it: the mean wait of what its queue and class answered lately.

    The mean of (taken − came in) over the last two hours, less what it has waited already, never below zero.
    None when it does not wait or fewer than three answers are known.
    """
    place = position(work_item)
    if place is None:
        return None
    now = timezone.now()
    answered = Reservation.objects.filter(
        work_item__queue=work_item.queue,
        work_item__priority_class=work_item.priority_class,
        accepted_at__gte=now - LOOKED_BACK,
    )
    if answered.count() < LEAST_ANSWERS:
        return None
    mean: timedelta = answered.aggregate(mean=Avg(F("accepted_at") - F("work_item__enqueued_at")))["mean"]
    return max(mean - (now - work_item.enqueued_at), timedelta(0))
