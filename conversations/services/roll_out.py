"""The switch that stops the AI agent everywhere at once, and what agents think of its drafts."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from conversations.models import AssistantSwitch, DraftReview, Entry
from conversations.selectors.roll_out import is_stopped, stop_in_force
from conversations.services import announce
from routing import advisory
from routing.models import AgentProfile

LOCK = "conversations.assistant_switch"


class AssistantStopped(Exception):
    """The AI agent was stopped everywhere, so what it was about to say or do must not happen."""


def stop(*, by: str, why: str) -> bool:
    """Stops the AI agent in every process; says whether this call did it. `why` is a sentence for colleagues.

    When it returns, nothing that the AI agent says is written any more: it waits for the turns that are just writing.
    Takes the switch's advisory lock alone.
    """
    with transaction.atomic():
        advisory.lock(LOCK)
        if stop_in_force():
            return False
        AssistantSwitch.objects.update_or_create(
            pk=AssistantSwitch.ONE, defaults={"stopped_at": Now(), "why": why[:300], "changed_by": by[:200], "changed_at": Now()}
        )
        announce.work_changed()
        announce.answering_changed()
    return True


def start(*, by: str) -> bool:
    """Lets the AI agent answer again; says whether this call did it. The switch's history keeps both."""
    with transaction.atomic():
        advisory.lock(LOCK)
        stopped = AssistantSwitch.objects.filter(stopped_at__isnull=False)
        changed = bool(stopped.update(stopped_at=None, why="", changed_by=by[:200], changed_at=Now()))
        if changed:
            announce.work_changed()
            announce.answering_changed()
    return changed


def require_running() -> None:
    """Raises AssistantStopped when the AI agent was stopped; until the transaction ends nobody can stop it.

    Call it last, just before writing what the AI agent says or does. Needs a transaction.
    """
    advisory.share(LOCK)
    if is_stopped():
        raise AssistantStopped


def keep_review(draft: Entry, *, tools: list[str]) -> None:
    """Notes a draft as one to be compared with what a person says, with the tools that it would have used. Once a draft."""
    line = draft.interaction
    if line is None:
        return
    DraftReview.objects.get_or_create(
        entry=draft, defaults={"entry_point": line.entry_point, "reason": draft.conversation.reason, "tools": tools}
    )


def judge(draft: Entry, agent: AgentProfile, verdict: str) -> None:
    """Keeps what an agent thinks of a draft; the last word counts. Raises DraftReview.DoesNotExist."""
    review = DraftReview.objects.get(entry=draft)
    DraftReview.objects.filter(pk=review.pk).update(verdict=verdict, judged_by=agent, judged_at=Now())


def keep_comparison(
    review: DraftReview, answer: Entry | None, *, similarity: float | None, same_reason: bool | None, same_tools: bool | None
) -> None:
    """Keeps what a draft was like beside what a person then said and did; everything is None when nobody answered."""
    DraftReview.objects.filter(pk=review.pk).update(
        answer=answer, similarity=similarity, same_reason=same_reason, same_tools=same_tools, compared_at=Now()
    )
