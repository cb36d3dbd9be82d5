"""Customers: who they are, how they are known, and everything that happened with them on one page."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from conversations.admin import privacy
from conversations.admin.consent import consents_of
from conversations.admin.customer_export import MOST_ROWS, csv_of
from conversations.admin.customer_import import CustomerImport
from conversations.admin.customer_list import (
    EstimatingPaginator,
    HasCandidates,
    HasJoinedRecords,
    HasOpenConversation,
    IsVerified,
    found_by,
    listed,
)
from conversations.admin.fields import TimeZoneField
from conversations.admin.history import entries_wanted, history_of
from conversations.admin.merging import trail_of
from conversations.likeness import codes
from conversations.models import Customer, Identifier, SharedIdentifier
from conversations.reading.wording import fact_label, fact_value, pairs
from conversations.selectors import customer_record, history
from conversations.services import manager_log, records, sharing
from conversations.services.import_rows import OLDEST
from routing.admin.read_only import ReadOnlyAdmin
from routing.rules.schema import declared_values


class CustomerForm(forms.ModelForm):
    """What a manager may put right about a customer."""

    time_zone = TimeZoneField(
        label=_("Time zone"), required=False, help_text=_("Times told to this customer are in this zone. Empty: the company's.")
    )
    postcode = forms.CharField(label=_("Postcode"), required=False, max_length=20, help_text=_("With spaces or without."))

    class Meta:
        model = Customer
        fields = ("name", "date_of_birth", "address", "postcode", "language", "time_zone", "tier", "open_balance")
        help_texts = {
            "name": _("What agents and the AI agent call this customer."),
            "date_of_birth": _("Callers may be asked for it; it is never read out to them."),
            "language": _("Two letters, such as en or es."),
            "tier": _("Routing tables can give tiers their own rows. Use the words that the tables use, such as standard."),
            "open_balance": _("What the customer owes. Routing tables can look at it."),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        """Tier and language are chosen from the values that the company declared for tables, when it did.

        What each field held when the page was opened comes back with it, so that only what was changed there counts as changed.
        """
        super().__init__(*args, **options)
        for name in ("tier", "language"):
            values = declared_values(name)
            if values:
                standing = str(getattr(self.instance, name))
                choices = {standing: standing} | values if standing else values
                label, help_text = self.fields[name].label, self.fields[name].help_text
                self.fields[name] = forms.ChoiceField(label=label, choices=list(choices.items()), help_text=help_text)
        for field in self.fields.values():
            field.show_hidden_initial = True

    def clean(self) -> dict[str, Any]:
        """Refuses to write over what somebody else has changed since the page was opened."""
        for name in self.changed_data:
            field, opened_with = self[name].field, self.data.get(self[name].html_initial_name)
            if opened_with is not None and field.has_changed(self.initial.get(name), opened_with):
                stands = {"value": self.initial.get(name) or "–"}
                self.add_error(name, _("Somebody has changed this since you opened the page. Now it is: %(value)s") % stands)
        return super().clean() or self.cleaned_data

    def clean_date_of_birth(self) -> date | None:
        """A day on which somebody living may have been born."""
        born: date | None = self.cleaned_data["date_of_birth"]
        if born and not OLDEST <= born <= timezone.localdate():
            raise forms.ValidationError(_("Nobody was born then: choose a day since 1900 that is not to come."))
        return born

    def clean_postcode(self) -> str:
        """In the form that it is looked for in."""
        postcode = codes.typed(self.cleaned_data["postcode"])
        if not re.fullmatch(r"[A-Z0-9]{0,16}", postcode):
            raise forms.ValidationError(_("A postcode has letters, digits and spaces, 16 at most."))
        return postcode


@admin.register(Customer)
class CustomerAdmin(CustomerImport, admin.ModelAdmin):
    form = CustomerForm
    change_form_template = "admin/conversations/customer_page.html"
    list_display = ("named", "known_by", "last_contact", "open_conversations")
    list_filter = (HasOpenConversation, IsVerified, HasJoinedRecords, HasCandidates)
    list_per_page = 50
    list_max_show_all = 0
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    paginator = EstimatingPaginator
    search_fields = ("name",)
    search_help_text = _(
        "A name, also misspelt; a phone number or its last digits; an email address; another system's number; "
        "the number of a visit, an order, an invoice or a ticket; a postcode; a date of birth; or words of the history."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """The newest customers first. A record that was joined into another one is found on that one's page."""
        customers: QuerySet[Customer] = super().get_queryset(request)
        if self._is_list(request):
            customers = listed(customers.filter(root__isnull=True))
        return customers

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """Open conversations are read by the last word in them."""
        return [F("last_at").desc(nulls_last=True), "-pk"] if request.GET.get("open") == "yes" and self._is_list(request) else ["-pk"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        """Whatever fits, the best first."""
        return (found_by(queryset, search_term) if search_term.strip() else queryset), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Customers appear when they write or call, or are imported."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Customer, form: forms.ModelForm, change: bool) -> None:
        """Writes only what was changed on the page: what was joined, or changed by others, since it was opened stays."""
        records.correct(obj, form.changed_data)

    def get_urls(self) -> list[URLPattern]:
        return [path("export/", self.admin_site.admin_view(self.export), name="conversations_customer_export"), *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponse:
        """The listed customers as a file, for whoever may take them along."""
        if not request.user.has_perm("conversations.export_customer"):
            raise PermissionDenied
        customers = self.get_changelist_instance(request).get_queryset(request)
        if customers.order_by()[: MOST_ROWS + 1].count() > MOST_ROWS:
            too_many = _("These are more than %(most)d customers. Narrow the list by a search or filter.")
            messages.warning(request, too_many % {"most": MOST_ROWS})
            return redirect("admin:conversations_customer_changelist")
        exported = list(customers)
        manager_log.note(request.user, Customer, _("Exported %(number)d customers.") % {"number": len(exported)})
        return csv_of(exported)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may = request.user.has_perm("conversations.export_customer")
        asked = f"?{request.GET.urlencode()}" if request.GET else ""
        export = {"export_url": reverse("admin:conversations_customer_export") + asked if may else ""}
        response: HttpResponse = super().changelist_view(request, {**export, **(extra_context or {})})
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        customer = self.get_object(request, object_id)
        page = self._page_of(request, customer) if customer else {}
        response: HttpResponse = super().change_view(request, object_id, form_url, {**page, **(extra_context or {})})
        return response

    @admin.display(description=_("Customer"))
    def named(self, customer: Customer) -> str:
        return str(customer)

    @admin.display(description=_("Known by"))
    def known_by(self, customer: Customer) -> str:
        known = [identifier.value for identifier in customer.identifiers.all() if identifier.kind != Identifier.Kind.VISITOR]
        shown = list(dict.fromkeys(known))
        return ", ".join(shown[:3]) or str(_("A website visitor"))

    @admin.display(description=_("Last contact"), empty_value="–")
    def last_contact(self, customer: Any) -> Any:
        return customer.last_at

    @admin.display(description=_("Open conversations"), empty_value="–")
    def open_conversations(self, customer: Any) -> int | None:
        return customer.open_ones or None

    def _is_list(self, request: HttpRequest) -> bool:
        page = str(request.resolver_match.url_name) if request.resolver_match else ""
        return page.endswith(("_changelist", "_export"))

    def _page_of(self, request: HttpRequest, customer: Customer) -> dict[str, Any]:
        """What the page shows beside the form; a bounded number of queries."""
        conversations = list(customer.conversations.select_related("reason", "disposition", "owner_agent").order_by("-opened_at")[:50])
        identifiers = list(customer_record.identifiers_of(customer))
        return {
            "history": history_of(history.of_customer(customer), customer, shown=entries_wanted(request)),
            "known_values": customer_record.known_values(identifiers),
            "assurance": customer_record.assurance_of(identifiers),
            "proofs": customer_record.proofs_of(customer),
            "facts": [
                (fact_label(each.name), fact_value(each.value, each.name), each.conversation)
                for each in customer_record.facts_of(conversations)
            ],
            "conversations": conversations,
            "bookings": customer.bookings.select_related("technician").order_by("-window")[:20],
            "consents": consents_of(customer),
            **trail_of(request, customer),
            "attributes": list(pairs(customer.attributes)),
            **privacy.section_of(request, customer),
        }


@admin.register(Identifier)
class IdentifierAdmin(ReadOnlyAdmin):
    list_display = ("value", "kind", "assurance", "of_customer", "source", "last_seen_at")
    list_filter = ("kind", "assurance")
    search_fields = ("value", "customer__name")
    list_select_related = ("customer",)

    @admin.display(description=_("Customer"))
    def of_customer(self, identifier: Identifier) -> str:
        url = reverse("admin:conversations_customer_change", args=[identifier.customer_id])
        return format_html('<a href="{}">{}</a>', url, identifier.customer)


@admin.register(SharedIdentifier)
class SharedIdentifierAdmin(ReadOnlyAdmin):
    change_form_template = "admin/conversations/shared_identifier_page.html"
    list_display = ("value", "kind", "customers", "identifies", "found_at", "allowed_by")
    list_filter = ("kind",)
    search_fields = ("value",)
    search_help_text = _("A phone number or address that many customers have shown.")
    fields = ("value", "kind", "customers", "shown_as", "found_at", "allowed_by", "allowed_at")

    def get_urls(self) -> list[URLPattern]:
        settle = self.admin_site.admin_view(self.settle)
        return [path("<int:number>/settle/", settle, name="conversations_sharedidentifier_settle"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may = request.user.has_perm("conversations.change_customer")
        return super().change_view(request, object_id, form_url, {"may_settle": may, **(extra_context or {})})

    @admin.display(description=_("Identifies"), boolean=True)
    def identifies(self, shared: SharedIdentifier) -> bool:
        return bool(shared.allowed_by)

    @method_decorator(require_POST)
    def settle(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Has a value identify all the same, or takes that back."""
        if not request.user.has_perm("conversations.change_customer"):
            raise PermissionDenied
        shared = get_object_or_404(SharedIdentifier, pk=number)
        if request.POST.get("decision") == "allow":
            sharing.allow(shared, str(request.user))
            messages.success(request, _("It identifies again: the next contact with it is filed under the customer who has proven it."))
        else:
            sharing.forbid(shared)
            messages.success(request, _("It identifies nobody. Contacts with it are filed under records of their own."))
        self.log_change(request, shared, str(_("Decided whether it identifies.")))
        return redirect("admin:conversations_sharedidentifier_change", number)
