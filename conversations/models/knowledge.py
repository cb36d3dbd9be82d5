"""What the company knows: articles for people, passages for search by words and by meaning."""

from __future__ import annotations

from typing import ClassVar, Final

import pgtrigger
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Case, Q, When
from django.utils.translation import gettext_lazy as _
from pgvector.django import HnswIndex, VectorField

from routing.models import ReasonCode

WORD_FORMS: Final = {
    "en": "english", "es": "spanish", "de": "german", "fr": "french", "it": "italian", "nl": "dutch", "pt": "portuguese",
}  # fmt: skip
"""PostgreSQL's text-search configuration of each language; any other has its words compared as they are."""
OTHER_WORD_FORMS: Final = "simple"


class Audience(models.TextChoices):
    """Whom an article is for, from everybody to the company's own people."""

    PUBLIC = "public", _("Everybody")
    VERIFIED = "verified", _("Customers who have shown who they are")
    STAFF = "staff", _("Staff only")


class ArticleContent(models.Model):
    """What is said in an article, to whom and when."""

    title = models.CharField(max_length=200)
    body = models.TextField(help_text=_("Markdown."))
    asked_as = models.TextField(
        _("asked as"), blank=True, help_text=_("Questions it answers, in customers' words, one on each line. They are never shown.")
    )
    audience = models.CharField(max_length=10, choices=Audience.choices, default=Audience.PUBLIC)
    valid_from = models.DateField(null=True, blank=True, help_text=_("Used from this day on. Empty: at once."))
    valid_until = models.DateField(null=True, blank=True, help_text=_("Used up to this day. Empty: until it is withdrawn."))

    class Meta:
        abstract = True

    @property
    def questions(self) -> list[str]:
        """The questions it is asked as, each once."""
        return list(dict.fromkeys(line.strip() for line in self.asked_as.splitlines() if line.strip()))


CONTENT: Final = ("title", "body", "asked_as", "audience", "valid_from", "valid_until")


def _ends_after_it_begins(name: str) -> models.CheckConstraint:
    open_ended = Q(valid_from__isnull=True) | Q(valid_until__isnull=True)
    return models.CheckConstraint(condition=open_ended | Q(valid_until__gte=models.F("valid_from")), name=name)


class KnowledgeArticle(ArticleContent):
    """One article as it is read now, with the address it is cited by. What changes in it is a version first.

    Of an article that was never published, the content is that of its draft.
    """

    slug = models.SlugField(max_length=80, unique=True)
    url = models.CharField(max_length=300, help_text=_("Where customers can read it."))
    reason = models.ForeignKey(ReasonCode, models.SET_NULL, null=True, blank=True, related_name="articles")
    language = models.CharField(max_length=10, default="en")
    published = models.BooleanField(default=True)
    review_by = models.DateField(null=True, blank=True, help_text=_("When somebody should read it again. Empty: never."))
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["title"]
        constraints = [
            models.CheckConstraint(condition=Q(audience__in=Audience.values), name="article_audience_is_known"),
            _ends_after_it_begins("article_is_valid_until_after_it_is_valid_from"),
        ]

    def __str__(self) -> str:
        return self.title


class KnowledgeVersion(ArticleContent):
    """One version of an article: a draft, the one that is read, or one of before. What was published never changes."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        RETIRED = "retired", _("Retired")

    article = models.ForeignKey(KnowledgeArticle, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    made_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["article", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["article", "number"], name="version_number_is_unique_in_its_article"),
            models.UniqueConstraint(fields=["article"], condition=Q(status="published"), name="article_has_one_published_version"),
            models.UniqueConstraint(fields=["article"], condition=Q(status="draft"), name="article_has_one_draft"),
            models.CheckConstraint(condition=Q(status__in=["draft", "published", "retired"]), name="version_status_is_known"),
            models.CheckConstraint(condition=Q(audience__in=Audience.values), name="version_audience_is_known"),
            models.CheckConstraint(
                condition=Q(status="draft", published_at__isnull=True) | Q(status__in=["published", "retired"], published_at__isnull=False),
                name="version_was_published_when_it_is_no_draft",
            ),
            _ends_after_it_begins("version_is_valid_until_after_it_is_valid_from"),
        ]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="published_version_never_changes",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__status__in=["published", "retired"]),
                func="""
                    IF NEW.status = 'draft' OR (to_jsonb(NEW) - 'status') <> (to_jsonb(OLD) - 'status') THEN
                        RAISE EXCEPTION 'a published version of an article never changes' USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(
                name="published_version_is_never_deleted",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__status__in=["published", "retired"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} · {self.number}"


class KnowledgePassage(models.Model):
    """A piece of an article small enough to answer with; made by `conversations.knowledge.ingest`.

    `made_from` is the digest of the text that was embedded, `language` the article's: the words are kept in its forms.
    """

    article = models.ForeignKey(KnowledgeArticle, models.CASCADE, related_name="passages")
    position = models.PositiveSmallIntegerField()
    text = models.TextField()
    language = models.CharField(max_length=10, default="en")
    made_from = models.CharField(max_length=32, blank=True)
    embedding = VectorField(dimensions=384)
    words = models.GeneratedField(
        expression=Case(
            *(When(language=language, then=SearchVector("text", config=config)) for language, config in WORD_FORMS.items()),
            default=SearchVector("text", config=OTHER_WORD_FORMS),
        ),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        ordering = ["article", "position"]
        constraints = [models.UniqueConstraint(fields=["article", "position"], name="passage_position_is_unique_in_its_article")]
        indexes = [
            GinIndex(fields=["words"], name="passage_words"),
            HnswIndex(fields=["embedding"], name="passage_meaning", opclasses=["vector_cosine_ops"]),
        ]

    def __str__(self) -> str:
        return f"{self.article} · {self.position}"


class KnowledgeQuestion(models.Model):
    """A question that an article says it answers, by its meaning; made by `conversations.knowledge.ingest`."""

    article = models.ForeignKey(KnowledgeArticle, models.CASCADE, related_name="asked_questions")
    text = models.CharField(max_length=500)
    embedding = VectorField(dimensions=384)

    class Meta:
        ordering = ["article", "pk"]
        constraints = [models.UniqueConstraint(fields=["article", "text"], name="question_stands_once_in_its_article")]
        indexes = [HnswIndex(fields=["embedding"], name="question_meaning", opclasses=["vector_cosine_ops"])]

    def __str__(self) -> str:
        return self.text
