"""The sweeps. Each only repeats what an event should have done, so running one twice, or late, does no harm.
How often they run stands in the settings (CELERY_BEAT_SCHEDULE).
"""

from __future__ import annotations

from celery import shared_task

from routing.services.dispatch import dispatch_all
from routing.services.presence import leave_the_silent
from routing.services.reservations import end_wrap_ups as end_due_wrap_ups
from routing.services.reservations import expire_due


@shared_task
def dispatch_waiting_work() -> int:
    """Offers what waits, in every queue group."""
    return dispatch_all()


@shared_task
def expire_offers() -> int:
    """Puts work whose offer ran out back into its line."""
    return expire_due()


@shared_task
def end_wrap_ups() -> int:
    """Ends writing-up that took longer than it may."""
    return len(end_due_wrap_ups())


@shared_task
def notice_silent_agents() -> int:
    """Makes agents away whose screen has gone."""
    return leave_the_silent()
