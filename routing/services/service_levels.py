"""By when work should be answered."""

from __future__ import annotations

from datetime import datetime, timedelta

from routing.models import Decision, Queue, ServiceLevel, WorkItem


def service_level_of(decision: Decision | None, queue: Queue) -> ServiceLevel:
    """The decision's own service level, or the queue's."""
    return (decision.service_level if decision else None) or queue.service_level


def deadline(enqueued_at: datetime, level: ServiceLevel) -> datetime:
    """When work that came in at `enqueued_at` should be answered at the latest."""
    return enqueued_at + timedelta(seconds=level.answer_within_seconds)


def waits_at_most_until(enqueued_at: datetime, level: ServiceLevel) -> datetime:
    """From this moment on the work goes before everything of its class."""
    return enqueued_at + timedelta(seconds=level.max_wait_seconds)


def met(work_item: WorkItem, answered_at: datetime) -> bool:
    """Whether work was answered within its service level."""
    return answered_at <= work_item.deadline
