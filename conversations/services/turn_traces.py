"""Writes how turns came about, and takes out of it what was said."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from conversations.models import TurnTrace
from conversations.services import timeline


def keep(trace: TurnTrace) -> None:
    """Writes one trace, in one statement. Card numbers in it are masked, null bytes dropped."""
    trace.words = timeline.clean(trace.words)
    trace.save(force_insert=True)


def empty(rows: QuerySet[Any]) -> int:
    """Takes the words out of traces; what is counted stays. Returns how many held some."""
    return rows.filter(emptied_at__isnull=True).update(words={}, emptied_at=timezone.now())
