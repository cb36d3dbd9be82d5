"""Forgetting what a person told, in decisions that stay: the facts go, who acted and by which row is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Now

from routing.models import Decision

BATCH = 500


def forget(subjects: Iterable[str]) -> int:
    """Forgets the declared facts in every decision about these subjects; returns in how many. See `forget_rows`."""
    return forget_rows(Decision.objects.filter(subject__in=list(subjects)))


def forget_rows(decisions: QuerySet[Decision]) -> int:
    """Forgets the declared facts of these decisions: in the need, in the trace, and in a sentence that quotes one.

    Returns how many were not forgotten before. A forgotten decision cannot be asked again, so no figure does.
    """
    changed = []
    for decision in decisions.filter(forgotten_at__isnull=True).iterator(chunk_size=BATCH):
        told = [str(value) for value in decision.need.get("facts", {}).values() if str(value)]
        decision.need = {**decision.need, "facts": {}}
        decision.trace = _without_values(decision.trace)
        decision.sentence = "" if any(value in decision.sentence for value in told) else decision.sentence
        decision.forgotten_at = Now()
        changed.append(decision)
    Decision.objects.bulk_update(changed, ["need", "trace", "sentence", "forgotten_at"], batch_size=BATCH)
    return len(changed)


def _without_values(trace: dict[str, Any]) -> dict[str, Any]:
    """A trace with the rows and cells that matched, without the values that they met, also in the escalation table's."""
    kept = {key: value for key, value in trace.items() if key != "values"}
    if isinstance(kept.get("escalation"), dict):
        kept["escalation"] = _without_values(kept["escalation"])
    return kept
