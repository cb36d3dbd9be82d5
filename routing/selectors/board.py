"""What happens in every queue right now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Min, Q
from django.utils import timezone

from routing.models import Presence, Queue, WorkItem


@dataclass(frozen=True, slots=True)
class QueueLine:
    """One queue now. `late` counts waiting work past its deadline; `longest_wait` is None when nothing waits."""

    queue: Queue
    waiting: int
    offered: int
    with_a_person: int
    late: int
    longest_wait: timedelta | None


@dataclass(frozen=True, slots=True)
class Board:
    """All queues, and agents by presence state."""

    queues: tuple[QueueLine, ...]
    agents: dict[str, int]


def board() -> Board:
    """The queues and the people now; two queries."""
    now = timezone.now()
    in_state = {state: Q(work_items__state=state) for state in WorkItem.State.values}
    queued = in_state[WorkItem.State.QUEUED]
    queues = Queue.objects.annotate(
        waiting_count=Count("work_items", filter=queued),
        offered_count=Count("work_items", filter=in_state[WorkItem.State.RESERVED]),
        taken_count=Count(
            "work_items", filter=in_state[WorkItem.State.ASSIGNED] | in_state[WorkItem.State.WRAPPING]
        ),
        late_count=Count("work_items", filter=queued & Q(work_items__deadline__lt=now)),
        waits_since=Min("work_items__enqueued_at", filter=queued),
    )
    lines = tuple(
        QueueLine(
            queue=queue,
            waiting=queue.waiting_count,
            offered=queue.offered_count,
            with_a_person=queue.taken_count,
            late=queue.late_count,
            longest_wait=now - queue.waits_since if queue.waits_since else None,
        )
        for queue in queues
    )
    agents = dict.fromkeys(Presence.State.values, 0)
    agents |= dict(
        Presence.objects.filter(agent__active=True).order_by().values_list("state").annotate(count=Count("pk"))
    )
    return Board(lines, agents)
