"""How far the AI agent is let: the one switch that stops it everywhere, and what people thought of its drafts."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.entry import Entry
from conversations.models.entry_point import EntryPoint
from routing.models import AgentProfile, ReasonCode
from routing.models.history import audited


@audited()
class AssistantSwitch(models.Model):
    """Whether the AI agent is stopped everywhere, why, and who threw the switch last. One row, there since somebody first threw it.

    Every change of it is kept by the database.
    """

    ONE = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONE, editable=False)
    stopped_at = models.DateTimeField(null=True, blank=True)
    why = models.CharField(max_length=300, blank=True)
    changed_by = models.CharField(max_length=200)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("switch of the AI agent")
        verbose_name_plural = _("switch of the AI agent")
        permissions = [("stop_assistant", "Can stop the AI agent everywhere and let it answer again")]
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="there_is_one_switch_of_the_assistant"),
            models.CheckConstraint(
                condition=models.Q(stopped_at__isnull=True, why="") | models.Q(stopped_at__isnull=False, why__regex=r"\S"),
                name="stopped_assistant_says_why",
            ),
            models.CheckConstraint(condition=~models.Q(changed_by=""), name="switch_of_the_assistant_says_who_threw_it"),
        ]

    def __str__(self) -> str:
        return str(_("Stopped") if self.stopped_at else _("Running"))


class DraftReview(models.Model):
    """One draft of the AI agent, beside what a person then said and did, and what an agent thought of it.

    `reason` and `tools` are what the draft went by: why the customer came, and the tools that would have changed something.
    """

    class Verdict(models.TextChoices):
        ACCEPT = "accept", _("Would have sent it")
        EDIT = "edit", _("Would have changed it")
        REJECT = "reject", _("Would not have sent it")

    entry = models.OneToOneField(Entry, models.PROTECT, related_name="draft_review")
    entry_point = models.ForeignKey(EntryPoint, models.PROTECT, related_name="+")
    reason = models.ForeignKey(ReasonCode, models.PROTECT, null=True, blank=True, related_name="+")
    tools = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    verdict = models.CharField(max_length=6, choices=Verdict.choices, blank=True)
    judged_by = models.ForeignKey(AgentProfile, models.PROTECT, null=True, blank=True, related_name="+")
    judged_at = models.DateTimeField(null=True, blank=True)
    answer = models.ForeignKey(Entry, models.PROTECT, null=True, blank=True, related_name="+")
    similarity = models.FloatField(null=True, blank=True, help_text=_("The cosine of the meanings of the draft and the answer, -1 to 1."))
    same_reason = models.BooleanField(null=True)
    same_tools = models.BooleanField(null=True)
    compared_at = models.DateTimeField(null=True, blank=True)
    drafted_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-drafted_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(verdict__in=["", "accept", "edit", "reject"]), name="draft_verdict_is_known"),
            models.CheckConstraint(
                condition=models.Q(verdict="", judged_by__isnull=True, judged_at__isnull=True)
                | (~models.Q(verdict="") & models.Q(judged_by__isnull=False, judged_at__isnull=False)),
                name="draft_verdict_says_whose_and_when",
            ),
            models.CheckConstraint(
                condition=models.Q(similarity__isnull=True) | models.Q(similarity__gte=-1, similarity__lte=1),
                name="draft_similarity_is_a_cosine",
            ),
            models.CheckConstraint(
                condition=models.Q(compared_at__isnull=False)
                | models.Q(answer__isnull=True, similarity__isnull=True, same_reason__isnull=True, same_tools__isnull=True),
                name="draft_that_was_not_compared_has_no_result",
            ),
            models.CheckConstraint(
                condition=models.Q(answer__isnull=False) | models.Q(similarity__isnull=True), name="draft_similarity_is_to_an_answer"
            ),
        ]
        indexes = [models.Index(fields=["drafted_at"], name="draft_review_by_time")]

    def __str__(self) -> str:
        return f"{self.entry_id} {self.get_verdict_display()}"
