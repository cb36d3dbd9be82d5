"""What goes after its time: each rule empties or removes one kind of data, but for customers who are under a legal hold."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from conversations.models import RetentionRule, RetentionRun
from conversations.services import overdue
from conversations.services.overdue import Overdue
from routing import advisory

LOCK = "conversations.retention"
BATCH = 500


def apply() -> RetentionRun:
    """Does what the rules say, in batches that are each a transaction, and returns the report of it.

    Two runs at once do one batch after the other. A run that dies is gone on with by the next one.
    """
    run = RetentionRun.objects.create()
    counts = {}
    for rule in RetentionRule.objects.filter(overdue.DOES_SOMETHING):
        counts[rule.kind] = sum(map(_taken_away, overdue.of(rule)))
        RetentionRun.objects.filter(pk=run.pk).update(counts=counts)
    RetentionRun.objects.filter(pk=run.pk).update(finished_at=Now())
    run.refresh_from_db()
    return run


def would_go() -> dict[str, int]:
    """How many rows of each kind `apply` would empty or remove now, each rule by itself; changes nothing."""
    return {rule.kind: sum(each.rows.count() for each in overdue.of(rule)) for rule in RetentionRule.objects.filter(overdue.DOES_SOMETHING)}


def _taken_away(rows: Overdue) -> int:
    count = 0
    while done := _batch(rows):
        count += done
    return count


def _batch(due: Overdue) -> int:
    with transaction.atomic():
        advisory.lock(LOCK)
        chosen = list(due.rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
        return due.take_away(due.rows.model._base_manager.filter(pk__in=chosen)) if chosen else 0
