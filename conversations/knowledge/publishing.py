"""An article is read and found in the same moment, and open questions that it answers leave the list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import transaction
from pgvector.django import CosineDistance

from conversations.knowledge.ingest import Ingested, ingest, prepare
from conversations.knowledge.search import search
from conversations.models import KnowledgeArticle, UnansweredQuestion
from conversations.models.identifier import Assurance
from conversations.selectors.articles import audiences_of
from conversations.services import articles, unanswered

MOST_LOOKED_AT: Final = 200
NEAR_ENOUGH: Final = 0.75
"""Open questions further than this (cosine distance) from every passage and question of an article are not tried."""


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did: the passages, how many open questions are answered now, and whether there is a new version."""

    ingested: Ingested
    answered: int
    is_new: bool


def publish(article: KnowledgeArticle) -> Published:
    """Makes the draft of `article` what is read and answered from, or without one only has what is published found again.

    Embeds before the transaction, which locks the article's row.
    """
    draft = article.versions.filter(status="draft").first()
    prepare(draft or article)
    with transaction.atomic():
        is_new = draft is not None or not article.published
        if is_new:
            articles.publish(article)
        ingested = ingest(article)
    return Published(ingested, settle(article), is_new)


def settle(article: KnowledgeArticle) -> int:
    """Takes the open questions that are answered from `article` now off the list; returns how many there were.

    Tries the search with each of those near to it in meaning, at most 200, as a customer who has shown who they are would.
    """
    audiences = audiences_of(Assurance.VERIFIED)
    found = [
        question.pk
        for question in _near(article)
        if any(hit.article == article.pk for hit in search(question.text, language=article.language, audiences=audiences))
    ]
    return unanswered.answered(found, article)


def _near(article: KnowledgeArticle) -> list[UnansweredQuestion]:
    vectors = [*article.passages.values_list("embedding", flat=True), *article.asked_questions.values_list("embedding", flat=True)]
    near: dict[int, UnansweredQuestion] = {}
    rows = UnansweredQuestion.objects.filter(state=UnansweredQuestion.State.OPEN, language=article.language)
    for vector in vectors:
        distance = CosineDistance("embedding", vector)
        for row in rows.annotate(distance=distance).filter(distance__lte=NEAR_ENOUGH).order_by("distance")[:MOST_LOOKED_AT]:
            near.setdefault(row.pk, row)
    return list(near.values())[:MOST_LOOKED_AT]
