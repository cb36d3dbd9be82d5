"""What was promised and what came of forms, and the local sales system and help desk: read here, changed where they happen."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from conversations.admin.conversation import as_list, customer_link, link
from conversations.models import ActionItem, Invoice, Qualification, SalesAccount, SalesOrder, Ticket
from routing.admin.read_only import ReadOnlyAdmin


@admin.register(ActionItem)
class ActionItemAdmin(ReadOnlyAdmin):
    list_display = ("title", "kind", "owner", "due_at", "done_at", "done_by")
    list_filter = ("kind", ("done_at", admin.EmptyFieldListFilter), "owner")
    list_select_related = ("owner",)
    search_fields = ("title", "phone", "customer__name")
    search_help_text = _("Words of what is to be done, a phone number or a customer's name.")
    fields = (
        "title", "kind", "customer_read", "conversation_read", "phone", "owner", "due_at", "put_in_line_at", "made_by", "made_at",
        "done_by", "done_at",
    )  # fmt: skip
    readonly_fields = ("customer_read", "conversation_read")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ActionItem]:
        return super().get_queryset(request).select_related("owner", "customer", "conversation__customer")

    @admin.display(description=_("Customer"))
    def customer_read(self, item: ActionItem) -> str:
        return customer_link(item.conversation)

    @admin.display(description=_("Conversation"))
    def conversation_read(self, item: ActionItem) -> str:
        return link("conversations_conversation_change", item.conversation_id, item.conversation)


@admin.register(Qualification)
class QualificationAdmin(ReadOnlyAdmin):
    list_display = ("form_name", "score", "conversation", "qualified_at", "state", "reference")
    list_filter = ("state", "form")
    search_fields = ("reference", "form_name")
    fields = (
        "form_name", "score", "conversation_read", "answers_read", "qualified_at", "state", "reference", "tries", "next_at",
        "last_error",
    )  # fmt: skip
    readonly_fields = ("conversation_read", "answers_read")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Qualification]:
        return super().get_queryset(request).select_related("conversation__customer")

    @admin.display(description=_("Conversation"))
    def conversation_read(self, row: Qualification) -> str:
        return link("conversations_conversation_change", row.conversation_id, row.conversation)

    @admin.display(description=_("Answers"))
    def answers_read(self, row: Qualification) -> str:
        return as_list([{fact: answer} for fact, answer in row.answers.items()])


class ReadOnlyInline(admin.TabularInline):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class OrderInline(ReadOnlyInline):
    model = SalesOrder


class InvoiceInline(ReadOnlyInline):
    model = Invoice


@admin.register(SalesAccount)
class SalesAccountAdmin(ReadOnlyAdmin):
    list_display = ("number", "name", "email", "phone")
    search_fields = ("number", "name", "email", "phone", "=orders__reference", "=invoices__reference")
    search_help_text = _("A number such as harborhome:1001, a name, an address, a phone number, or the reference of an order or invoice.")
    inlines = (OrderInline, InvoiceInline)


@admin.register(Ticket)
class TicketAdmin(ReadOnlyAdmin):
    list_display = ("reference", "kind", "subject", "state", "score", "opened_at")
    list_filter = ("kind", "state")
    search_fields = ("=reference", "subject")
    fields = ("reference", "kind", "state", "subject", "details", "contact_read", "score", "opened_at")
    readonly_fields = ("contact_read",)

    @admin.display(description=_("Contact"))
    def contact_read(self, ticket: Ticket) -> str:
        return as_list([{name: value} for name, value in ticket.contact.items()])
