"""What would change if a draft were published, by the decisions of the last days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.utils import timezone

from routing.models import Decision, RuleSet
from routing.need import Need
from routing.rules.evaluate import Outcome, Table, table_of
from routing.rules.published import NoPublishedRules, Tables, published
from routing.rules.recalling import RecallingTable
from routing.rules.schema import OUTPUTS, InvalidNeed

MOST_DECISIONS = 20_000
DEFAULT_DAYS = 7
MOST_DAYS = 366
_STORED = ("handler", "queue__code", "priority_class", "required_skills", "service_level__code", "escalation_reason")


@dataclass(frozen=True, slots=True)
class ChangedDecision:
    """A past decision that the draft would have taken otherwise.

    `before` and `after` hold what differs, by output of the draft's kind; `came_to` and `would_come_to` are the code of a queue or,
    without one, of who acts, empty when that is not known. `row` is the row of the draft, counted from 1.
    """

    decision_id: int
    reason: str
    before: dict[str, Any]
    after: dict[str, Any]
    came_to: str
    would_come_to: str
    row: int


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a draft would have changed. `looked_at` counts decisions; `complete` is false when there were too many.

    `unreadable` of those that were looked at hold a need that cannot be asked any more.
    """

    days: int
    looked_at: int
    changed: tuple[ChangedDecision, ...]
    complete: bool
    unreadable: int = 0

    @property
    def by_queue(self) -> list[tuple[str, str, int]]:
        """How many would have come to one place instead of another; the most first."""
        counted = Counter((change.came_to, change.would_come_to) for change in self.changed)
        return [(*places, number) for places, number in counted.most_common()]

    @property
    def by_reason(self) -> list[tuple[str, str, str, int]]:
        """The same, for each reason."""
        counted = Counter((change.reason, change.came_to, change.would_come_to) for change in self.changed)
        return [(*places, number) for places, number in counted.most_common()]


def dry_run(rule_set: RuleSet, *, days: int = DEFAULT_DAYS) -> DryRun:
    """Asks a draft what it would have said to the needs of the last days' decisions, but for forgotten ones; stores nothing.

    A routing table is compared with what was decided. Another kind is compared with what its published version says, and where a
    need goes is then asked of all published tables, with the draft in its place and without. Raises TableRefused when the draft
    cannot be compiled.
    """
    draft = RecallingTable.of(table_of(rule_set))
    now = published()
    for table in now.by_kind.values():
        now = now.with_table(RecallingTable.of(table))
    since = timezone.now() - timedelta(days=days)
    decisions = Decision.objects.filter(decided_at__gte=since, forgotten_at__isnull=True)
    looked_at = decisions.count()
    changed, unreadable = [], 0
    for decision_id, stored, need in _needs(decisions[:MOST_DECISIONS].values_list("pk", "need", *_STORED)):
        try:
            if need is None:
                unreadable += 1
            elif change := _change(decision_id, need, stored, draft, now):
                changed.append(change)
        except InvalidNeed:
            unreadable += 1
    return DryRun(
        days=days,
        looked_at=min(looked_at, MOST_DECISIONS),
        changed=tuple(changed),
        complete=looked_at <= MOST_DECISIONS,
        unreadable=unreadable,
    )


def _needs(rows: Any) -> Iterator[tuple[int, Outcome, Need | None]]:
    """Each decision's id, what it answered, and its need; None for a need of another time."""
    for decision_id, told, handler, queue, priority, skills, level, escalation in rows.iterator(chunk_size=2000):
        stored = Outcome(handler, queue, priority, tuple(sorted(skills)), level, escalation)
        try:
            yield decision_id, stored, Need.from_json(told)
        except (ValueError, TypeError):
            yield decision_id, stored, None


def _change(decision_id: int, need: Need, stored: Outcome, draft: Table, now: Tables) -> ChangedDecision | None:
    """What would change for one decision; None when nothing would. Raises InvalidNeed."""
    answer = draft.answer(need)
    if draft.kind == RuleSet.Kind.ROUTING:
        before, after = _as_dict(stored), _as_dict(answer.outcome)
    else:
        kept = now.by_kind.get(draft.kind)
        before, after = kept.answer(need).outputs if kept else {}, answer.outputs
    differing = [name for name in after if before.get(name) != after[name]]
    if not differing:
        return None
    if draft.kind == RuleSet.Kind.ROUTING:
        came_to, would_come_to = _place(stored), _place(answer.outcome)
    else:
        came_to, would_come_to = _goes_to(now, need, draft.kind), _goes_to(now.with_table(draft), need, draft.kind)
    return ChangedDecision(
        decision_id=decision_id,
        reason=need.reason,
        before={name: before.get(name) for name in differing},
        after={name: after[name] for name in differing},
        came_to=came_to,
        would_come_to=would_come_to,
        row=answer.row,
    )


def _goes_to(tables: Tables, need: Need, kind: str) -> str:
    """Where all tables together send a need; with its points worked out anew when they are what may have changed."""
    if kind == RuleSet.Kind.SCORING:
        need = replace(need, score=tables.points(need))
    try:
        return _place(tables.decide(need)[0].outcome)
    except NoPublishedRules:
        return ""


def _place(outcome: Outcome) -> str:
    return outcome.queue or outcome.handler


def _as_dict(outcome: Outcome) -> dict[str, Any]:
    return {output.name: getattr(outcome, output.name) for output in OUTPUTS[RuleSet.Kind.ROUTING]}
