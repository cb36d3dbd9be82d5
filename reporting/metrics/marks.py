"""Calls with a person that callers were content with.

    content = answers of the period to the question after a call with a person that are 4 or 5 / all those answers

Who was not asked, or said nothing to it, does not count. Evidence level: observed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from conversations.models import Entry
from reporting.figure import Better, Cell, DayCount, Metric, Table, Unit
from reporting.period import Period

LOWEST_CONTENT: Final = 4
IS_CONTENT = Q(data__mark__gte=LOWEST_CONTENT)


def answers(period: Period) -> QuerySet[Entry]:
    """What callers answered."""
    return Entry.objects.filter(kind="survey.answered", recorded_at__gte=period.starts_at, recorded_at__lt=period.ends_at)


def _daily(period: Period) -> Sequence[DayCount]:
    days = answers(period).order_by().annotate(day=TruncDate("recorded_at", tzinfo=period.zone)).values("day")
    counted = days.annotate(of=Count("pk"), content=Count("pk", filter=IS_CONTENT)).order_by("day")
    return [DayCount(row["day"], row["content"], row["of"]) for row in counted]


def _table(chosen: QuerySet[Entry]) -> Table:
    return Table((_("Answered"), _("Mark"), _("What it was about")), chosen.select_related("conversation").order_by("-pk"), _cells)


def _cells(row: Entry) -> Sequence[Cell]:
    address = reverse("inbox:conversation", args=[row.conversation.public_id])
    return Cell(row.recorded_at, address), Cell(row.data["mark"]), Cell(row.body)


CONTENT = Metric(
    code="content_callers",
    name=_("Callers who were content"),
    definition=_("Of the callers who said from 1 to 5 how their call with a person was, those who said 4 or 5."),
    unit=Unit.SHARE,
    better=Better.HIGHER,
    daily=_daily,
    rows=lambda period: _table(answers(period).exclude(IS_CONTENT)),
    rows_are=_("Answers of 3 and less"),
    basis=lambda period: _table(answers(period)),
)
METRICS = (CONTENT,)
