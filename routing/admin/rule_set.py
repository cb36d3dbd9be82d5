"""Decision tables: rows edited as a table, examples that guard them, trying, publishing, going back."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Count, TextField
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from routing.admin.dry_run import dry_run_shown
from routing.admin.explained import Explained
from routing.admin.rule_forms import case_form, need_said, rule_form, try_form
from routing.models import Rule, RuleSet, RuleSetCase
from routing.need import Need
from routing.rules.compile import Problem, TableRefused
from routing.rules.evaluate import table_of
from routing.rules.explain import explain, rows_above
from routing.rules.publish import (
    PublishRefused,
    already_published,
    as_written,
    in_words,
    new_draft,
    new_draft_from,
    problems_of,
    publish,
    renumber,
    roll_back_to,
    run_cases,
)
from routing.rules.schema import DECLARED_FACT_PREFIX, FACTS, OUTPUTS, Fact, InvalidNeed, Vocabulary, fact_named
from routing.selectors.untaken import rows_nobody_takes
from routing.services.decide import ask

ALWAYS_SHOWN = ("escalation", "reason", "urgency", "asked_for_human", "in_hours")
PROBLEMS_SHOWN = 10


class RowsFormSet(BaseInlineFormSet):
    """The rows of a table; two may be given the same number, and are renumbered when they are stored."""

    def validate_unique(self) -> None:
        """Numbers are made unique by `renumber`."""


class RuleInline(admin.TabularInline):
    model = Rule
    formset = RowsFormSet
    template = "admin/routing/rule_rows.html"
    extra = 1
    verbose_name = gettext_lazy("row")
    verbose_name_plural = gettext_lazy("rows")

    def get_formset(self, request: HttpRequest, obj: Any = None, **options: Any) -> Any:
        problems = _problems_by_row(obj) if request.method == "GET" else None
        vocabulary = Vocabulary.current()
        self.form = rule_form(obj.kind, columns_of(obj, request, vocabulary), vocabulary, problems)
        return super().get_formset(request, obj, **options)


class CaseInline(admin.TabularInline):
    model = RuleSetCase
    extra = 1
    verbose_name = gettext_lazy("example")
    verbose_name_plural = gettext_lazy("examples")

    def get_formset(self, request: HttpRequest, obj: Any = None, **options: Any) -> Any:
        self.form = case_form(obj.kind, Vocabulary.current())
        return super().get_formset(request, obj, **options)


class PublishForm(forms.Form):
    """What to remember about a publication."""

    note = forms.CharField(
        label=gettext_lazy("What changes, and why"), widget=forms.Textarea(attrs={"rows": 3}), max_length=2000
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)


class DraftForm(forms.ModelForm):
    """A table. `seen` is what its rows and examples were when the page was opened: who saves on top of others' changes undoes them."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk:
            self.initial["seen"] = as_written(self.instance)

    def clean_seen(self) -> str:
        """Holds the draft's row until it is saved, so that of two who save at once the second is told."""
        seen: str = self.cleaned_data["seen"]
        if seen and self.instance.pk:
            locked = RuleSet.objects.select_for_update().get(pk=self.instance.pk)
            if seen != as_written(locked):
                raise forms.ValidationError(
                    _(
                        "Somebody else changed this draft after you opened it, and saving would undo that. Your changes are still below: "
                        "open the draft in another window and make them there."
                    )
                )
        return seen


def columns_of(rule_set: RuleSet, request: HttpRequest, vocabulary: Vocabulary) -> list[Fact]:
    """The columns to show: those in use and the usual ones, or all when the reader asked for them."""
    if request.GET.get("columns") == "all":
        return vocabulary.facts_of(rule_set.kind)
    used = {name for conditions in rule_set.rules.values_list("conditions", flat=True) for name in conditions}
    return [fact for fact in vocabulary.facts_of(rule_set.kind) if fact.name in used or fact.name in ALWAYS_SHOWN]


def _problems_by_row(draft: RuleSet) -> dict[int, list[Problem]]:
    """What keeps a draft from being published, by the row in which it is shown."""
    ids = list(draft.rules.order_by("position", "pk").values_list("pk", flat=True))
    found: dict[int, list[Problem]] = defaultdict(list)
    for problem in problems_of(draft):
        if problem.row:
            found[ids[problem.row - 1]].append(problem)
    return found


