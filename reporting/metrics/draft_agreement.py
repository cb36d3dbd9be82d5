"""How far people agree with the AI agent's drafts, at each door and for each reason.

    agreement = drafts of which an agent's thumb said “would have sent it” or “would have changed it” / drafts with a thumb

Drafts count in the period in which they were written. Beside it stands how alike each draft and what a person then sent are, by
the local embeddings. That is a hint and no judgement: of eight pairs of replies that say one thing in other words three reached
`ALIKE`, and so did one of eight that say different things (“is booked”, “was cancelled”).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Avg, Count, Q, QuerySet
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from conversations.models import DraftReview
from reporting.figure import Better, Cell, DayCount, Metric, Table, Unit
from reporting.period import Period

ALIKE = 0.7
"""From which cosine two replies are counted as much alike."""

TAKEN = Q(verdict__in=["accept", "edit"])
KNOWN = ~Q(verdict="")


@dataclass(frozen=True, slots=True)
class Agreement:
    """What became of the drafts of one door for one reason. Shares are of those of which it is known, None without any."""

    door: str
    reason: str
    drafts: int
    accepted: int
    edited: int
    rejected: int
    answered: int
    similarity: float | None
    alike: int
    same_reason: int
    same_tools: int
    with_tools: int
    taken: int
    known: int

    @property
    def share(self) -> float | None:
        """The share of the judged drafts that people would have sent, 0 to 1."""
        return self.taken / self.known if self.known else None


def drafts(period: Period) -> QuerySet[DraftReview]:
    """The drafts written in a period."""
    return DraftReview.objects.filter(drafted_at__gte=period.starts_at, drafted_at__lt=period.ends_at)


def agreements(period: Period) -> list[Agreement]:
    """One row for each door and reason, the ones with most drafts first. One statement."""
    grouped = drafts(period).order_by().values("entry_point__name", "reason__name")
    rows = grouped.annotate(
        drafts=Count("pk"),
        accepted=Count("pk", filter=Q(verdict="accept")),
        edited=Count("pk", filter=Q(verdict="edit")),
        rejected=Count("pk", filter=Q(verdict="reject")),
        answered=Count("pk", filter=Q(answer__isnull=False)),
        mean=Avg("similarity"),
        alike=Count("pk", filter=Q(similarity__gte=ALIKE)),
        reasons=Count("pk", filter=Q(same_reason=True)),
        tools_alike=Count("pk", filter=Q(same_tools=True)),
        with_tools=Count("pk", filter=Q(same_tools__isnull=False)),
        taken=Count("pk", filter=TAKEN),
        known=Count("pk", filter=KNOWN),
    )
    return [
        Agreement(
            door=row["entry_point__name"], reason=row["reason__name"] or _now("not known"), drafts=row["drafts"],
            accepted=row["accepted"], edited=row["edited"], rejected=row["rejected"], answered=row["answered"],
            similarity=row["mean"], alike=row["alike"], same_reason=row["reasons"], same_tools=row["tools_alike"],
            with_tools=row["with_tools"], taken=row["taken"], known=row["known"],
        )
        for row in rows.order_by("-drafts", "entry_point__name", "reason__name")
    ]  # fmt: skip


def _daily(period: Period) -> Sequence[DayCount]:
    days = drafts(period).filter(KNOWN).order_by().annotate(day=TruncDate("drafted_at", tzinfo=period.zone)).values("day")
    counted = days.annotate(of=Count("pk"), taken=Count("pk", filter=TAKEN)).order_by("day")
    return [DayCount(row["day"], row["taken"], row["of"]) for row in counted]


def _table(chosen: QuerySet[DraftReview]) -> Table:
    columns = (_("Drafted"), _("Entry point"), _("Reason"), _("Draft"), _("Sent"), _("Likeness"), _("Thumb"))
    return Table(columns, chosen.select_related("entry__conversation", "entry_point", "reason", "answer"), _cells)


def _cells(row: DraftReview) -> Sequence[Cell]:
    conversation = reverse("inbox:conversation", args=[row.entry.conversation.public_id])
    sent = row.answer.body if row.answer else ""
    return (
        Cell(row.drafted_at, f"{conversation}#entry-{row.entry.seq}"), Cell(row.entry_point), Cell(row.reason or ""),
        Cell(row.entry.body), Cell(sent), Cell("" if row.similarity is None else f"{row.similarity:.2f}"), Cell(row.get_verdict_display()),
    )  # fmt: skip


AGREEMENT = Metric(
    code="draft_agreement",
    name=_("Drafts people would have sent, as they are or with changes"),
    definition=_(
        "Of the AI agent’s drafts that agents judged, those that they would have sent as they are or with changes. How alike a draft and"
        " what a person then sent are stands beside it; it is a hint, since opposites can read alike."
    ),
    unit=Unit.SHARE,
    better=Better.HIGHER,
    daily=_daily,
    rows=lambda period: _table(drafts(period).filter(TAKEN)),
    rows_are=_("Drafts that people would have sent"),
    basis=lambda period: _table(drafts(period)),
)
METRICS = (AGREEMENT,)
