"""What was decided, from which facts, by which row; kept for ever, so that it can be explained and replayed."""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from routing.models.policy import Queue, ServiceLevel
from routing.models.rules import Rule, RuleSet


class Decision(models.Model):
    """One evaluation of the published tables, escalation and then routing, over one `Need`. Append-only.

    The one exception is forgetting what a person told (`services.forgetting`): once, and with a mark.
    """

    class Handler(models.TextChoices):
        ASSISTANT = "assistant", _("AI agent")
        HUMAN = "human", _("Person")
        CALLBACK = "callback", _("Call back")
        AFTER_HOURS = "after_hours", _("After hours")

    subject = models.CharField(max_length=64, help_text=_("What was routed, as the caller of routing names it."))
    need = models.JSONField()
    rule_set = models.ForeignKey(RuleSet, models.PROTECT, related_name="decisions")
    rule = models.ForeignKey(Rule, models.PROTECT, related_name="decisions")
    escalation_rule_set = models.ForeignKey(
        RuleSet,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="escalated_decisions",
        help_text=_("The version of the escalation table that was asked first; empty when none was published."),
    )
    handler = models.CharField(max_length=12, choices=Handler.choices)
    queue = models.ForeignKey(Queue, models.PROTECT, null=True, blank=True, related_name="decisions")
    priority_class = models.PositiveSmallIntegerField(default=3)
    required_skills = models.JSONField(default=list, help_text=_("Skill codes."))
    service_level = models.ForeignKey(ServiceLevel, models.PROTECT, null=True, blank=True, related_name="+")
    escalation_reason = models.CharField(
        max_length=40, blank=True, help_text=_("What the escalation table answered; empty when it did not escalate.")
    )
    sentence = models.TextField(help_text=_("Why, in a sentence."))
    trace = models.JSONField(default=dict)
    decided_at = models.DateTimeField(auto_now_add=True)
    forgotten_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the declared facts were erased; it cannot be asked again since.")
    )

    is_new = False
    """Of a decision that was just made: that row, handler or queue are not those of the subject's decision before it."""

    class Meta:
        ordering = ["-decided_at", "-id"]
        indexes = [
            # Serves the history of one subject, newest decision first.
            models.Index(fields=["subject", "-id"], name="decision_by_subject"),
            # Serves the dry run and the consistency figure: the decisions of the last days.
            models.Index(fields=["-decided_at"], name="decision_by_time"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(handler__in=["assistant", "human", "callback", "after_hours"]),
                name="decision_handler_is_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(handler="human") | models.Q(queue__isnull=False),
                name="decision_for_a_person_names_a_queue",
            ),
            models.CheckConstraint(
                condition=models.Q(priority_class__gte=1, priority_class__lte=9),
                name="decision_priority_class_is_one_to_nine",
            ),
        ]
        triggers: ClassVar = [
            pgtrigger.Protect(name="decisions_are_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="decisions_are_append_only",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF OLD.forgotten_at IS NULL AND NEW.forgotten_at IS NOT NULL
                       AND NEW.need = OLD.need || '{"facts": {}}'::jsonb
                       AND OLD.trace @> NEW.trace AND NEW.sentence IN ('', OLD.sentence)
                       AND (to_jsonb(NEW) - '{need,trace,sentence,forgotten_at}'::text[])
                         = (to_jsonb(OLD) - '{need,trace,sentence,forgotten_at}'::text[]) THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'decisions are append-only; only what a person told may be forgotten, once'
                        USING ERRCODE = 'check_violation';
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.sentence
