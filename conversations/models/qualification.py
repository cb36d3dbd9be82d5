"""What a filled form came to: the score, the answers it rests on, and whether the sales system has it."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.conversation import Conversation


class Qualification(models.Model):
    """One form that was filled in a conversation. It is sent to the lead system until that has confirmed it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("To be sent")
        FAILED = "failed", _("Given up")
        DONE = "done", _("Confirmed")

    conversation = models.ForeignKey(Conversation, models.PROTECT, related_name="qualifications")
    form = models.CharField(max_length=40)
    form_name = models.CharField(max_length=80)
    score = models.IntegerField()
    answers = models.JSONField(default=dict, help_text=_("The fact of each field with what was answered."))
    qualified_at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    reference = models.CharField(max_length=40, blank=True, help_text=_("What the lead system calls it."))
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(db_default=Now())
    last_error = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["-qualified_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "form"], name="conversation_is_qualified_once_by_a_form"),
            models.CheckConstraint(condition=models.Q(state__in=["waiting", "failed", "done"]), name="qualification_state_is_known"),
        ]
        indexes = [
            # Serves the task that sends to the lead system.
            models.Index(fields=["next_at"], name="qualification_due", condition=models.Q(state="waiting"))
        ]

    def __str__(self) -> str:
        return f"{self.form_name} · {self.score}"
