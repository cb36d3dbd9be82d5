"""The tables that are published and decide together, kept in each process and proven against the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from django.db import connection
from django.utils.translation import gettext as _

from routing.models import RuleSet
from routing.need import Need
from routing.rules.evaluate import Answer, Table, kept_table

Told = TypeVar("Told")


class NoPublishedRules(LookupError):
    """No version of this kind of table is published yet."""


@dataclass(frozen=True, slots=True)
class Tables:
    """At most one table of each kind. Two of them are equal when they hold the same versions."""

    versions: Mapping[str, tuple[int, datetime | None]]
    by_kind: Mapping[str, Table] = field(repr=False, compare=False)

    def of(self, kind: str) -> Table:
        """The table of a kind. Raises NoPublishedRules."""
        table = self.by_kind.get(kind)
        if table is None:
            label = RuleSet.Kind(kind).label
            raise NoPublishedRules(_("No version of the table “%(kind)s” is published yet.") % {"kind": label})
        return table

    def with_table(self, table: Table) -> Tables:
        """The same with another table of its kind."""
        return Tables({**self.versions, table.kind: (table.rule_set_id, None)}, {**self.by_kind, table.kind: table})

    def decide(self, need: Need) -> tuple[Answer, Answer | None]:
        """What routing answers, and what the escalation table answered before; its answer is the fact `escalation` of the need.

        While there is no escalation table, nothing escalates. Raises NoPublishedRules, InvalidNeed.
        """
        routing = self.of(RuleSet.Kind.ROUTING)
        thresholds = self.by_kind.get(RuleSet.Kind.ESCALATION)
        if thresholds is None:
            return routing.answer(replace(need, escalation="") if need.escalation else need), None
        escalation = thresholds.answer(need)
        reason = escalation_of(escalation)
        return routing.answer(need if need.escalation == reason else replace(need, escalation=reason)), escalation

    def points(self, need: Need) -> int:
        """The score of a need; 0 while there is no scoring table. Raises InvalidNeed."""
        scoring = self.by_kind.get(RuleSet.Kind.SCORING)
        return int(scoring.answer(need).outputs["points"]) if scoring else 0


def escalation_of(answer: Answer) -> str:
    """The reason that the escalation table gives; empty when it lets the need pass."""
    reason: str = answer.outputs["escalation_reason"]
    return reason if answer.outputs["escalate"] else ""


def published() -> Tables:
    """The tables that are published now, by one look-up in a partial unique index; `remembered` returns them from now on.

    A compiled version is kept by its process, since a version never changes.
    """
    with connection.cursor() as cursor:
        # Every decision asks this, and the words of it cost more than the look-up when they are put together anew.
        cursor.execute("SELECT kind, id, published_at FROM routing_ruleset WHERE status = 'published'")
        found = cursor.fetchall()
    tables = Tables(
        {kind: (pk, published_at) for kind, pk, published_at in found},
        {kind: kept_table(pk, published_at) for kind, pk, published_at in found},
    )
    _SEEN_LAST[:] = [tables]
    return tables


def remembered() -> Tables:
    """The tables that this process saw published last, without asking the database: they may be retired by now."""
    return _SEEN_LAST[0]


def proven(ask: Callable[[Tables], Told]) -> Told:
    """What `ask` makes of the published tables: of those that this process remembers, when they still are the published ones.

    They are asked first and proven afterwards, so they were published after they had answered, whatever process publishes,
    and no process has to be told. `ask` may be called again and so stores nothing. Raises what it raises.
    """
    tables = remembered()
    while True:
        told, missing = _told(ask, tables)
        newest = published()
        if newest == tables:
            if missing is not None:
                raise missing
            return told  # type: ignore[return-value]
        tables = newest


def _told(ask: Callable[[Tables], Told], tables: Tables) -> tuple[Told | None, NoPublishedRules | None]:
    try:
        return ask(tables), None
    except NoPublishedRules as error:
        return None, error


_SEEN_LAST = [Tables({}, {})]
