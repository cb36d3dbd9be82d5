"""Questions that nobody could answer, as a list of groups, and what an article for one of them begins with."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, Count, F, Max, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, RowNumber
from django.utils.text import slugify

from conversations.models import Entry, UnansweredQuestion

EXAMPLES = 5
LONGEST_TITLE = 200
LONGEST_SLUG = 80
MOST_SUGGESTED = 8


def groups(rows: QuerySet[UnansweredQuestion]) -> QuerySet[Any]:
    """One of `rows` for each group and state, the newest, with how many there are (`times`) and when it was asked last (`last_asked`)."""
    newest = Window(RowNumber(), partition_by=[F("group"), F("state")], order_by=[F("asked_at").desc(), F("pk").desc()])
    firsts = UnansweredQuestion.objects.annotate(place=newest).filter(place=1)
    same = UnansweredQuestion.objects.filter(group=OuterRef("group"), state=OuterRef("state")).order_by().values("group")
    return rows.filter(pk__in=firsts.values("pk")).annotate(
        times=Subquery(same.annotate(number=Count("pk")).values("number")),
        last_asked=Subquery(same.annotate(last=Max("asked_at")).values("last")),
    )


def open_groups() -> QuerySet[Any]:
    """The groups that somebody should write an article for."""
    return groups(UnansweredQuestion.objects.filter(state=UnansweredQuestion.State.OPEN)).order_by("-times", "-last_asked")


def of_group(group: UUID, state: str = UnansweredQuestion.State.OPEN) -> QuerySet[UnansweredQuestion]:
    """The questions of a group, newest first."""
    rows = UnansweredQuestion.objects.filter(group=group, state=state)
    return with_why(rows.select_related("conversation", "conversation__customer", "interaction"))


def with_why(rows: QuerySet[UnansweredQuestion]) -> QuerySet[Any]:
    """With `held_back`, the sentence of why an answer to it was held back; none where nothing was."""
    refused = Entry.objects.annotate(asked=Cast(KeyTextTransform("asked", "data"), BigIntegerField())).filter(
        conversation=OuterRef("conversation"), kind="reply.refused", asked=OuterRef("seq")
    )
    return rows.annotate(held_back=Subquery(refused.order_by("seq").values("body")[:1]))


def article_for(question: UnansweredQuestion) -> dict[str, Any]:
    """What an article for a question begins with: a title, the questions in customers' words, its language.

    What their conversations were about is not what they asked, so it has no reason yet.
    """
    same = UnansweredQuestion.objects.filter(Q(group=question.group, state=UnansweredQuestion.State.OPEN) | Q(pk=question.pk))
    asked = list(dict.fromkeys(same.order_by("-asked_at").values_list("text", flat=True)))[:MOST_SUGGESTED]
    title = question.text.strip()[:LONGEST_TITLE]
    slug = slugify(title)[:LONGEST_SLUG] or "answer"
    return {
        "title": title[:1].upper() + title[1:],
        "slug": slug,
        "url": f"/help/{slug}",
        "asked_as": "\n".join(asked),
        "language": question.language,
    }
