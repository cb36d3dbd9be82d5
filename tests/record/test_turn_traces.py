"""What a trace of a turn may hold, and that nothing of it changes; the database itself refuses the rest."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from conversations.models import TurnTrace
from tests.record import rows

pytestmark = pytest.mark.django_db


def trace(**changes: Any) -> TurnTrace:
    line = rows.interaction()
    given = {"wanted_seq": 1, "outcome": "answered", "answered_by": "rules", "words": {"calls": []}}
    return TurnTrace.objects.create(conversation=line.conversation, interaction=line, **{**given, **changes})


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("turn_trace_outcome_is_known", {"outcome": "lost"}),
        ("turn_trace_says_who_answered", {"answered_by": "dice"}),
        ("turn_trace_of_what_was_written_is_of_no_turn", {"outcome": "written"}),
        ("turn_trace_of_a_model_names_it_and_no_fallback", {"answered_by": "model"}),
        ("turn_trace_of_a_model_names_it_and_no_fallback", {"answered_by": "model", "model": "claude", "fallback": "cut"}),
        ("emptied_turn_trace_holds_no_words", {"emptied_at": timezone.now()}),
    ],
)
def test_what_no_trace_may_be(constraint: str, changes: dict[str, Any]) -> None:
    with pytest.raises(DatabaseError, match=constraint), transaction.atomic():
        trace(**changes)


@pytest.mark.parametrize("changes", [{"cost": 1}, {"words": {"calls": ["another"]}}, {"outcome": "failed", "words": {}}])
def test_a_trace_never_changes(changes: dict[str, Any]) -> None:
    """Only its words may be taken out."""
    row = trace()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        TurnTrace.objects.filter(pk=row.pk).update(**changes)
    with pytest.raises(DatabaseError, match="turn_traces_are_never_deleted"), transaction.atomic():
        TurnTrace.objects.filter(pk=row.pk).delete()
    assert TurnTrace.objects.filter(pk=row.pk).update(words={}, emptied_at=timezone.now()) == 1
