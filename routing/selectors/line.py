"""The waiting line, in the one order in which its work is offered."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import BooleanField, DateTimeField, DurationField, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from routing.models import WorkItem


def in_order(work: QuerySet[WorkItem], now: datetime) -> QuerySet[WorkItem]:
    """Sorts work as it is offered: class, then what waited too long at `now`, then deadline, then number.

    How long is too long stands in the service level of the decision, or else of the queue.
    """
    longest_wait = ExpressionWrapper(
        Value(timedelta(seconds=1))
        * Coalesce("decision__service_level__max_wait_seconds", "queue__service_level__max_wait_seconds"),
        output_field=DurationField(),
    )
    too_long_at = ExpressionWrapper(F("enqueued_at") + longest_wait, output_field=DateTimeField())
    return (
        work.alias(too_long_at=too_long_at)
        .alias(in_good_time=ExpressionWrapper(Q(too_long_at__gt=now), output_field=BooleanField()))
        .order_by("priority_class", "in_good_time", "deadline", "pk")
    )
