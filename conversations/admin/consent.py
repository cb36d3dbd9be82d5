"""What customers agreed to, to be read, and the list of numbers and addresses that are never contacted."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from conversations.models import Consent, ContactPreference, Customer, Suppression
from conversations.selectors import consent
from conversations.selectors.consent import PurposeAnswers
from conversations.services import consent_texts, identity, suppression
from routing.admin.read_only import ReadOnlyAdmin


def consents_of(customer: Customer) -> dict[str, Any]:
    """What the customer's page shows under “Consent”: the answers that hold, by purpose, and how they like to be reached."""
    answers: list[PurposeAnswers] = consent.answers_of(customer)
    preference: ContactPreference | None = consent.preference_of(customer)
    return {"answers": answers, "preference": preference}


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    list_display = ("at", "of_customer", "purpose", "for_what", "decision", "how", "given_by", "recorded_by")
    list_display_links = ("at",)
    list_filter = ("purpose", "decision", "how", "given_by", "asked_for")
    list_select_related = ("customer",)
    search_fields = ("customer__name", "value", "recorded_by")
    search_help_text = _("A customer's name, a number as +441632960100, an email address, or who wrote it down.")
    date_hierarchy = "at"
    fields = (
        "purpose", "for_what", "decision", "asked_for", "wording", "language", "how", "given_by", "assurance", "recorded_by", "note",
        "at", "expires_at", "of_customer", "interaction", "entry_point",
    )  # fmt: skip
    readonly_fields = ("for_what", "of_customer")

    @admin.display(description=_("Customer"), ordering="customer__name")
    def of_customer(self, row: Consent) -> str:
        return format_html('<a href="{}">{}</a>', reverse("admin:conversations_customer_change", args=[row.customer_id]), row.customer)

    @admin.display(description=_("For what"))
    def for_what(self, row: Consent) -> str:
        return consent_texts.scope_of(row) or str(_("everything"))


class SuppressionForm(forms.ModelForm):
    """A number or address to put on the list; afterwards only whether it stays there."""

    class Meta:
        model = Suppression
        fields = ("kind", "value", "reason", "lifted_reason")
        labels = {"lifted_reason": _("Take off the list, because")}
        help_texts = {
            "kind": _("A phone number gets neither calls nor text messages."),
            "value": _("A number with its country code, such as +441632960100, or an email address."),
            "reason": _("Why it must never be contacted. Colleagues see it when they try."),
            "lifted_reason": _("Write why it may be contacted again, and it is taken off when you save. Empty: it stays."),
        }

    def clean_value(self) -> str:
        try:
            return identity.normalise(str(self.data.get("kind", "")), self.cleaned_data["value"])
        except identity.InvalidIdentifier as problem:
            raise ValidationError(str(problem)) from problem

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        value = data.get("value")
        if value and suppression.is_suppressed(str(data.get("kind", "")), value):
            raise ValidationError({"value": _("It is on the list already.")})
        return data


class StillOnTheList(admin.SimpleListFilter):
    """Those never to be contacted now, or those that were taken off."""

    title = _("whether it is on the list")
    parameter_name = "listed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("On the list")), ("no", _("Taken off"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> QuerySet[Suppression]:
        match self.value():
            case "yes" | "no" as asked:
                return queryset.filter(lifted_at__isnull=asked == "yes")
            case _other:
                return queryset


@admin.register(Suppression)
class SuppressionAdmin(admin.ModelAdmin):
    form = SuppressionForm
    list_display = ("__str__", "kind", "reason", "added_by", "added_at", "lifted_at")
    list_filter = ("kind", StillOnTheList)
    search_fields = ("value", "reason", "added_by")
    list_per_page = 50
    show_full_result_count = False

    def get_fields(self, request: HttpRequest, obj: Suppression | None = None) -> Any:
        if obj is None:
            return ("kind", "value", "reason")
        kept = ("__str__", "kind", "reason", "added_by", "added_at", "lifted_reason")
        return kept if obj.lifted_at is None else (*kept, "lifted_by", "lifted_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Suppression | None = None) -> Any:
        if obj is None:
            return ()
        kept = ("__str__", "kind", "reason", "added_by", "added_at", "lifted_by", "lifted_at")
        return kept if obj.lifted_at is None else (*kept, "lifted_reason")

    def get_form(self, request: HttpRequest, obj: Suppression | None = None, change: bool = False, **options: Any) -> Any:
        """What is on the list is not checked again when it is taken off."""
        if obj is not None:
            options["form"] = LiftForm
        return super().get_form(request, obj, change, **options)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Puts it on the list, or takes it off."""
        who, data = str(request.user), form.cleaned_data
        if not change:
            row, _created = suppression.suppress(data["kind"], data["value"], reason=data["reason"], added_by=who)
            obj.pk = row.pk
        elif data.get("lifted_reason") and suppression.lift(obj, reason=data["lifted_reason"], lifted_by=who):
            messages.info(request, _("It may be contacted again."))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Suppression]:
        return super().get_queryset(request).order_by("-added_at", "-pk")


class LiftForm(forms.ModelForm):
    """Why a value comes off the list."""

    class Meta:
        model = Suppression
        fields = ("lifted_reason",)
        labels = SuppressionForm.Meta.labels
        help_texts = SuppressionForm.Meta.help_texts
