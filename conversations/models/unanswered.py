"""Questions that nobody could answer, until somebody writes the article."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from pgvector.django import VectorField

from conversations.models.conversation import Conversation
from conversations.models.interaction import Interaction
from conversations.models.knowledge import KnowledgeArticle


class UnansweredQuestion(models.Model):
    """What a customer asked in one turn, without numbers and addresses, when the AI agent said that it does not know.

    `seq` is the number of the entry in which it was asked. Questions that mean the same share a `group`.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        ANSWERED = "answered", _("Answered by an article")
        DISMISSED = "dismissed", _("Not for us to answer")

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="unanswered_questions")
    interaction = models.ForeignKey(Interaction, models.CASCADE, related_name="unanswered_questions")
    seq = models.PositiveIntegerField()
    text = models.CharField(_("question"), max_length=500)
    language = models.CharField(max_length=10, default="en")
    embedding = VectorField(dimensions=384)
    group = models.UUIDField(default=uuid.uuid4)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    article = models.ForeignKey(KnowledgeArticle, models.SET_NULL, null=True, blank=True, related_name="answered_questions")
    asked_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-asked_at"]
        verbose_name = _("question nobody could answer")
        verbose_name_plural = _("questions nobody could answer")
        constraints = [
            models.UniqueConstraint(fields=["conversation", "seq"], name="question_is_noted_once_a_turn"),
            models.CheckConstraint(condition=Q(state__in=["open", "answered", "dismissed"]), name="question_state_is_known"),
            models.CheckConstraint(
                condition=Q(state="open", settled_at__isnull=True) | (~Q(state="open") & Q(settled_at__isnull=False)),
                name="question_is_settled_when_it_is_not_open",
            ),
        ]
        indexes = [models.Index(fields=["state", "group", "-asked_at"], name="question_by_group")]

    def __str__(self) -> str:
        return self.text
