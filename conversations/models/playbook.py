"""How the AI agent behaves: persona, disclosure, policies, forms to fill, tools. Versioned."""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from routing.models import ReasonCode


class Playbook(models.Model):
    """One version of how to behave. Published and retired versions never change."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        RETIRED = "retired", _("Retired")

    code = models.CharField(max_length=40)
    version = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    name = models.CharField(max_length=80)
    persona = models.TextField(help_text=_("Who the AI agent is and how it speaks."))
    disclosure = models.TextField(help_text=_("The sentence that says, once and plainly, that this is an AI."))
    policies = models.TextField(blank=True)
    tools = models.JSONField(default=list, help_text=_("Names of the tools it may use."))
    languages = models.JSONField(default=list)
    reason_threshold = models.FloatField(
        default=0.4, help_text=_("Below this confidence the reason counts as unknown and the AI agent asks.")
    )
    knowledge_threshold = models.FloatField(default=0.35)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["code", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="playbook_version_is_unique_per_code"),
            models.UniqueConstraint(fields=["code"], condition=models.Q(status="published"), name="playbook_has_one_published_version"),
            models.CheckConstraint(condition=~models.Q(disclosure=""), name="playbook_discloses_that_it_is_an_ai"),
            models.CheckConstraint(
                condition=models.Q(reason_threshold__gte=0, reason_threshold__lte=1)
                & models.Q(knowledge_threshold__gte=0, knowledge_threshold__lte=1),
                name="playbook_thresholds_are_zero_to_one",
            ),
        ]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="published_playbook_never_changes",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__status__in=["published", "retired"]),
                func="""
                    IF NEW.status = 'draft' OR (to_jsonb(NEW) - 'status') <> (to_jsonb(OLD) - 'status') THEN
                        RAISE EXCEPTION 'a published playbook never changes' USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class PlaybookForm(models.Model):
    """Facts to collect for one purpose, then the tool that uses them."""

    playbook = models.ForeignKey(Playbook, models.CASCADE, related_name="forms")
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    reasons = models.ManyToManyField(ReasonCode, blank=True, related_name="forms", help_text=_("The reasons that start this form."))
    tool = models.CharField(max_length=40, blank=True, help_text=_("The tool that runs when every fact is there."))
    closing = models.TextField(blank=True, help_text=_("What is said when there is no tool to run."))

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["playbook", "code"], name="playbook_form_code_is_unique_in_its_playbook")]

    def __str__(self) -> str:
        return self.name


class PlaybookFormField(models.Model):
    """One fact to collect and how to ask for it."""

    form = models.ForeignKey(PlaybookForm, models.CASCADE, related_name="fields")
    order = models.PositiveSmallIntegerField()
    fact = models.CharField(max_length=40, help_text=_("name, phone, email, postcode, time_window, order_number, amount, …"))
    prompt = models.CharField(max_length=300)
    spoken_prompt = models.CharField(max_length=300, blank=True, help_text=_("When it is said differently on the phone."))
    required = models.BooleanField(default=True)

    class Meta:
        ordering = ["order"]
        constraints = [
            models.UniqueConstraint(fields=["form", "fact"], name="playbook_form_asks_for_a_fact_once"),
            models.UniqueConstraint(fields=["form", "order"], name="playbook_form_field_order_is_unique"),
        ]

    def __str__(self) -> str:
        return self.fact
