"""Duplicate conversation rate: the same need of the same customer, worked on twice.

A conversation j opened in the period is a *duplicate* when there is an earlier conversation i of the same customer
with the same reason code, i was still open or was closed less than `WINDOW` (7 days) before j was opened, and j stands
as a thread of its own: it was not joined into i or any other conversation. It is a *cross-channel* duplicate when i
came in by another channel than j, a *same-channel* duplicate when by the same. The channel of a conversation is that
of its first interaction.

    rate = duplicates / conversations opened in the period

Evidence level: observed. It sees only customers whose identifiers were joined; the figure "possible duplicates" counts
the pairs that staff have not settled yet. A conversation without a reason matches none, so it counts as not duplicate.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import (
    Count,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation, Interaction, MatchCandidate
from reporting.cells import conversation_cell, conversation_number, customer_cell, time_cell
from reporting.figure import Better, Cell, DayCount, Metric, Table, Unit
from reporting.metrics.volumes import conversation_table
from reporting.period import Period

WINDOW = timedelta(days=7)


def first_channel() -> Subquery:
    """The channel of a conversation's first interaction, as it was before any joining."""
    first = Interaction.objects.filter(original_conversation=OuterRef("pk")).order_by("started_at", "pk")
    return Subquery(first.values("channel")[:1])


def cross_channel(period: Period) -> QuerySet[Conversation]:
    """The cross-channel duplicates opened in the period; `earlier` is the conversation each repeats."""
    return _duplicates(period, ~Q(channel=OuterRef("channel")))


def same_channel(period: Period) -> QuerySet[Conversation]:
    """The same-channel duplicates opened in the period: a retry or a race that slipped through."""
    return _duplicates(period, Q(channel=OuterRef("channel")))


def possible(period: Period) -> QuerySet[Conversation]:
    """Conversations that would be duplicates if the open match candidates were the same person."""
    candidates = MatchCandidate.objects.filter(state=MatchCandidate.State.OPEN)
    either_way = candidates.filter(customer=OuterRef(OuterRef("customer")), other=OuterRef("customer")) | candidates.filter(
        other=OuterRef(OuterRef("customer")), customer=OuterRef("customer")
    )
    found: QuerySet[Conversation] = _with_earlier(period, _earlier().filter(Exists(either_way)))
    return found


def opened(period: Period) -> QuerySet[Any]:
    """Every conversation opened in the period, with its `channel`."""
    return Conversation.objects.filter(
        opened_at__gte=period.starts_at, opened_at__lt=period.ends_at
    ).annotate(channel=first_channel())


def _earlier() -> Any:
    window_start = ExpressionWrapper(OuterRef("opened_at") - Value(WINDOW), output_field=DateTimeField())
    return (
        Conversation.objects.filter(reason=OuterRef("reason"), opened_at__lte=OuterRef("opened_at"))
        .filter(Q(opened_at__lt=OuterRef("opened_at")) | Q(pk__lt=OuterRef("pk")))
        .filter(Q(closed_at__isnull=True) | Q(closed_at__gt=window_start))
        .exclude(joined_into=OuterRef("pk"))
        .annotate(channel=first_channel())
        .filter(channel__isnull=False)
        .order_by("-opened_at", "-pk")
    )


def _duplicates(period: Period, channels: Q) -> QuerySet[Conversation]:
    found: QuerySet[Conversation] = _with_earlier(period, _earlier().filter(customer=OuterRef("customer")).filter(channels))
    return found


def _with_earlier(period: Period, earlier: Any) -> Any:
    alone = opened(period).filter(joined_into__isnull=True, channel__isnull=False)
    return alone.annotate(earlier=Subquery(earlier.values("pk")[:1])).filter(earlier__isnull=False)


def _daily(period: Period, duplicates: QuerySet[Conversation]) -> Sequence[DayCount]:
    days = (
        Conversation.objects.filter(opened_at__gte=period.starts_at, opened_at__lt=period.ends_at)
        .annotate(day=TruncDate("opened_at", tzinfo=period.zone))
        .order_by()
        .values("day")
        .annotate(of=Count("pk"), duplicates=Count("pk", filter=Q(pk__in=duplicates.values("pk"))))
    )
    return [DayCount(row["day"], row["duplicates"], row["of"]) for row in days]


def _table(duplicates: QuerySet[Conversation]) -> Table:
    return Table(
        columns=(_("Customer"), _("Conversation"), _("Opened"), _("Reason"), _("Repeats"), _("Status")),
        source=duplicates.select_related("customer", "reason").order_by("-opened_at"),
        cells=lambda each: (
            customer_cell(each.customer),
            conversation_cell(each),
            time_cell(each.opened_at),
            Cell(str(each.reason)),
            conversation_number(each.earlier),
            Cell(each.get_status_display()),
        ),
        empty=_("No customer had to open the same need twice."),
    )


CROSS_CHANNEL = Metric(
    code="duplicate_conversations",
    name=_("Duplicate conversations across channels"),
    definition=_(
        "Conversations opened about the same reason by the same customer over another channel, while the earlier one was "
        "open or closed less than 7 days before, and not joined with it. Divided by all conversations opened."
    ),
    unit=Unit.SHARE,
    better=Better.LOWER,
    daily=lambda period: _daily(period, cross_channel(period)),
    rows=lambda period: _table(cross_channel(period)),
    rows_are=_("Duplicates"),
    basis=lambda period: conversation_table(opened(period)),
)
SAME_CHANNEL = Metric(
    code="duplicate_conversations_same_channel",
    name=_("Duplicate conversations on one channel"),
    definition=_("The same, where the earlier conversation came in over the same channel: a retry or a customer who came back."),
    unit=Unit.SHARE,
    better=Better.LOWER,
    daily=lambda period: _daily(period, same_channel(period)),
    rows=lambda period: _table(same_channel(period)),
    rows_are=_("Duplicates"),
)
POSSIBLE = Metric(
    code="possible_duplicates",
    name=_("Possible duplicates"),
    definition=_(
        "Conversations that would be duplicates if two customer records, which look alike and which nobody has settled yet, "
        "were the same person. Divided by all conversations opened."
    ),
    unit=Unit.SHARE,
    better=Better.LOWER,
    daily=lambda period: _daily(period, possible(period)),
    rows=lambda period: _table(possible(period)),
    rows_are=_("Possible duplicates"),
)
METRICS = (CROSS_CHANNEL, SAME_CHANNEL, POSSIBLE)
