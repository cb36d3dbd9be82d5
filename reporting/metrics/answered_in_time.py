"""Answered in time, and how long it took: hand-overs that a person accepted before their deadline.

    answered in time = hand-overs accepted at or before the work item's deadline
                       / hand-overs requested in the period that were accepted, or whose deadline has passed
    time to a person = mean(accepted - requested) over the hand-overs requested in the period and accepted

The deadline is the one of the work item's service level when it was queued, counted in the time in which its queue is open
(routing.services.service_levels): what comes in at night is due in the morning. Hand-overs whose deadline is still to come do
not count yet. A hand-over cancelled before its deadline (the customer left) does not count; after it, it counts as late.
Evidence level: observed.
"""

from collections.abc import Sequence

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_lazy as _

from conversations.models import Handoff
from reporting.figure import Better, DayCount, Metric, Unit
from reporting.metrics.volumes import handoff_table, handoffs
from reporting.period import Period

IN_TIME = Q(accepted_at__lte=F("work_item__deadline"))


def due(period: Period) -> QuerySet[Handoff]:
    """Hand-overs requested in the period that were accepted or should have been."""
    overdue = Q(accepted_at__isnull=True, work_item__deadline__lt=period.ends_at) & (
        Q(work_item__ended_at__isnull=True) | Q(work_item__ended_at__gt=F("work_item__deadline"))
    )
    return handoffs(period).filter(Q(accepted_at__isnull=False) | overdue)


def late(period: Period) -> QuerySet[Handoff]:
    """Those of `due` that were not accepted in time."""
    return due(period).filter(Q(accepted_at__isnull=True) | Q(accepted_at__gt=F("work_item__deadline")))


def _in_time(period: Period) -> Sequence[DayCount]:
    days = (
        due(period)
        .annotate(day=TruncDate("requested_at", tzinfo=period.zone))
        .order_by()
        .values("day")
        .annotate(of=Count("pk"), in_time=Count("pk", filter=IN_TIME))
    )
    return [DayCount(row["day"], row["in_time"], row["of"]) for row in days]


def _seconds(period: Period) -> Sequence[DayCount]:
    days = (
        handoffs(period)
        .filter(accepted_at__isnull=False)
        .annotate(day=TruncDate("requested_at", tzinfo=period.zone))
        .order_by()
        .values("day")
        .annotate(of=Count("pk"), total=Sum(F("accepted_at") - F("requested_at")))
    )
    return [DayCount(row["day"], row["total"].total_seconds(), row["of"]) for row in days]


ANSWERED_IN_TIME = Metric(
    code="answered_in_time",
    name=_("Answered in time"),
    definition=_("Hand-overs a person accepted within the queue's service level, divided by those accepted or overdue."),
    unit=Unit.SHARE,
    better=Better.HIGHER,
    daily=_in_time,
    rows=lambda period: handoff_table(late(period)),
    rows_are=_("Late hand-overs"),
)
TIME_TO_PERSON = Metric(
    code="time_to_person",
    name=_("Time to a person"),
    definition=_("The mean time from asking for a person to a person accepting, over the hand-overs that were accepted."),
    unit=Unit.SECONDS,
    better=Better.LOWER,
    daily=_seconds,
    rows=lambda period: handoff_table(handoffs(period).filter(accepted_at__isnull=False)),
    rows_are=_("Accepted hand-overs"),
)
METRICS = (ANSWERED_IN_TIME, TIME_TO_PERSON)