@admin.register(RuleSet)
class RuleSetAdmin(Explained, admin.ModelAdmin):
    change_form_template = "admin/routing/rule_set_page.html"
    list_display = ("__str__", "row_count", "note", "author", "published_at", "published_by")
    list_filter = ("kind", "status")
    list_select_related = ("author",)
    search_fields = ("note",)
    form = DraftForm
    help_texts = {
        "kind": gettext_lazy(
            "Routing says who answers a need. Scoring gives points that routing can look at. "
            "Escalation says when the AI agent hands over by itself."
        )
    }

    formfield_overrides = {TextField: {"widget": forms.Textarea(attrs={"rows": 2, "cols": 80})}}

    class Media:
        css = {"all": ("routing/rule_table.css",)}
        js = (forms.Script("routing/rule_rows.js", type="module"),)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(rows=Count("rules"))

    @admin.display(description=gettext_lazy("Rows"))
    def row_count(self, rule_set: Any) -> int:
        """How many rows the version has."""
        return int(rule_set.rows)

    def get_fields(self, request: HttpRequest, obj: RuleSet | None = None) -> tuple[str, ...]:
        return ("kind", "note", "seen") if obj is not None and obj.status == RuleSet.Status.DRAFT else ("kind", "note")

    def get_readonly_fields(self, request: HttpRequest, obj: RuleSet | None = None) -> tuple[str, ...]:
        return ("kind",) if obj else ()

    def get_inlines(self, request: HttpRequest, obj: RuleSet | None) -> list[Any]:
        return [RuleInline, CaseInline] if obj and obj.status == RuleSet.Status.DRAFT else []

    def has_change_permission(self, request: HttpRequest, obj: RuleSet | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.status == RuleSet.Status.DRAFT)

    def has_delete_permission(self, request: HttpRequest, obj: RuleSet | None = None) -> bool:
        is_draft = obj is not None and obj.status == RuleSet.Status.DRAFT
        return is_draft and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: RuleSet, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
        else:
            obj.pk = new_draft(obj.kind, author=self._user(request), note=obj.note).pk
            obj.refresh_from_db()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        moved = [row for formset in formsets for row in (*formset.new_objects, *(each for each, _f in formset.changed_objects))]
        renumber(form.instance, moved={row.pk for row in moved if isinstance(row, Rule)})
        if not change:
            return
        problems = problems_of(form.instance)
        for problem in problems[:PROBLEMS_SHOWN]:
            messages.warning(request, _("Saved, but not ready to publish. %(problem)s") % {"problem": problem})
        if (more := len(problems) - PROBLEMS_SHOWN) > 0:
            messages.warning(request, _("There are %(more)d more; each is marked in its row.") % {"more": more})

    def response_add(self, request: HttpRequest, obj: RuleSet, post_url_continue: str | None = None) -> HttpResponse:
        return redirect("admin:routing_ruleset_change", obj.pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        rule_set = self.get_object(request, object_id)
        context = extra_context or {}
        if rule_set is not None:
            context |= {
                "may_publish": request.user.has_perm("routing.change_ruleset"),
                "value_lists": Vocabulary.current().lists,
                "all_columns": request.GET.get("columns") == "all",
                "shown_rows": _shown_rows(rule_set) if rule_set.status != RuleSet.Status.DRAFT else None,
                "shown_examples": _shown_examples(rule_set) if rule_set.status != RuleSet.Status.DRAFT else None,
                "shown_outputs": OUTPUTS[rule_set.kind],
            }
        return super().change_view(request, object_id, form_url, context)

    def get_urls(self) -> list[URLPattern]:
        pages = (("publish", self.publish_page), ("draft", self.draft), ("roll_back", self.roll_back), ("try", self.try_page))
        return [
            *(
                path(f"<int:number>/{name}/", self.admin_site.admin_view(page), name=f"routing_ruleset_{name}")
                for name, page in pages
            ),
            *super().get_urls(),
        ]

    def publish_page(self, request: HttpRequest, number: int) -> HttpResponse:
        """Shows what publishing a draft would change, and publishes it."""
        draft = self._changeable(request, number)
        if draft.status != RuleSet.Status.DRAFT:
            only_a_draft = _("Only a draft can be published. Make a draft from this version first.")
            messages.warning(request, already_published(draft) if request.method == "POST" else only_a_draft)
            return redirect("admin:routing_ruleset_change", number)
        seen = as_written(draft)
        form = PublishForm(request.POST or None, initial={"note": draft.note, "seen": seen})
        failures: list[str] = []
        if request.method == "POST" and form.is_valid():
            try:
                published = publish(draft, by=self._user(request), note=form.cleaned_data["note"], seen=form.cleaned_data["seen"])
            except PublishRefused as refused:
                failures = refused.failures
                form = PublishForm({"note": form.cleaned_data["note"], "seen": seen})
            else:
                self.log_change(request, published, _("Published."))
                messages.success(request, _("Published. The next decision follows this version."))
                return redirect("admin:routing_ruleset_change", number)
        context = self._review(request, draft) | {"form": form, "failures": failures}
        return self._page(request, draft, "publish", _("Review and publish"), context)

    @method_decorator(require_POST)
    def draft(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Makes a draft with the rows and examples of any version."""
        draft = new_draft_from(self._changeable(request, number), author=self._user(request))
        messages.success(request, _("This is the draft. Nothing follows it until you publish it."))
        return redirect("admin:routing_ruleset_change", draft.pk)

    @method_decorator(require_POST)
    def roll_back(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Publishes a copy of an older version."""
        older = self._changeable(request, number)
        try:
            published = roll_back_to(older, by=self._user(request))
        except PublishRefused as refused:
            for failure in refused.failures:
                messages.error(request, failure)
            return redirect("admin:routing_ruleset_change", number)
        self.log_change(request, published, _("Went back to version %(version)d.") % {"version": older.version})
        messages.success(request, _("Published. The next decision follows this copy."))
        return redirect("admin:routing_ruleset_change", published.pk)

    def try_page(self, request: HttpRequest, number: int) -> HttpResponse:
        """Asks any version what it says to a need, storing nothing."""
        if not request.user.has_perm("routing.view_ruleset"):
            raise PermissionDenied
        rule_set = get_object_or_404(RuleSet, pk=number)
        vocabulary = Vocabulary.current()
        form = try_form(rule_set.kind, vocabulary)(request.GET or None)
        context: dict[str, Any] = {"form": form}
        if form.is_valid():
            context |= _tried(rule_set, need_said(form.cleaned_data, vocabulary.facts_of(rule_set.kind)))
        return self._page(request, rule_set, "try", _("Try it"), context)

    def _review(self, request: HttpRequest, draft: RuleSet) -> dict[str, Any]:
        if problems := problems_of(draft):
            return {"problems": problems}
        return {"cases": run_cases(draft), "untaken": rows_nobody_takes(draft), **dry_run_shown(draft, request)}

    def _page(
        self, request: HttpRequest, rule_set: RuleSet, page: str, title: str, context: dict[str, Any]
    ) -> TemplateResponse:
        shared = self.admin_site.each_context(request) | {
            "title": f"{title}: {rule_set}",
            "opts": self.opts,
            "original": rule_set,
            "media": self.media,
        }
        return TemplateResponse(request, f"admin/routing/rule_set_{page}.html", shared | context)

    def _changeable(self, request: HttpRequest, number: int) -> RuleSet:
        if not request.user.has_perm("routing.change_ruleset"):
            raise PermissionDenied
        return get_object_or_404(RuleSet, pk=number)

    def _user(self, request: HttpRequest) -> User:
        if not isinstance(request.user, User):
            raise PermissionDenied
        return request.user


def _tried(rule_set: RuleSet, said_of_need: dict[str, Any]) -> dict[str, Any]:
    try:
        answer, escalated = ask(table_of(rule_set), Need.from_json(said_of_need))
    except TableRefused as error:
        return {"problems": error.problems}
    except InvalidNeed as error:
        return {"problems": [str(error)]}
    labels = {output.name: output.label for output in OUTPUTS[rule_set.kind]}
    said = [(labels[name], in_words(value)) for name, value in answer.outputs.items()]
    if escalated is not None:
        said.append((FACTS["escalation"].label, in_words(answer.need.escalation)))
    return {"answer": answer, "said": said, "sentence": explain(answer, escalated), "above": rows_above(answer)}


def _shown_examples(rule_set: RuleSet) -> list[tuple[str, list[tuple[Any, str]], list[tuple[Any, str]]]]:
    """The examples of a version that does not change any more: name, what is known, what comes out."""
    labels = {output.name: output.label for output in OUTPUTS[rule_set.kind]}
    shown = []
    for case in rule_set.cases.all():
        told = {name: value for name, value in case.need.items() if name != "facts"}
        told |= {f"{DECLARED_FACT_PREFIX}{name}": value for name, value in case.need.get("facts", {}).items()}
        known = [(fact.label if (fact := fact_named(name)) else name, in_words(value)) for name, value in told.items()]
        shown.append((case.name, known, [(labels.get(name, name), in_words(value)) for name, value in case.expected.items()]))
    return shown


def _shown_rows(rule_set: RuleSet) -> list[dict[str, Any]]:
    """The rows of a version that does not change any more, for reading."""
    return [
        {
            "description": rule.description,
            "cells": [(fact.label if (fact := fact_named(name)) else name, cell) for name, cell in rule.conditions.items()],
            "answers": [in_words(rule.outputs.get(output.name, output.default)) for output in OUTPUTS[rule_set.kind]],
        }
        for rule in rule_set.rules.order_by("position", "pk")
    ]
