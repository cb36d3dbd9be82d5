"""How long work will probably wait, by the pace at which its queue was served lately."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from routing.models import ServiceHours, WorkItem
from routing.selectors.line import position
from routing.services.hours import next_opening

PACE_IS_OF: Final = timedelta(minutes=30)
"""The time that tells how quickly a queue moves."""
SHORTEST_PACE: Final = timedelta(minutes=5)
"""Those who begin their day take as many pieces at once as they are people, which tells nothing of how quickly they are done."""
FEWEST_THAT_TELL_THE_PACE: Final = 3
"""One piece in half an hour would have everybody told that they wait for half an hour."""


def estimated_wait(work: WorkItem, now: datetime) -> timedelta | None:
    """How much longer the work will probably wait: its position by the pace at which its queue was served lately.

    The pace is that at which its work was taken in the last half hour, or since the queue opened when that is less. None when too
    little was taken to tell it, or while the queue is paused. Two statements, and another one when the queue has hours.
    """
    if work.queue.paused_at is not None:
        return None
    taken = WorkItem.objects.filter(queue=work.queue_id, answered_at__gt=now - PACE_IS_OF).count()
    if taken < FEWEST_THAT_TELL_THE_PACE:
        return None
    return _open_of_late(work.queue.hours, now) / taken * position(work)


def _open_of_late(hours: ServiceHours | None, now: datetime) -> timedelta:
    """For how long the hours have been open in the time that tells the pace; all of it for those that are closed now."""
    opened = next_opening(hours, now - PACE_IS_OF)
    return max(now - opened, SHORTEST_PACE) if opened is not None and opened <= now else PACE_IS_OF
