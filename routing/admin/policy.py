"""What managers decide about work: queues, service levels, reasons, outcomes, territories."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from routing.admin.explained import Explained
from routing.admin.history import ShowsHistory
from routing.admin.read_only import CodeIsKept
from routing.admin.supervising import PausesQueues
from routing.models import (
    DispositionCode,
    Queue,
    ReasonCode,
    ReasonPhrase,
    RoutingStep,
    ServiceLevel,
    Territory,
    TerritoryPostcode,
)
from routing.rules.mentions import tables_that_name
from routing.selectors.untaken import steps_into_work_nobody_takes
from routing.services.dispatch import dispatch_after_commit


class NamedInTables(CodeIsKept):
    """Rows that decision tables name: what a draft or the published version needs cannot be deleted."""

    output_name = ""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if not super().has_delete_permission(request, obj):  # type: ignore[misc]
            return False
        return obj is not None and not tables_that_name(self.output_name, obj.code)


class RoutingStepInline(Explained, admin.TabularInline):
    model = RoutingStep
    fk_name = "queue"
    extra = 1
    help_texts = {
        "after_seconds": _("How long the work has waited when this happens, in seconds."),
        "min_proficiency": _("Agents who are this good are enough from then on. Empty: no change."),
        "without_skills": _("Anybody who serves the queue may take it from then on."),
        "also_queue": _("The agents of this queue are asked as well. The work keeps its place in its own line."),
        "raise_class_by": _("It rises by so many classes, once: work that comes from another queue keeps what it has risen by."),
        "becomes_kind": _("It becomes this kind of work, such as callback. Empty: no change."),
    }
    verbose_name_plural = _("steps: what becomes of work that nobody has taken for a while")


@admin.register(Queue)
class QueueAdmin(PausesQueues, NamedInTables, ShowsHistory):
    inlines = (RoutingStepInline,)
    output_name = "queue"
    list_display = ("name", "code", "group", "service_level", "hours", "paused_at", "paused_by", "paused_why")
    list_select_related = ("service_level", "hours")
    help_texts = {
        **CodeIsKept.help_texts,
        "service_level": _("How soon this queue's work should be answered."),
        "hours": _("When people work on it. Empty: always."),
        "outcome_required": _(
            "Whoever closes a conversation that came through this queue has to say how it ended. Otherwise they may, and reports "
            "count it as without an outcome. What closes by itself when the time for writing up is over never has one."
        ),
    }
    search_fields = ("name", "code")
    fieldsets = (
        (None, {"fields": ("name", "code", "service_level", "hours")}),
        (_("Who works on it"), {"fields": ("group", "min_proficiency")}),
        (_("While customers wait"), {"fields": ("call_back_after_seconds",)}),
        (_("When a conversation is closed"), {"fields": ("outcome_required",)}),
    )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Warns of steps after which the queue's work would wait for nobody. What waits is offered at once to whom it may go now."""
        super().save_related(request, form, formsets, change)
        dispatch_after_commit(form.instance.group)
        sentence = _("After %(seconds)d seconds its work becomes “%(kind)s”, which none of its agents takes: add it to a routing profile.")
        for step in steps_into_work_nobody_takes().filter(queue=form.instance):
            messages.warning(request, sentence % {"seconds": step.after_seconds, "kind": step.becomes_kind})


@admin.register(ServiceLevel)
class ServiceLevelAdmin(NamedInTables, ShowsHistory):
    output_name = "service_level"
    list_display = ("name", "code", "answer_within_seconds", "target_percent", "max_wait_seconds", "rise_every_seconds")
    help_texts = {
        **CodeIsKept.help_texts,
        "answer_within_seconds": _("From the moment a person is needed to the moment one accepts, in seconds."),
        "target_percent": _("How much of the work should be answered in that time. The report compares with it."),
    }
    search_fields = ("name", "code")


class ReasonPhraseInline(Explained, admin.TabularInline):
    model = ReasonPhrase
    extra = 3
    help_texts = {"text": _("As a customer would write or say it. With twelve or more, the reason is recognised reliably.")}
    verbose_name = _("phrase")
    verbose_name_plural = _("phrases: how customers say it, in their own words")


@admin.register(ReasonCode)
class ReasonCodeAdmin(CodeIsKept, ShowsHistory):
    inlines = (ReasonPhraseInline,)
    list_display = ("name", "code", "line_of_business", "urgency", "active")
    help_texts = {
        **CodeIsKept.help_texts,
        "line_of_business": _("A part of the business that decision tables can tell apart, such as heating. Empty: none."),
        "active": _("A reason that is not active is no longer recognised. The history keeps it."),
    }
    list_filter = ("line_of_business", "urgency", "active")
    search_fields = ("name", "code", "phrases__text")


@admin.register(DispositionCode)
class DispositionCodeAdmin(CodeIsKept, ShowsHistory):
    list_display = ("name", "code", "resolved", "active")
    help_texts = {
        **CodeIsKept.help_texts,
        "active": _("An outcome that is not active is no longer offered to agents. The history keeps it."),
    }
    list_filter = ("resolved", "active")
    search_fields = ("name", "code")


class TerritoryPostcodeForm(forms.ModelForm):
    """A postcode prefix, put into capitals without spaces."""

    class Meta:
        model = TerritoryPostcode
        fields = ("prefix",)
        help_texts = {"prefix": _("The beginning of the postcodes, such as LS1.")}

    def clean_prefix(self) -> str:
        return str(self.cleaned_data["prefix"]).replace(" ", "").upper()


class TerritoryPostcodeInline(admin.TabularInline):
    model = TerritoryPostcode
    form = TerritoryPostcodeForm
    extra = 3


@admin.register(Territory)
class TerritoryAdmin(CodeIsKept, ShowsHistory):
    inlines = (TerritoryPostcodeInline,)
    list_display = ("name", "code")
    search_fields = ("name", "code", "postcodes__prefix")
