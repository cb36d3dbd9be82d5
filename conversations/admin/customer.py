"""Customers: who they are, how they are known, and everything that happened with them on one page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, F, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from conversations.admin import privacy
from conversations.admin.consent import consents_of
from conversations.admin.fields import TimeZoneField
from conversations.admin.history import entries_wanted, history_of
from conversations.admin.merging import trail_of
from conversations.models import Customer, Identifier
from conversations.reading.wording import pairs
from conversations.selectors import history, naming
from routing.admin.read_only import ReadOnlyAdmin


class CustomerForm(forms.ModelForm):
    """What a manager may put right about a customer."""

    time_zone = TimeZoneField(
        label=_("Time zone"), required=False, help_text=_("Times told to this customer are in this zone. Empty: the company's.")
    )

    class Meta:
        model = Customer
        fields = ("name", "language", "time_zone", "tier", "open_balance")
        help_texts = {
            "name": _("What agents and the AI agent call this customer."),
            "language": _("Two letters, such as en or es."),
            "tier": _("Routing tables can give tiers their own rows. Use the words that the tables use, such as standard."),
            "open_balance": _("What the customer owes. Routing tables can look at it."),
        }


@admin.register(Customer)
class CustomerAdmin(admin.ModelAdmin):
    form = CustomerForm
    change_form_template = "admin/conversations/customer_page.html"
    list_display = ("named", "known_by", "tier", "conversation_count", "last_contact")
    list_filter = ("tier", "language")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("name", "identifiers__value", "bookings__reference")
    search_help_text = _("A name, a phone number however it is written, an email address, another system's number or a booking reference.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        customers: QuerySet[Customer] = super().get_queryset(request)
        if request.resolver_match and str(request.resolver_match.url_name).endswith("_changelist"):
            # A record that was joined into another one is found on that one's page.
            customers = customers.filter(root__isnull=True)
        return (
            customers.prefetch_related("identifiers")
            .annotate(
                number_of_conversations=Count("conversations", distinct=True), last_at=Max("conversations__last_entry_at")
            )
            .order_by(F("last_at").desc(nulls_last=True), "pk")
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        """A phone number is found by its digits, however it was written."""
        term = search_term.strip().replace("\x00", "")
        if digits := naming.digits_to_find(term):
            by_number = Customer.objects.filter(Q(identifiers__value__contains=digits) | Q(name__icontains=term))
            return queryset.filter(pk__in=by_number.values("pk")), False
        return super().get_search_results(request, queryset, term)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Customers appear when they write or call."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Customer, form: forms.ModelForm, change: bool) -> None:
        """Writes only what was changed: what was joined since the page was opened stays joined."""
        obj.save(update_fields=form.changed_data)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        customer = self.get_object(request, object_id)
        return super().change_view(
            request, object_id, form_url, {**(self._page_of(request, customer) if customer else {}), **(extra_context or {})}
        )

    @admin.display(description=_("Customer"), ordering="name")
    def named(self, customer: Customer) -> str:
        return str(customer)

    @admin.display(description=_("Known by"))
    def known_by(self, customer: Customer) -> str:
        known = [identifier.value for identifier in customer.identifiers.all() if identifier.kind != Identifier.Kind.VISITOR]
        shown = list(dict.fromkeys(known))
        return ", ".join(shown[:3]) or str(_("A website visitor"))

    @admin.display(description=_("Conversations"), ordering="number_of_conversations")
    def conversation_count(self, customer: Any) -> int:
        return int(customer.number_of_conversations)

    @admin.display(description=_("Last contact"), ordering="last_at")
    def last_contact(self, customer: Any) -> Any:
        return customer.last_at

    def _page_of(self, request: HttpRequest, customer: Customer) -> dict[str, Any]:
        """What the page shows beside the form; a bounded number of queries."""
        return {
            "history": history_of(history.of_customer(customer), customer, shown=entries_wanted(request)),
            "identifiers": customer.identifiers.select_related("original_customer").order_by("kind", "value"),
            "conversations": customer.conversations.select_related("reason", "disposition", "owner_agent").order_by("-opened_at")[:50],
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
