"""Containment: conversations that ended without a person.

    containment          = conversations opened in the period, closed, without a hand-over or a word from a person
                           / conversations opened in the period and closed
    resolved containment = the same, of which the outcome means that the need was met, the customer said something, and
                           the customer has not come back for the same reason within `REPEAT_WINDOW` (7 days)
                           / the same

A conversation that was joined into another counts with that other one, not alone. Conversations closed less than 7 days
ago may still be repeated, so their resolved containment can fall later. Evidence level: observed.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation, Entry, Handoff
from reporting.figure import Better, DayCount, Metric, Table, Unit
from reporting.metrics.volumes import conversation_table
from reporting.period import Period

REPEAT_WINDOW = timedelta(days=7)


def closed(period: Period) -> QuerySet[Conversation]:
    """Conversations opened in the period that are closed and stand alone."""
    return Conversation.objects.filter(
        opened_at__gte=period.starts_at, opened_at__lt=period.ends_at, status="closed", joined_into__isnull=True
    )


def contained(period: Period) -> QuerySet[Conversation]:
    """Those of `closed` in which no person was asked for or spoke."""
    same = {"conversation": OuterRef("pk")}
    return closed(period).filter(
        ~Exists(Handoff.objects.filter(**same)), ~Exists(Entry.objects.filter(kind="message", actor_kind="agent", **same))
    )


def resolved_contained(period: Period) -> QuerySet[Conversation]:
    """Those of `contained` whose need was met and did not come back."""
    back = Conversation.objects.filter(
        customer=OuterRef("customer"),
        reason=OuterRef("reason"),
        opened_at__gt=OuterRef("closed_at"),
        opened_at__lt=OuterRef("closed_at") + REPEAT_WINDOW,
    )
    spoke = Entry.objects.filter(conversation=OuterRef("pk"), kind="message", actor_kind="customer")
    return contained(period).filter(Exists(spoke), ~Exists(back), disposition__resolved=True)


def _daily(period: Period, chosen: QuerySet[Conversation]) -> Sequence[DayCount]:
    days = (
        closed(period)
        .annotate(day=TruncDate("opened_at", tzinfo=period.zone))
        .order_by()
        .values("day")
        .annotate(of=Count("pk"), chosen=Count("pk", filter=Q(pk__in=chosen.values("pk"))))
    )
    return [DayCount(row["day"], row["chosen"], row["of"]) for row in days]


def _rest(period: Period, chosen: QuerySet[Conversation]) -> Table:
    return conversation_table(closed(period).exclude(pk__in=chosen.values("pk")))


CONTAINMENT = Metric(
    code="containment",
    name=_("Ended without a person"),
    definition=_("Closed conversations in which no person was asked for or spoke, divided by all closed ones opened in the period."),
    unit=Unit.SHARE,
    better=Better.NEITHER,
    daily=lambda period: _daily(period, contained(period)),
    rows=lambda period: conversation_table(contained(period)),
    rows_are=_("Conversations without a person"),
)
RESOLVED = Metric(
    code="resolved_containment",
    name=_("Solved without a person"),
    definition=_(
        "Of the closed conversations, those without a person whose outcome means that the need was met and whose customer "
        "did not come back for the same reason within 7 days."
    ),
    unit=Unit.SHARE,
    better=Better.HIGHER,
    daily=lambda period: _daily(period, resolved_contained(period)),
    rows=lambda period: _rest(period, resolved_contained(period)),
    rows_are=_("Conversations that were not"),
)
METRICS = (CONTAINMENT, RESOLVED)
