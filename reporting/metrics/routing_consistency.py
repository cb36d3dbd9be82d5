"""Routing consistency: whether the same need goes the same way on every channel.

Two things are shown, and nothing more:

1. *Replay.* Each logged decision is evaluated again by the versions of the tables that made it, with the channel flipped. A
   `Need` has no channel field, so flipping means: every declared fact of the stored need that holds a channel's name gets
   the other channel's name, and everything else stays. A decision is *unchanged* when handler, queue, priority class,
   required skills, service level and escalation reason come out as they were stored.

       consistency = unchanged decisions / decisions made in the period

2. *Static.* `routing.rules.channels` looks through every cell of free text, and every name of a fact, of the tables that made
   those decisions for the name of a channel. What it finds is listed with the rows and counts every decision of that table as
   changed, since such a table could tell the channels apart even where the replayed needs do not show it. A fact that is declared
   as a channel exception is not counted here; a decision that a replay shows to depend on it still is. How many exceptions are
   declared stands beside the figure.

Together they prove that routing as logged could not depend on the channel. They do not prove that the same words, typed
and spoken, are understood as the same need: that is another figure (end-to-end consistency), measured by sending scripted
needs through both channels. Equal answers of a replay also mean that the stored version still answers as it did then.

Decisions whose declared facts were erased cannot be asked again and are left out, above and below the line.

Evidence level: observed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from conversations.models.entry_point import Channel
from reporting.cells import time_cell
from reporting.figure import Better, Cell, DayCount, Metric, Table, Unit
from reporting.metrics.volumes import daily_count
from reporting.period import Period
from routing.models import ChannelException, Decision, Rule
from routing.need import Need
from routing.rules.channels import declared_exceptions, words_in_table
from routing.rules.evaluate import Outcome
from routing.services.decide import replay

OTHER_CHANNEL: Mapping[str, str] = {
    Channel.CHAT.value: Channel.VOICE.value,
    Channel.VOICE.value: Channel.CHAT.value,
    "web chat": "phone",
    "phone": "web chat",
    "call": "chat",
}
"""Every way a channel may be named in a fact, and what flipping makes of it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A decision that is not the same on the other channel, and why."""

    decision: Decision
    why: str


def flipped(need: Need) -> Need:
    """The same need as it would have been told over the other channel."""
    return replace(need, facts={name: OTHER_CHANNEL.get(value.lower(), value) for name, value in need.facts.items()})


def _rows_that_name_a_channel(rule_set_ids: Sequence[int]) -> dict[int, int]:
    """The first such row by the rule set it is in, without declared exceptions. One query, and one more when there is any."""
    rows = Rule.objects.filter(rule_set__in=rule_set_ids).order_by("rule_set", "position")
    named = [
        (rule_set, each)
        for rule_set, position, conditions in rows.values_list("rule_set", "position", "conditions")
        for each in words_in_table([(position, conditions)])
    ]
    declared = declared_exceptions() if named else frozenset()
    found: dict[int, int] = {}
    for rule_set, each in named:
        if each.fact not in declared and each.row is not None:
            found.setdefault(rule_set, each.row)
    return found


def differences(period: Period) -> list[Difference]:
    """The decisions of the period that are not unchanged, newest first."""
    decisions = list(_decisions(period))
    named_in = _rows_that_name_a_channel(sorted({table for each in decisions for table in _tables_of(each)}))
    replayed: dict[tuple[tuple[int, ...], str], Outcome | str] = {}
    found = []
    for decision in decisions:
        tables = _tables_of(decision)
        named = [named_in[table] for table in tables if table in named_in]
        if named:
            found.append(Difference(decision, gettext("The table names a channel in row %(row)d.") % {"row": named[0]}))
            continue
        key = (tables, json.dumps(decision.need, sort_keys=True))
        if key not in replayed:
            replayed[key] = _on_the_other_channel(decision)
        why = _changed(Outcome.of(decision), replayed[key])
        if why:
            found.append(Difference(decision, why))
    return found


def _decisions(period: Period) -> QuerySet[Decision]:
    return (
        Decision.objects.filter(decided_at__gte=period.starts_at, decided_at__lt=period.ends_at, forgotten_at__isnull=True)
        .select_related("queue", "service_level", "rule_set", "rule", "escalation_rule_set")
        .defer("rule_set__compiled", "escalation_rule_set__compiled")
        .order_by("-decided_at", "-pk")
    )


def _tables_of(decision: Decision) -> tuple[int, ...]:
    """The versions that made a decision: routing, and escalation when it was asked."""
    escalation = decision.escalation_rule_set_id
    return (decision.rule_set_id,) if escalation is None else (decision.rule_set_id, escalation)


def _on_the_other_channel(decision: Decision) -> Outcome | str:
    """What the stored version answers to the flipped need, or why it cannot answer any more."""
    try:
        return replay(decision, flipped(Need.from_json(decision.need)))
    except (ValueError, LookupError) as error:
        return gettext("It cannot be replayed: %(why)s") % {"why": error}


def _changed(stored: Outcome, replayed: Outcome | str) -> str:
    """The outputs that differ, as “name: stored → replayed”; empty when none does."""
    if isinstance(replayed, str):
        return replayed
    was, is_now = asdict(stored), asdict(replayed)
    return "; ".join(f"{name}: {was[name]} → {is_now[name]}" for name in was if was[name] != is_now[name])


def _daily(period: Period) -> Sequence[DayCount]:
    of = {count.day: int(count.numerator) for count in daily_count(_decisions(period), "decided_at", period)}
    changed = Counter(each.decision.decided_at.astimezone(period.zone).date() for each in differences(period))
    return [DayCount(day, number - changed[day], number) for day, number in of.items()]


def _table(period: Period) -> Table:
    return Table(
        columns=(_("Decided"), _("About"), _("Version"), _("Row"), _("Why, at the time"), _("On the other channel")),
        source=differences(period),
        cells=lambda each: (
            time_cell(each.decision.decided_at),
            Cell(each.decision.subject),
            Cell(str(each.decision.rule_set)),
            Cell(str(each.decision.rule)),
            Cell(each.decision.sentence),
            Cell(each.why),
        ),
        empty=_("Every decision would have been the same on the other channel."),
    )


def _decision_table(period: Period) -> Table:
    """Every decision of the period, whether it would have been the same or not."""
    return Table(
        columns=(_("Decided"), _("About"), _("Version"), _("Row"), _("Why, at the time")),
        source=_decisions(period),
        cells=lambda each: (
            time_cell(each.decided_at),
            Cell(each.subject),
            Cell(str(each.rule_set)),
            Cell(str(each.rule)),
            Cell(each.sentence),
        ),
    )


def _declared_exceptions() -> Cell:
    number = ChannelException.objects.count()
    words = ngettext("%(number)d channel exception", "%(number)d channel exceptions", number) % {"number": number}
    return Cell(words, reverse("admin:routing_channelexception_changelist"))


CONSISTENCY = Metric(
    code="routing_consistency",
    name=_("Routing consistency"),
    definition=_(
        "Decisions that come out the same when the stored need is asked again of the same versions of the tables with the "
        "channel flipped, and whose table names no channel in any cell, but for declared exceptions. Divided by all decisions."
    ),
    unit=Unit.SHARE,
    better=Better.HIGHER,
    daily=_daily,
    rows=_table,
    rows_are=_("Decisions that differ"),
    basis=_decision_table,
    beside=_declared_exceptions,
)
METRICS = (CONSISTENCY,)
