"""Suggested outcomes that people kept.

    kept = outcomes that a person set in the period as they were suggested / outcomes that a person set with a suggestion before them

Conversations that closed by themselves, and those for which nothing was suggested, do not count. Evidence level: observed.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from conversations.models import Entry
from reporting.figure import Better, Cell, DayCount, Metric, Table, Unit
from reporting.period import Period

AS_SUGGESTED = Q(data__disposition=F("data__suggested"))


def suggested(period: Period) -> QuerySet[Entry]:
    """The outcomes set by people to whom one was suggested."""
    rows = Entry.objects.filter(kind="outcome.set", recorded_at__gte=period.starts_at, recorded_at__lt=period.ends_at)
    return rows.filter(data__has_key="suggested")


def _daily(period: Period) -> Sequence[DayCount]:
    days = suggested(period).order_by().annotate(day=TruncDate("recorded_at", tzinfo=period.zone)).values("day")
    counted = days.annotate(of=Count("pk"), kept=Count("pk", filter=AS_SUGGESTED)).order_by("day")
    return [DayCount(row["day"], row["kept"], row["of"]) for row in counted]


def _table(chosen: QuerySet[Entry]) -> Table:
    return Table((_("Set"), _("By"), _("Suggested"), _("Chosen")), chosen.select_related("conversation").order_by("-pk"), _cells)


def _cells(row: Entry) -> Sequence[Cell]:
    address = reverse("inbox:conversation", args=[row.conversation.public_id])
    return Cell(row.recorded_at, address), Cell(row.actor_name), Cell(row.data["suggested"]), Cell(row.data["disposition"])


KEPT = Metric(
    code="suggested_outcomes",
    name=_("Suggested outcomes kept"),
    definition=_("Of the outcomes that a person set with a suggestion before them, those that they set as suggested."),
    unit=Unit.SHARE,
    better=Better.HIGHER,
    daily=_daily,
    rows=lambda period: _table(suggested(period).exclude(AS_SUGGESTED)),
    rows_are=_("Outcomes that people changed"),
    basis=lambda period: _table(suggested(period)),
)
METRICS = (KEPT,)
