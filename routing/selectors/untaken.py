"""Work that would wait for nobody: kinds that a step of its queue makes of it, and that no agent of the queue takes."""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from routing.models import Queue, RoutingProfileWork, RoutingStep


def steps_into_work_nobody_takes() -> QuerySet[RoutingStep]:
    """Steps of queues that make work a kind which nobody who may get the queue's work takes. One query.

    Who may get it are active agents whose profile serves the queue, or one that a step of the queue opens, and whose capacity the
    kind fits into.
    """
    opened = RoutingStep.objects.filter(queue=OuterRef(OuterRef("queue")), also_queue__isnull=False).values("also_queue")
    takes = RoutingProfileWork.objects.filter(
        Q(profile__queue_rows__queue=OuterRef("queue")) | Q(profile__queue_rows__queue__in=opened),
        kind=OuterRef("becomes_kind"),
        profile__agents__active=True,
        profile__agents__capacity__gte=F("weight"),
    )
    changing = RoutingStep.objects.exclude(becomes_kind="").exclude(Exists(takes))
    return changing.select_related("queue").order_by("queue__name", "after_seconds")


def is_taken(queue: Queue, kind: str) -> bool:
    """Whether an active agent who serves the queue takes this kind of work, and has room for it when free. One query."""
    takes = RoutingProfileWork.objects.filter(profile__queue_rows__queue=queue, kind=kind, profile__agents__active=True)
    return takes.filter(profile__agents__capacity__gte=F("weight")).exists()
