"""What the company knows: articles for people, passages for search by words and by meaning."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.utils.translation import gettext_lazy as _
from pgvector.django import HnswIndex, VectorField

from routing.models import ReasonCode


class KnowledgeArticle(models.Model):
    """One article, in Markdown, with the address it is cited by."""

    slug = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=200)
    body = models.TextField(help_text=_("Markdown."))
    url = models.CharField(max_length=300, help_text=_("Where customers can read it."))
    reason = models.ForeignKey(ReasonCode, models.SET_NULL, null=True, blank=True, related_name="articles")
    language = models.CharField(max_length=10, default="en")
    published = models.BooleanField(default=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class KnowledgePassage(models.Model):
    """A piece of an article small enough to answer with; made by `conversations.knowledge.ingest`."""

    article = models.ForeignKey(KnowledgeArticle, models.CASCADE, related_name="passages")
    position = models.PositiveSmallIntegerField()
    text = models.TextField()
    embedding = VectorField(dimensions=384)
    words = models.GeneratedField(expression=SearchVector("text", config="english"), output_field=SearchVectorField(), db_persist=True)

    class Meta:
        ordering = ["article", "position"]
        constraints = [models.UniqueConstraint(fields=["article", "position"], name="passage_position_is_unique_in_its_article")]
        indexes = [
            GinIndex(fields=["words"], name="passage_words"),
            HnswIndex(fields=["embedding"], name="passage_meaning", opclasses=["vector_cosine_ops"]),
        ]

    def __str__(self) -> str:
        return f"{self.article} · {self.position}"
