"""By when work should be answered."""

from __future__ import annotations

from datetime import datetime, timedelta

from routing.models import Decision, Queue, ServiceHours, ServiceLevel, WorkItem
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


def call_back_by(work: WorkItem, now: datetime) -> datetime:
    """By when somebody who has waited can be promised a call: the longest that their service level has work wait, from `now` on.

    The time in which it should have been answered is over, or too short to be promised a second time. It counts as `deadline` does.
    """
    return after_open_time(work.queue.hours, now, timedelta(seconds=service_level_of(work.decision, work.queue).max_wait_seconds))
