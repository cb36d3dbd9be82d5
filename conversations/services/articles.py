"""The life of an article: what is written is a draft, publishing makes it what is read, and what was read before is kept.

These write words only; what makes them searchable is `conversations.knowledge.publishing`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from conversations.models import KnowledgeArticle, KnowledgeVersion
from conversations.models.knowledge import CONTENT, ArticleContent, Audience

PLACE = ("slug", "url", "reason", "language", "review_by")
"""Where an article belongs: no part of its versions."""
Status = KnowledgeVersion.Status


class NothingToPublish(ValueError):
    """An article has no draft, and is published as it is."""


@dataclass(frozen=True, slots=True)
class Content:
    """What is said in an article, to whom and when."""

    title: str
    body: str
    asked_as: str = ""
    audience: str = Audience.PUBLIC
    valid_from: date | None = None
    valid_until: date | None = None

    @classmethod
    def of(cls, written: ArticleContent) -> Content:
        """The content of an article or of a version."""
        return cls(**{name: getattr(written, name) for name in CONTENT})


def write(article: KnowledgeArticle, content: Content, *, by: str) -> KnowledgeVersion | None:
    """Saves where `article` belongs (PLACE) and `content` as its draft, which is returned; a new article is not published by it.

    None when the content is what is published already: then there is no draft any more. Locks the article's row.
    """
    with transaction.atomic():
        if article._state.adding:
            article.published = False
            _take(article, content)
            article.save()
        else:
            _lock(article)
            article.save(update_fields=[*PLACE, "updated_at"])
        return _keep_draft(article, content, by)


def publish(article: KnowledgeArticle) -> KnowledgeVersion:
    """Makes the draft what is read; the version before retires. Returns the version. Locks the article's row.

    An article that was withdrawn and has no draft is published again as it was. Raises NothingToPublish.
    """
    with transaction.atomic():
        _lock(article)
        draft = article.versions.filter(status=Status.DRAFT).first() or _again(article)
        article.versions.filter(status=Status.PUBLISHED).update(status=Status.RETIRED)
        article.versions.filter(pk=draft.pk).update(status=Status.PUBLISHED, published_at=Now())
        _take(article, Content.of(draft))
        article.published = True
        article.save(update_fields=[*CONTENT, "published", "updated_at"])
        draft.refresh_from_db()
        return draft


def withdraw(article: KnowledgeArticle) -> None:
    """Nobody reads it any more and nothing is answered from it; its versions stay. Locks the article's row."""
    with transaction.atomic():
        _lock(article)
        article.versions.filter(status=Status.PUBLISHED).update(status=Status.RETIRED)
        article.published = False
        article.save(update_fields=["published", "updated_at"])


def restore(version: KnowledgeVersion, *, by: str) -> KnowledgeVersion | None:
    """A draft with what a version says, in place of the draft there is; None when that is what is published. Locks the article's row."""
    with transaction.atomic():
        _lock(version.article)
        return _keep_draft(version.article, Content.of(version), by)


def reviewed(article: KnowledgeArticle, *, next_by: date | None) -> None:
    """Notes when it is to be read again."""
    KnowledgeArticle.objects.filter(pk=article.pk).update(review_by=next_by)


def number_first_versions(articles: Iterable[KnowledgeArticle], *, by: str) -> None:
    """The first versions of published articles that have none."""
    without = [article for article in articles if not article.versions.exists()]
    KnowledgeVersion.objects.bulk_create(
        KnowledgeVersion(article=article, status=Status.PUBLISHED, published_at=Now(), made_by=by, **asdict(Content.of(article)))
        for article in without
    )


def content_to_edit(article: KnowledgeArticle) -> Content:
    """What a manager goes on with: the draft, or what is published."""
    draft = article.versions.filter(status=Status.DRAFT).first() if not article._state.adding else None
    return Content.of(draft or article)


def _keep_draft(article: KnowledgeArticle, content: Content, by: str) -> KnowledgeVersion | None:
    drafts = article.versions.filter(status=Status.DRAFT)
    if article.published and content == Content.of(article):
        drafts.delete()
        return None
    values: dict[str, Any] = {**asdict(content), "made_by": by}
    if not drafts.update(**values):
        newest = article.versions.order_by("-number").values_list("number", flat=True).first() or 0
        KnowledgeVersion.objects.create(article=article, number=newest + 1, **values)
    if not article.versions.exclude(status=Status.DRAFT).exists():
        # Nobody has read it yet, so lists name it by its draft.
        _take(article, content)
        article.save(update_fields=[*CONTENT, "updated_at"])
    return drafts.get()


def _again(article: KnowledgeArticle) -> KnowledgeVersion:
    if article.published:
        raise NothingToPublish(f"{article} has no draft.")
    newest = article.versions.order_by("-number").values_list("number", flat=True).first() or 0
    return KnowledgeVersion.objects.create(article=article, number=newest + 1, **asdict(Content.of(article)))


def _take(article: KnowledgeArticle, content: Content) -> None:
    for name, value in asdict(content).items():
        setattr(article, name, value)


def _lock(article: KnowledgeArticle) -> None:
    """Locks the article's row and reads what of it only these functions write."""
    locked = KnowledgeArticle.objects.select_for_update(no_key=True).get(pk=article.pk)
    _take(article, Content.of(locked))
    article.published = locked.published
