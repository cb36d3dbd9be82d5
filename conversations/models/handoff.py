"""What a person is told when the AI agent hands over."""

from django.db import models
from django.db.models.functions import Now

from conversations.models.conversation import Conversation
from conversations.models.interaction import Interaction
from routing.models import WorkItem


class Handoff(models.Model):
    """The package of one hand-over: why, summary, facts, what was tried, the next step."""

    conversation = models.ForeignKey(Conversation, models.PROTECT, related_name="handoffs")
    interaction = models.ForeignKey(Interaction, models.PROTECT, null=True, blank=True, related_name="handoffs")
    work_item = models.OneToOneField(WorkItem, models.PROTECT, related_name="handoff")
    why = models.TextField()
    summary = models.TextField()
    facts = models.JSONField(default=list)
    tried = models.JSONField(default=list)
    next_step = models.TextField(blank=True)
    requested_at = models.DateTimeField(db_default=Now())
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-requested_at"]
        constraints = [models.CheckConstraint(condition=~models.Q(why=""), name="handoff_says_why")]

    def __str__(self) -> str:
        return self.why
