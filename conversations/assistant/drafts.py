"""What became of the AI agent's drafts: each beside what a person then said and did."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from conversations.assistant.tools import TOOLS, book, cancel, reschedule
from conversations.models import DraftReview, Entry, Interaction
from conversations.services import roll_out
from conversations.understanding.embed import embed
from conversations.understanding.normalise import meaning

BY_PEOPLE = {"booking.made": book.TOOL.name, "booking.changed": reschedule.TOOL.name, "booking.cancelled": cancel.TOOL.name}
"""What a person did, as the AI agent's tool for it."""


def compare_drafts(line: Interaction) -> int:
    """Compares the drafts of a line with the first answer of a person after each; returns how many it compared.

    Of several drafts before one answer the last is compared with it: it knows all that the person knew. A draft that nobody
    answered is noted as compared with nothing. Call it when the line is over, in a transaction that holds its conversation's row.
    """
    found = DraftReview.objects.filter(entry__interaction=line, compared_at__isnull=True)
    reviews = list(found.select_related("entry").order_by("entry__seq"))
    if not reviews:
        return 0
    here = {each.entry.conversation_id for each in reviews}
    after = Entry.objects.filter(conversation__in=here, interaction=line, redacted_at__isnull=True)
    reason = line.conversation.reason_id
    for review, following in zip(reviews, [*reviews[1:], None], strict=True):
        before = Q(pk__lt=following.entry_id) if following else Q()
        later = after.filter(before, pk__gt=review.entry_id)
        answer = later.filter(kind="message", actor_kind=Entry.Actor.AGENT).order_by("seq").first()
        done = _tools_of_people(later)
        roll_out.keep_comparison(
            review,
            answer,
            similarity=likeness(review.entry.body, answer.body) if answer and review.entry.body else None,
            same_reason=review.reason_id == reason if answer else None,
            same_tools=(set(review.tools) == done) if answer and (review.tools or done) else None,
        )
    return len(reviews)


def likeness(one: str, other: str) -> float:
    """How alike two texts are in their meaning, by the local embeddings: -1 to 1."""
    first, second = embed([meaning(one) or one, meaning(other) or other])
    return round(max(-1.0, min(1.0, float(first @ second))), 4)


def _tools_of_people(rows: QuerySet[Entry]) -> set[str]:
    """The tools by which people changed something among these entries."""
    by_people = rows.filter(actor_kind=Entry.Actor.AGENT)
    called = {str(name) for name in by_people.filter(kind="tool.called").values_list("data__tool", flat=True)}
    moved = by_people.filter(kind__in=BY_PEOPLE).exclude(data__has_key="corrected")
    booked = {BY_PEOPLE[kind] for kind in moved.values_list("kind", flat=True)}
    return {name for name in called if name in TOOLS and TOOLS[name].changes} | booked
