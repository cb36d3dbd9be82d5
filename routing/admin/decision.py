"""Decisions: what was decided, from which facts, by which row, and why."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from routing.admin.read_only import ReadOnlyAdmin
from routing.models import Decision
from routing.need import Need
from routing.rules.schema import FACTS


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = ("decided_at", "subject", "handler", "queue", "priority_class", "escalation_reason", "sentence")
    list_filter = ("handler", "queue", "escalation_reason", "rule_set")
    list_select_related = ("queue",)
    search_fields = ("subject", "sentence")
    date_hierarchy = "decided_at"
    fieldsets = (
        (_("Why"), {"fields": ("sentence", "facts", "rule_set", "rule", "escalation_rule_set")}),
        (
            _("What"),
            {"fields": ("handler", "queue", "priority_class", "skills", "service_level", "escalation_reason")},
        ),
        (_("When"), {"fields": ("subject", "decided_at")}),
    )
    readonly_fields = ("facts", "skills")

    @admin.display(description=_("What was known"))
    def facts(self, decision: Decision) -> SafeString:
        """The facts as a list, by their labels."""
        need = Need.from_json(decision.need)
        rows = [(fact.label, getattr(need, fact.name)) for fact in FACTS.values()]
        rows += list(need.facts.items())
        return format_html(
            "<dl class='facts'>{}</dl>", format_html_join("", "<dt>{}</dt><dd>{}</dd>", rows)
        )

    @admin.display(description=_("Skills"))
    def skills(self, decision: Decision) -> str:
        """The skills that were asked for."""
        return ", ".join(decision.required_skills) or str(_("None"))
