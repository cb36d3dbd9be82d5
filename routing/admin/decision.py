"""Decisions: what was decided, from which facts, by which row, and why."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from routing.admin.read_only import ReadOnlyAdmin
from routing.models import Decision, RuleSet
from routing.need import Need
from routing.rules.explain import rows_above
from routing.rules.publish import in_words
from routing.rules.schema import FACTS
from routing.services.replaying import ask_again


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = ("decided_at", "subject", "handler", "queue", "priority_class", "escalation_reason", "sentence")
    list_filter = ("handler", "queue", "escalation_reason", "rule_set")
    list_select_related = ("queue",)
    search_fields = ("subject", "sentence")
    date_hierarchy = "decided_at"
    fieldsets = (
        (_("Why"), {"fields": ("sentence", "rows_that_did_not", "facts", "rule_set", "rule", "escalation_rule_set")}),
        (
            _("What"),
            {"fields": ("handler", "queue", "priority_class", "skills", "service_level", "escalation_reason")},
        ),
        (_("When"), {"fields": ("subject", "decided_at")}),
    )
    readonly_fields = ("facts", "skills", "rows_that_did_not")
    change_form_template = "admin/routing/decision_page.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The decision; with `ask_again` in the address also how it comes out now."""
        context = extra_context or {}
        decision = self.get_object(request, object_id) if "ask_again" in request.GET else None
        if decision is not None:
            context["again"] = ask_again(decision)
        return super().change_view(request, object_id, form_url, context)

    @admin.display(description=_("Rows above"))
    def rows_that_did_not(self, decision: Decision) -> SafeString:
        """Why each row above the one that matched did not, by the versions that decided."""
        again = ask_again(decision)
        if again.why_not:
            return format_html("<p>{}</p>", again.why_not)
        parts = []
        for each in again.answers:
            rows, not_listed = rows_above(each)
            shown = {"title": RuleSet.Kind(each.table.kind).label, "rows": rows, "not_listed": not_listed}
            parts.append((render_to_string("admin/routing/rows_above.html", shown),))
        return format_html_join("", "{}", parts)

    @admin.display(description=_("What was known"))
    def facts(self, decision: Decision) -> SafeString:
        """The facts as a list, by their labels; those of another time, which tables do not ask about any more, by their names."""
        told = dict(decision.need)
        declared = dict(told.pop("facts", {}))
        usual = Need()
        rows: list[tuple[Any, str]] = [
            (fact.label, in_words(told.pop(fact.name, getattr(usual, fact.name)))) for fact in FACTS.values()
        ]
        rows += [*((name, in_words(value)) for name, value in told.items()), *declared.items()]
        return format_html(
            "<dl class='facts'>{}</dl>", format_html_join("", "<dt>{}</dt><dd>{}</dd>", rows)
        )

    @admin.display(description=_("Skills"))
    def skills(self, decision: Decision) -> str:
        """The skills that were asked for."""
        return ", ".join(decision.required_skills) or str(_("None"))
