"""Decision tables that managers own: sets, their rows, and the test cases that guard publishing."""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from routing.models.history import audited

FACT_VALUE = r"^[^\W_][\w .:+/-]{0,59}$"
"""A text that a cell of a table can name."""
_REFUSE_WHEN_PUBLISHED = """
    IF TG_OP <> 'INSERT' THEN
        SELECT status INTO parent_status FROM routing_ruleset WHERE id = OLD.rule_set_id FOR SHARE;
        IF parent_status IN ('published', 'retired') THEN
            RAISE EXCEPTION '{rows} of a published set never change' USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        SELECT status INTO parent_status FROM routing_ruleset WHERE id = NEW.rule_set_id FOR SHARE;
        IF parent_status IN ('published', 'retired') THEN
            RAISE EXCEPTION '{rows} of a published set never change' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    RETURN OLD;
"""
"""The set is held until the end of the transaction: whoever publishes it waits for changes under way, and theirs wait for them."""


class RuleSet(models.Model):
    """One version of one decision table. Drafts change; published and retired versions never do."""

    class Kind(models.TextChoices):
        ROUTING = "routing", _("Routing")
        SCORING = "scoring", _("Scoring")
        ESCALATION = "escalation", _("Escalation")

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        RETIRED = "retired", _("Retired")

    kind = models.CharField(max_length=12, choices=Kind.choices)
    version = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    note = models.TextField(blank=True, help_text=_("What this version changes, and why."))
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    published_by = models.CharField(max_length=150, blank=True, editable=False)
    compiled = models.JSONField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["kind", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "version"], name="rule_set_version_is_unique_per_kind"),
            models.UniqueConstraint(
                fields=["kind"],
                condition=models.Q(status="published"),
                name="rule_set_has_one_published_version_per_kind",
            ),
            models.CheckConstraint(
                condition=models.Q(status="draft") | models.Q(published_at__isnull=False, compiled__isnull=False),
                name="published_rule_set_is_compiled_and_dated",
            ),
            models.CheckConstraint(condition=models.Q(status__in=["draft", "published", "retired"]), name="rule_set_status_is_known"),
            models.CheckConstraint(condition=models.Q(kind__in=["routing", "scoring", "escalation"]), name="rule_set_kind_is_known"),
        ]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="published_rule_set_never_changes",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__status__in=["published", "retired"]),
                func="""
                    IF NEW.compiled IS DISTINCT FROM OLD.compiled OR NEW.kind <> OLD.kind
                       OR NEW.version <> OLD.version OR NEW.note <> OLD.note OR NEW.status = 'draft'
                       OR NEW.published_at IS DISTINCT FROM OLD.published_at
                       OR NEW.published_by <> OLD.published_by
                       OR NEW.author_id IS DISTINCT FROM OLD.author_id OR NEW.created_at <> OLD.created_at
                       OR (OLD.status = 'retired' AND NEW.status <> 'retired') THEN
                        RAISE EXCEPTION 'a published rule set never changes' USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(
                name="published_rule_set_is_never_deleted",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__status__in=["published", "retired"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} v{self.version} ({self.get_status_display()})"


class Rule(models.Model):
    """One row of a table: cells by fact name, outputs by output name, first match wins.

    `conditions` maps a fact of `routing.rules.schema.FACTS` to the text of its cell; an absent or empty cell
    matches anything. `outputs` maps output names to values. A row without conditions is the catch-all.
    """

    rule_set = models.ForeignKey(RuleSet, models.CASCADE, related_name="rules")
    position = models.PositiveIntegerField()
    description = models.CharField(max_length=200)
    conditions = models.JSONField(default=dict, blank=True)
    outputs = models.JSONField(default=dict)

    class Meta:
        ordering = ["rule_set", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule_set", "position"],
                name="rule_position_is_unique_in_its_set",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(condition=~models.Q(description=""), name="rule_says_what_it_is_for"),
        ]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="rules_of_a_published_set_never_change",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                declare=[("parent_status", "text")],
                func=_REFUSE_WHEN_PUBLISHED.format(rows="rules"),
            )
        ]

    def __str__(self) -> str:
        return self.description


class RuleSetCase(models.Model):
    """An example a set must answer rightly before it can be published."""

    rule_set = models.ForeignKey(RuleSet, models.CASCADE, related_name="cases")
    name = models.CharField(max_length=200)
    need = models.JSONField(default=dict, help_text=_("The facts of the example; what is left out has its default."))
    expected = models.JSONField(default=dict, help_text=_("The outputs that must come out."))

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["rule_set", "name"], name="rule_set_case_name_is_unique_in_its_set")]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="cases_of_a_published_set_never_change",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                declare=[("parent_status", "text")],
                func=_REFUSE_WHEN_PUBLISHED.format(rows="cases"),
            )
        ]

    def __str__(self) -> str:
        return self.name


@audited()
class DeclaredFact(models.Model):
    """What a fact that the company declares itself can be: one of a list of values, or a number in a span.

    Tables call it `language`, `tier`, or `facts.` and a name. A fact without a row here is free text.
    """

    class Kind(models.TextChoices):
        CHOICE = "choice", _("One of a list")
        NUMBER = "number", _("A number")

    name = models.CharField(_("fact"), max_length=46, unique=True)
    kind = models.CharField(_("what it is"), max_length=10, choices=Kind.choices, default=Kind.CHOICE)
    lowest = models.FloatField(_("lowest"), null=True, blank=True)
    highest = models.FloatField(_("highest"), null=True, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("declared fact")
        verbose_name_plural = _("declared facts")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(name__regex=r"^(language|tier|facts\.[a-z][a-z0-9_]{0,39})$"), name="declared_fact_has_a_name_of_a_table"
            ),
            models.CheckConstraint(
                condition=models.Q(kind="choice") | models.Q(kind="number", name__startswith="facts."),
                name="declared_fact_kind_fits_its_name",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="number") | models.Q(lowest__isnull=True, highest__isnull=True),
                name="declared_fact_has_a_span_only_as_a_number",
            ),
            models.CheckConstraint(
                condition=models.Q(lowest__isnull=True) | models.Q(highest__isnull=True) | models.Q(lowest__lte=models.F("highest")),
                name="declared_fact_span_runs_forwards",
            ),
        ]

    def __str__(self) -> str:
        return self.name


@audited()
class DeclaredFactValue(models.Model):
    """One value that a declared fact can have."""

    fact = models.ForeignKey(DeclaredFact, models.CASCADE, related_name="values")
    value = models.CharField(
        _("value"), max_length=60, validators=[RegexValidator(FACT_VALUE, _("Letters, digits, spaces and . : + / - only."))]
    )
    meaning = models.CharField(_("meaning"), max_length=80, blank=True)

    class Meta:
        ordering = ["value"]
        constraints = [
            models.UniqueConstraint(fields=["fact", "value"], name="declared_fact_has_a_value_once"),
            models.CheckConstraint(condition=~models.Q(value=""), name="declared_fact_value_is_not_empty"),
        ]

    def __str__(self) -> str:
        return self.value


@audited()
class ChannelException(models.Model):
    """A fact that tables may ask for although its name, or what is written about it, names a channel. There is none by default."""

    fact = models.CharField(
        _("fact"), max_length=60, unique=True, help_text=_("As tables call it: “facts.” and its name, such as facts.call_back_window.")
    )
    reason = models.CharField(
        _("reason"), max_length=400, help_text=_("Why this does not send the same need to different places, or why that is wanted.")
    )
    declared_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("declared by"))
    since = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        ordering = ["fact"]
        verbose_name = _("channel exception")
        verbose_name_plural = _("channel exceptions")
        constraints = [
            models.CheckConstraint(condition=~models.Q(fact=""), name="channel_exception_names_a_fact"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="channel_exception_has_a_reason"),
        ]

    def __str__(self) -> str:
        return self.fact
