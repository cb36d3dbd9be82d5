"""By when work should be answered."""

from __future__ import annotations

from datetime import datetime, timedelta

from routing.models import Decision, Queue, ServiceHours, ServiceLevel
from routing.services.hours import after_open_time


def service_level_of(decision: Decision | None, queue: Queue) -> ServiceLevel:
    """The decision's own service level, or the queue's."""
    return (decision.service_level if decision else None) or queue.service_level


def deadline(enqueued_at: datetime, level: ServiceLevel, hours: ServiceHours | None) -> datetime:
    """When work that came in at `enqueued_at` should be answered at the latest.

    Only the time in which the queue's `hours` are open counts, so what comes in at night is due in the morning. One query
    when there are hours.
    """
    return after_open_time(hours, enqueued_at, timedelta(seconds=level.answer_within_seconds))
