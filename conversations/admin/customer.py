"""Customers: who they are, how they are known, and everything that happened with them on one page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from conversations.admin import privacy
from conversations.admin.consent import consents_of
from conversations.admin.fields import TimeZoneField
from conversations.admin.history import entries_wanted, history_of
from conversations.models import Customer, CustomerLink, Identifier, MatchCandidate
from conversations.reading.waterfall import waterfall_of, without_waterfall
from conversations.reading.wording import pairs
from conversations.selectors import history, naming
from conversations.services import candidates, merging
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
            "candidates": MatchCandidate.objects.filter(
                Q(customer=customer) | Q(other=customer), state=MatchCandidate.State.OPEN
            ).select_related("customer", "other"),
            "joined_records": customer.joined_records.all(),
            "consents": consents_of(customer),
            "attributes": list(pairs(customer.attributes)),
            **privacy.section_of(request, customer),
        }


@admin.register(MatchCandidate)
class MatchCandidateAdmin(ReadOnlyAdmin):
    change_form_template = "admin/conversations/candidate_page.html"
    list_display = ("__str__", "score", "state", "found_at", "settled_by")
    list_filter = ("state",)
    search_fields = ("customer__name", "other__name", "customer__identifiers__value", "other__identifiers__value")
    fields = ("state", "found_at", "settled_by", "settled_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[MatchCandidate]:
        return super().get_queryset(request).select_related("customer", "other", "settled_by")

    def get_urls(self) -> list[URLPattern]:
        settle = self.admin_site.admin_view(self.settle)
        return [
            path("<int:number>/settle/", settle, name="conversations_matchcandidate_settle"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        candidate = self.get_object(request, object_id)
        extra: dict[str, Any] = {}
        if candidate:
            extra = {
                "sides": [
                    (each, each.identifiers.order_by("kind", "value"), each.conversations.count())
                    for each in (candidate.customer, candidate.other)
                ],
                "evidence": list(pairs(without_waterfall(candidate.evidence))),
                "waterfall": waterfall_of(candidate.evidence),
                "may_settle": candidate.state == MatchCandidate.State.OPEN and request.user.has_perm("conversations.change_customer"),
            }
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    @method_decorator(require_POST)
    def settle(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Joins the two records or notes that they are different people."""
        if not request.user.has_perm("conversations.change_customer"):
            raise PermissionDenied
        candidate = get_object_or_404(MatchCandidate, pk=number)
        try:
            if request.POST.get("decision") == "join":
                link = candidates.join(candidate, request.user)
                messages.success(request, _("The two records count as one customer now. You can take it back on this page."))
                return redirect("admin:conversations_customerlink_change", link.pk)
            candidates.dismiss(candidate, request.user)
            messages.success(request, _("Noted as different people. The pair is not shown again."))
        except candidates.AlreadySettled as error:
            messages.warning(request, _("Somebody settled this pair already: %(state)s.") % {"state": error})
        except ValueError:
            messages.warning(request, _("These two are one record already."))
        return redirect("admin:conversations_matchcandidate_changelist")


@admin.register(CustomerLink)
class CustomerLinkAdmin(ReadOnlyAdmin):
    change_form_template = "admin/conversations/customer_link_page.html"
    list_display = ("__str__", "active", "made_by", "made_at", "undone_by", "undone_at")
    list_filter = ("active",)
    search_fields = ("joined__name", "into__name", "made_by")
    fields = ("joined", "into", "evidence_read", "active", "made_by", "made_at", "undone_by", "undone_at")
    readonly_fields = ("evidence_read",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CustomerLink]:
        return super().get_queryset(request).select_related("joined", "into")

    def get_urls(self) -> list[URLPattern]:
        separate = self.admin_site.admin_view(self.separate)
        return [path("<int:number>/separate/", separate, name="conversations_customerlink_separate"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may = request.user.has_perm("conversations.change_customer")
        return super().change_view(request, object_id, form_url, {"may_separate": may, **(extra_context or {})})

    @admin.display(description=_("Evidence"))
    def evidence_read(self, link: CustomerLink) -> str:
        return "; ".join(f"{name}: {value}" for name, value in pairs(without_waterfall(link.evidence))) or "–"

    @method_decorator(require_POST)
    def separate(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Takes a joining back."""
        if not request.user.has_perm("conversations.change_customer"):
            raise PermissionDenied
        merging.separate_customers(get_object_or_404(CustomerLink, pk=number), undone_by=str(request.user))
        messages.success(request, _("The two records stand for themselves again, each with its own history."))
        return redirect("admin:conversations_customerlink_change", number)


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
