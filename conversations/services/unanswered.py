"""Questions that nobody could answer: noted once a turn, grouped by what they mean, settled by an article or by a manager."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Now
from pgvector.django import CosineDistance

from conversations.models import Entry, Interaction, KnowledgeArticle, UnansweredQuestion
from conversations.services.redaction import hide_digits, mask

ALIKE: Final = 0.72
"""Questions at least so similar in meaning (cosine) are one question."""
LONGEST: Final = 500
ADDRESS: Final = re.compile(r"[^\s@]+@[^\s@]+\.\w+|https?://\S+", re.IGNORECASE)
POSTCODE: Final = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}\b", re.IGNORECASE)
HIDDEN: Final = "•••"


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked and its meaning, a unit vector of 384 numbers."""

    text: str
    vector: Sequence[float]
    language: str


def masked(text: str, *, told: Iterable[str] = ()) -> str:
    """The text without card numbers, other numbers of three and more digits, addresses, postcodes and what else was `told`.

    At most 500 characters.
    """
    without = POSTCODE.sub(HIDDEN, ADDRESS.sub(HIDDEN, mask(text)))
    for value in sorted(filter(None, told), key=len, reverse=True):
        without = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", HIDDEN, without, flags=re.IGNORECASE)
    return hide_digits(without)[:LONGEST].strip()


def note(question: Question, *, line: Interaction, seq: int) -> None:
    """Keeps what was asked in the entry `seq` of the conversation that `line` is in; a second time changes nothing.

    It joins the group of the open or dismissed question that is most alike, or begins one; alike to a dismissed one, it is dismissed,
    too.
    """
    alike = _most_alike(question)
    asked_at = Entry.objects.filter(conversation=line.conversation_id, seq=seq).values_list("occurred_at", flat=True).first()
    dismissed = alike is not None and alike.state == UnansweredQuestion.State.DISMISSED
    UnansweredQuestion.objects.get_or_create(
        conversation_id=line.conversation_id,
        seq=seq,
        defaults={
            "interaction": line,
            "text": question.text,
            "language": question.language,
            "embedding": list(question.vector),
            "group": alike.group if alike else uuid.uuid4(),
            "state": UnansweredQuestion.State.DISMISSED if dismissed else UnansweredQuestion.State.OPEN,
            "settled_at": Now() if dismissed else None,
            "asked_at": asked_at or Now(),
        },
    )


def dismiss(group: uuid.UUID) -> int:
    """Takes a group off the list, since it is not for the company to answer; returns how many were open."""
    return _open(group).update(state=UnansweredQuestion.State.DISMISSED, settled_at=Now())


def reopen(group: uuid.UUID) -> int:
    """Puts what was dismissed back on the list; returns how many there are."""
    rows = UnansweredQuestion.objects.filter(group=group, state=UnansweredQuestion.State.DISMISSED)
    return rows.update(state=UnansweredQuestion.State.OPEN, settled_at=None)


def answered(numbers: Iterable[int], article: KnowledgeArticle) -> int:
    """These questions are answered by an article; returns how many were open."""
    rows = UnansweredQuestion.objects.filter(pk__in=list(numbers), state=UnansweredQuestion.State.OPEN)
    return rows.update(state=UnansweredQuestion.State.ANSWERED, article=article, settled_at=Now())


def forget(said: QuerySet[Entry]) -> None:
    """Deletes what was noted of entries whose words go, and of what was asked in one turn with them."""
    messages = UnansweredQuestion.objects.filter(conversation=OuterRef("conversation"), seq__gte=OuterRef("seq")).order_by("seq")
    noted = said.filter(kind="message", actor_kind=Entry.Actor.CUSTOMER).annotate(question=Subquery(messages.values("pk")[:1]))
    UnansweredQuestion.objects.filter(pk__in=list(noted.values_list("question", flat=True))).delete()


def _open(group: uuid.UUID) -> QuerySet[UnansweredQuestion]:
    return UnansweredQuestion.objects.filter(group=group, state=UnansweredQuestion.State.OPEN)


def _most_alike(question: Question) -> UnansweredQuestion | None:
    known = UnansweredQuestion.objects.filter(language=question.language).exclude(state=UnansweredQuestion.State.ANSWERED)
    nearest = known.annotate(distance=CosineDistance("embedding", list(question.vector))).order_by("distance").first()
    return nearest if nearest is not None and nearest.distance <= 1 - ALIKE else None
