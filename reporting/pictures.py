"""The pictures of the report: one question each, what to draw, and the table behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.db.models import Case, CharField, Count, DurationField, ExpressionWrapper, F, Value, When
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from conversations.models.entry_point import Channel
from reporting import charts, journeys
from reporting.metrics.volumes import conversations, handoffs, interactions
from reporting.period import Period
from reporting.reconcile import mismatches

MOST_BARS = 10
ANSWER_STEPS = (30, 60, 120, 300, 900)
"""Seconds; how soon a person answered is counted between these."""

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Picture:
    """A question with its answer. `kind` names the template that draws `chart`; `rows` is the table one click away."""

    code: str
    question: Text
    definition: Text
    kind: str
    chart: Any
    columns: Sequence[Text]
    rows: Sequence[Sequence[Any]]
    empty: Text
    wide: bool = False
    url: str = ""


def pictures(period: Period) -> list[Picture]:
    """Every picture of the report over the period; one query each."""
    return [
        journey_flow(period),
        arrivals(period),
        reasons(period),
        outcomes(period),
        handover_reasons(period),
        answer_times(period),
        differences(period),
    ]


def journey_flow(period: Period) -> Picture:
    """The paths that conversations took."""
    paths = journeys.paths(period)
    return Picture(
        code="journeys",
        question=_("How did conversations go?"),
        definition=_(
            "Each conversation opened in the period, from where it began to how it ended. A band is as wide as the number "
            "of conversations in it. Conversations that were joined count once."
        ),
        kind="flow",
        chart=charts.flow(paths, journeys.tints()),
        columns=(_("Began as"), _("Went on"), _("Answered by"), _("Outcome"), _("Conversations")),
        rows=[(*path, number) for path, number in paths.most_common()],
        empty=_("When customers write or call, their way through the company appears here."),
        wide=True,
        url=f"{reverse('reporting:rows', args=['conversations'])}?from={period.first}&to={period.last}",
    )


def arrivals(period: Period) -> Picture:
    """Calls and chats started, by day."""
    found = (
        interactions(period)
        .annotate(day=TruncDate("started_at", tzinfo=period.zone))
        .order_by()
        .values("day", "channel")
        .annotate(number=Count("pk"))
    )
    by_channel: dict[str, dict[date, int]] = {Channel.CHAT.value: {}, Channel.VOICE.value: {}}
    for row in found:
        by_channel[row["channel"]][row["day"]] = row["number"]
    chats, calls = by_channel[Channel.CHAT.value], by_channel[Channel.VOICE.value]
    chart = charts.columns(period.days, {"chat": (_("Web chats"), chats), "voice": (_("Calls"), calls)})
    return Picture(
        code="arrivals",
        question=_("How many came in, day by day?"),
        definition=_("Web chats and calls by the day they started, in the company's time zone."),
        kind="columns",
        chart=chart if chart.total else None,
        columns=(_("Day"), _("Web chats"), _("Calls")),
        rows=[(day, chats.get(day, 0), calls.get(day, 0)) for day in period.days],
        empty=_("When customers write or call, the days fill up here."),
    )


def reasons(period: Period) -> Picture:
    """Why customers came."""
    found = conversations(period).order_by().values("reason__name").annotate(number=Count("pk"))
    counts = _ranked((row["reason__name"] or _("Not recognised"), row["number"]) for row in found)
    return _bar_picture(
        "reasons",
        _("Why did they come?"),
        _("The reason of each conversation opened in the period, as it stands now."),
        counts,
        (_("Reason"), _("Conversations")),
        _("Reasons appear as soon as the AI agent has recognised one."),
    )


def outcomes(period: Period) -> Picture:
    """How closed conversations ended."""
    found = (
        conversations(period).filter(status="closed").order_by().values("disposition__name").annotate(number=Count("pk"))
    )
    counts = _ranked((row["disposition__name"] or _("Closed without an outcome"), row["number"]) for row in found)
    return _bar_picture(
        "outcomes",
        _("How did they end?"),
        _("The outcome of each conversation opened in the period and closed by now."),
        counts,
        (_("Outcome"), _("Conversations")),
        _("Outcomes appear as conversations are closed."),
    )


def handover_reasons(period: Period) -> Picture:
    """Why the AI agent handed over."""
    found = (
        handoffs(period).order_by().values("work_item__decision__escalation_reason").annotate(number=Count("pk"))
    )
    counts = _ranked(
        (_readable(row["work_item__decision__escalation_reason"]), row["number"]) for row in found
    )
    return _bar_picture(
        "handovers",
        _("Why was a person needed?"),
        _("The reason that the escalation table gave for each hand-over."),
        counts,
        (_("Reason"), _("Hand-overs")),
        _("Hand-overs appear here with the reason the escalation table gave."),
    )


def answer_times(period: Period) -> Picture:
    """How soon a person accepted."""
    waited = ExpressionWrapper(F("accepted_at") - F("requested_at"), output_field=DurationField())
    steps = [When(waited__lte=timedelta(seconds=seconds), then=Value(str(seconds))) for seconds in ANSWER_STEPS]
    found = dict(
        handoffs(period)
        .annotate(waited=waited)
        .annotate(
            step=Case(
                When(accepted_at__isnull=True, then=Value("none")), *steps, default=Value("more"), output_field=CharField()
            )
        )
        .order_by()
        .values_list("step")
        .annotate(number=Count("pk"))
    )
    counts = [(_within(seconds), found.get(str(seconds), 0)) for seconds in ANSWER_STEPS]
    counts += [(_("longer"), found.get("more", 0)), (_("not accepted"), found.get("none", 0))]
    return _bar_picture(
        "answers",
        _("How soon did a person answer?"),
        _("From the hand-over being asked for to a person accepting it."),
        counts if sum(found.values()) else [],
        (_("Time"), _("Hand-overs")),
        _("When a person accepts a hand-over, how long it took appears here."),
    )


def differences(period: Period) -> Picture:
    """Where the record differs from what the transports delivered."""
    counts = _ranked((str(each.label), 1) for session in mismatches(period) for each in session.mismatches)
    picture = _bar_picture(
        "differences",
        _("Where is the record wrong?"),
        _("Calls, chat sessions and text messages that the record does not have, or has otherwise than their transports saw."),
        counts,
        (_("What differs"), _("Sessions")),
        _("Nowhere: every session is in the record, once, and right."),
    )
    return replace(picture, url=f"{reverse('reporting:rows', args=['journey_accuracy'])}?from={period.first}&to={period.last}")


def _bar_picture(
    code: str, question: Text, definition: Text, counts: list[tuple[str, int]], columns: Sequence[Text], empty: Text
) -> Picture:
    return Picture(code, question, definition, "bars", charts.bars(counts), columns, counts, empty)


def _ranked(counts: Any) -> list[tuple[str, int]]:
    """The largest first; what is beyond the tenth is summed up."""
    summed: Counter[str] = Counter()
    for name, number in counts:
        summed[name] += number
    ordered = sorted(summed.items(), key=lambda pair: (-pair[1], pair[0]))
    if len(ordered) <= MOST_BARS:
        return ordered
    rest = ordered[MOST_BARS - 1 :]
    return [*ordered[: MOST_BARS - 1], (_("%(number)s others") % {"number": len(rest)}, sum(number for _name, number in rest))]


def _readable(code: str | None) -> str:
    return code.replace("_", " ").capitalize() if code else _("No reason given")


def _within(seconds: int) -> str:
    if seconds < 60:
        return _("within %(seconds)s s") % {"seconds": seconds}
    return _("within %(minutes)s min") % {"minutes": seconds // 60}
