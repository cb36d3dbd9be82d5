"""By when work should be answered."""

from __future__ import annotations

from datetime import datetime, timedelta

from routing.models import Decision, Queue, ServiceLevel


def service_level_of(decision: Decision | None, queue: Queue) -> ServiceLevel:
    """The decision's own service level, or the queue's."""
    return (decision.service_level if decision else None) or queue.service_level


def deadline(enqueued_at: datetime, level: ServiceLevel) -> datetime:
    """When work that came in at `enqueued_at` should be answered at the latest."""
    return enqueued_at + timedelta(seconds=level.answer_within_seconds)
