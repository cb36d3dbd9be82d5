"""The database itself refuses every bad row about how far the AI agent is let, its drafts, and wrap-ups."""

from typing import Any

import pytest
from django.utils import timezone

from conversations.models import AssistantSwitch, DraftReview, Entry, EntryPoint, Interaction
from conversations.services import roll_out, timeline
from conversations.services.timeline import NewEntry
from tests.record import rows
from tests.record.test_constraints import refused

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("entry_point_live_hours_are_known", {"live_hours": "noon"}),
        ("entry_point_that_is_live_by_hours_has_hours", {"live_hours": "inside"}),
        ("entry_point_live_reasons_are_known", {"live_reasons": "some"}),
    ],
)
def test_a_door_says_when_and_for_what(constraint: str, changes: dict[str, Any]) -> None:
    """The words come from their lists, and a door that goes by hours has some."""
    door = rows.entry_point()
    refused(constraint, lambda: EntryPoint.objects.filter(pk=door.pk).update(**changes))


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("there_is_one_switch_of_the_assistant", {"id": 2}),
        ("stopped_assistant_says_why", {"stopped_at": NOW, "why": " "}),
        ("stopped_assistant_says_why", {"why": "Because."}),
        ("switch_of_the_assistant_says_who_threw_it", {"changed_by": ""}),
    ],
)
def test_there_is_one_switch(constraint: str, changes: dict[str, Any]) -> None:
    """One row; who threw it, and why, when it is thrown."""
    refused(constraint, lambda: AssistantSwitch.objects.create(**{"changed_by": "Mona", **changes}))


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("draft_verdict_is_known", {"verdict": "so-so"}),
        ("draft_verdict_says_whose_and_when", {"verdict": "accept"}),
        ("draft_verdict_says_whose_and_when", {"judged_at": NOW}),
        ("draft_similarity_is_to_an_answer", {"similarity": 0.5, "compared_at": NOW}),
        ("draft_that_was_not_compared_has_no_result", {"same_reason": True}),
        ("draft_similarity_is_a_cosine", {"similarity": 1.5}),
    ],
)
def test_a_draft_s_review_is_whole(constraint: str, changes: dict[str, Any]) -> None:
    """A thumb is somebody's; a result is that of a comparison."""
    line = rows.interaction()
    appended = timeline.append(line.conversation_id, NewEntry(kind="draft", actor_kind="assistant", audience="staff", interaction=line))
    draft = Entry.objects.get(conversation=line.conversation_id, seq=appended.seq)
    roll_out.keep_review(draft, tools=["book"])
    roll_out.keep_review(draft, tools=[])
    review = DraftReview.objects.get()
    assert review.tools == ["book"], "once a draft"
    if constraint == "draft_similarity_is_a_cosine":
        changes = {**changes, "compared_at": NOW, "answer": draft}
    refused(constraint, lambda: DraftReview.objects.filter(pk=review.pk).update(**changes))


def test_a_wrap_up_is_owed_only_by_what_ended() -> None:
    line = rows.interaction()
    refused("wrap_up_is_due_only_after_the_end", lambda: Interaction.objects.filter(pk=line.pk).update(wrap_up_due_at=NOW))
