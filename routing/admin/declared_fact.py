"""What the facts that the company declares itself can be: lists of values, spans of numbers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from routing.admin.explained import Explained
from routing.admin.history import ShowsHistory
from routing.models import DeclaredFact, DeclaredFactValue, RuleSet
from routing.rules.publish import problems_of
from routing.rules.schema import DECLARED_FACT_PREFIX, FACTS, fact_named

NOT_IN_ITS_LIST = _("Saved. %(set)s does not fit it, so it cannot be published: %(problem)s")
PUBLISHED_IS_KEPT = _("Saved. %(set)s keeps deciding as it was published, but does not fit it: %(problem)s")


class DeclaredFactForm(forms.ModelForm):
    """The name as tables call it, and what it can be."""

    class Meta:
        model = DeclaredFact
        fields = ("name", "kind", "lowest", "highest")

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        fact = fact_named(name)
        is_shadow = name not in FACTS and name.removeprefix(DECLARED_FACT_PREFIX) in FACTS
        if fact is None or fact.type != "text" or is_shadow:
            raise forms.ValidationError(
                _("“%(name)s” is not a fact whose values you declare. Write “language”, “tier”, or a fact such as “facts.building_age”."),
                params={"name": name},
            )
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        name = self.instance.name or cleaned.get("name", "")
        lowest, highest = cleaned.get("lowest"), cleaned.get("highest")
        if cleaned.get("kind") == DeclaredFact.Kind.CHOICE:
            for bound in ("lowest", "highest"):
                if cleaned.get(bound) is not None:
                    self.add_error(bound, _("Only a number has this."))
        elif name in FACTS:
            self.add_error("kind", _("This fact is a word, never a number."))
        if lowest is not None and highest is not None and lowest > highest:
            self.add_error("highest", _("This is less than the lowest."))
        return cleaned


class ValueFormSet(BaseInlineFormSet):
    """The values of a list: at least one; none for a number."""

    def clean(self) -> None:
        super().clean()
        values = [form for form in self.forms if form.has_changed() or form.instance.pk]
        kept = [form for form in values if not self._should_delete_form(form)]  # type: ignore[attr-defined]
        if self.instance.kind == DeclaredFact.Kind.CHOICE and not kept:
            raise forms.ValidationError(_("Name at least one value that it can have."))
        if self.instance.kind == DeclaredFact.Kind.NUMBER and kept:
            raise forms.ValidationError(_("A number has no list of values. Delete them, or choose “One of a list”."))


class ValueInline(Explained, admin.TabularInline):
    model = DeclaredFactValue
    formset = ValueFormSet
    extra = 3
    verbose_name = _("value")
    verbose_name_plural = _("values: when it is one of a list")
    help_texts = {"value": _("As the fact says it, such as gold."), "meaning": _("What people read beside it. Empty: the value itself.")}


@admin.register(DeclaredFact)
class DeclaredFactAdmin(Explained, ShowsHistory):
    form = DeclaredFactForm
    inlines = (ValueInline,)
    list_display = ("name", "kind", "can_be", "used_in")
    help_texts = {
        "name": _(
            "“language”, “tier”, or “facts.” and what a form of a playbook calls the fact that it asks for, such as facts.building_age. "
            "facts.at_risk is “yes” when the customer told of somebody very young, old or ill."
        ),
        "kind": _(
            "A row of a rule set may name only what the fact can be, so that a slip is seen when it is saved. "
            "A fact that is not in this list may be any text."
        ),
        "lowest": _("The smallest number that a row may name. Empty: any."),
        "highest": _("The largest number that a row may name. Empty: any."),
    }

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new fact is used nowhere yet."""
        named = ("name", "kind", "used_in") if obj else ("name", "kind")
        return ((None, {"fields": named}), (_("When it is a number"), {"fields": ("lowest", "highest")}))

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("values")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("name", "used_in") if obj else ()

    @admin.display(description=_("What it can be"))
    def can_be(self, fact: DeclaredFact) -> str:
        """The values of its list with their meanings, or the span of its numbers."""
        if fact.kind == DeclaredFact.Kind.CHOICE:
            return ", ".join(f"{each.value} ({each.meaning})" if each.meaning else each.value for each in fact.values.all())
        if fact.lowest is None and fact.highest is None:
            return str(_("any number"))
        if fact.highest is None:
            return _("%(number)g or more") % {"number": fact.lowest}
        if fact.lowest is None:
            return _("%(number)g or less") % {"number": fact.highest}
        return _("%(lowest)g to %(highest)g") % {"lowest": fact.lowest, "highest": fact.highest}

    @admin.display(description=_("Used in"))
    def used_in(self, fact: DeclaredFact) -> str:
        """The rule sets in force or being drafted whose rows ask for it."""
        using = RuleSet.objects.exclude(status=RuleSet.Status.RETIRED).filter(rules__conditions__has_key=fact.name)
        return ", ".join(map(str, using.distinct())) or str(_("no rule set"))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Says which tables do not fit what was declared, and where."""
        super().save_related(request, form, formsets, change)
        for rule_set in RuleSet.objects.exclude(status=RuleSet.Status.RETIRED):
            sentence = NOT_IN_ITS_LIST if rule_set.status == RuleSet.Status.DRAFT else PUBLISHED_IS_KEPT
            for problem in problems_of(rule_set):
                if problem.column == form.instance.name:
                    messages.warning(request, sentence % {"set": rule_set, "problem": problem})
