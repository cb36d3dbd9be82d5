"""Conversations and what they are made of. All of it happened, so none of it can be changed here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from conversations.admin.history import entries_wanted, history_of
from conversations.models import Conversation, ConversationLink, Entry, Handoff, Interaction
from conversations.reading import evidence
from conversations.reading.wording import fact_label, fact_value, pairs
from conversations.selectors import merge_trail
from conversations.services import weaving
from routing.admin.read_only import ReadOnlyAdmin

MAY_JOIN = "conversations.change_conversation"


def link(url_name: str, number: int | None, text: Any) -> str:
    """A link to an admin page, or a dash when there is nothing to link to."""
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{url_name}", args=[number]), text) if number else "–"


def customer_link(conversation: Conversation) -> str:
    """A link to a conversation's customer."""
    return link("conversations_customer_change", conversation.customer_id, conversation.customer)


def as_list(values: Any) -> SafeString:
    """Stored facts or texts as a list that people can read."""
    lines = []
    for each in values or []:
        lines.append((" · ".join(f"{name}: {value}" for name, value in pairs(each)) if isinstance(each, dict) else each,))
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", lines)) if lines else SafeString("–")


def may_join(request: HttpRequest) -> None:
    """Raises PermissionDenied for those who may not join conversations or keep them apart."""
    if not request.user.has_perm(MAY_JOIN):
        raise PermissionDenied


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    change_form_template = "admin/conversations/conversation_page.html"
    list_display = ("__str__", "reason", "status", "with_whom", "disposition", "last_entry_at")
    list_filter = ("status", "owner_kind", "urgency", "reason", "disposition")
    list_select_related = ("customer", "reason", "disposition", "owner_agent")
    search_fields = ("customer__name", "customer__identifiers__value", "public_id")
    search_help_text = _("A customer's name, phone number, email address, or the conversation's id.")
    date_hierarchy = "opened_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        return super().get_queryset(request).select_related("customer", "original_customer")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        conversation = self.get_object(request, object_id)
        page = self._page_of(request, conversation) if conversation else {}
        return super().change_view(request, object_id, form_url, {**page, **(extra_context or {})})

    def get_fields(self, request: HttpRequest, obj: Conversation | None = None) -> Any:
        return ["status"]

    @admin.display(description=_("With"))
    def with_whom(self, conversation: Conversation) -> str:
        return str(conversation.owner_agent or conversation.get_owner_kind_display())

    def _page_of(self, request: HttpRequest, conversation: Conversation) -> dict[str, Any]:
        """What the page shows; a bounded number of queries."""
        entries = Entry.objects.filter(conversation=conversation).order_by("seq")
        return {
            "conversation": conversation,
            "history": history_of(entries, conversation.customer, conversation, entries_wanted(request)),
            "facts": [
                (fact_label(name), fact_value(fact.get("value"), name), fact.get("assurance", ""))
                for name, fact in conversation.facts.items()
                if isinstance(fact, dict)
            ],
            "interactions": conversation.interactions.select_related("entry_point"),
            "handoffs": conversation.handoffs.select_related("work_item__queue"),
            "bookings": conversation.bookings.select_related("technician"),
            "joined": conversation.joined_conversations.all(),
            **self._joinings_of(request, conversation),
        }

    def get_urls(self) -> list[URLPattern]:
        join = self.admin_site.admin_view(self.join)
        return [path("<int:number>/join/", join, name="conversations_conversation_join"), *super().get_urls()]

    @method_decorator(require_POST)
    def join(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Joins the conversation into another open one, or the other way when a person has it."""
        may_join(request)
        joined = get_object_or_404(Conversation, pk=number)
        others = {str(each.pk): each for each in merge_trail.may_be_one_need(joined)}
        into, reason = others.get(request.POST.get("into", "")), request.POST.get("reason", "").replace("\x00", "").strip()[:500]
        here = redirect("admin:conversations_conversation_change", number)
        if into is None:
            messages.warning(request, _("The other conversation is closed, or the two customers were settled meanwhile."))
            return here
        if not reason:
            messages.error(request, _("Say why the two are about one need. Whoever looks at this later needs to know."))
            return here
        try:
            going_on = weaving.join_by_hand(joined, into, reason=reason, made_by=str(request.user))
        except weaving.NotJoinable as error:
            messages.warning(request, str(error))
            return here
        messages.success(request, _("The two go on here as one. You can take it back on this page."))
        return redirect("admin:conversations_conversation_change", going_on.pk)

    def _joinings_of(self, request: HttpRequest, conversation: Conversation) -> dict[str, Any]:
        is_open = conversation.status == Conversation.Status.OPEN and conversation.joined_into_id is None
        return {
            "links": [(each, evidence.told(each.evidence)) for each in merge_trail.conversation_links_of(conversation)],
            "may_be_one_need": merge_trail.may_be_one_need(conversation) if is_open else [],
            "may_join": request.user.has_perm(MAY_JOIN),
        }


@admin.register(Interaction)
class InteractionAdmin(ReadOnlyAdmin):
    list_display = ("provider_id", "channel", "direction", "entry_point", "state", "started_at", "ended_at", "end_reason")
    list_filter = ("channel", "state", "direction", "entry_point")
    list_select_related = ("entry_point",)
    search_fields = ("provider_id", "party", "conversation__customer__name")
    date_hierarchy = "started_at"
    fields = (
        "customer", "conversation_of", "entry_point", "channel", "direction", "provider_id", "party", "assurance", "state",
        "started_at", "answered_at", "ended_at", "end_reason", "transport_data",
    )
    readonly_fields = ("customer", "conversation_of", "transport_data")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Interaction]:
        return super().get_queryset(request).select_related("conversation__customer", "entry_point")

    @admin.display(description=_("Customer"))
    def customer(self, interaction: Interaction) -> str:
        return customer_link(interaction.conversation)

    @admin.display(description=_("Conversation"))
    def conversation_of(self, interaction: Interaction) -> str:
        return link("conversations_conversation_change", interaction.conversation_id, interaction.conversation)

    @admin.display(description=_("What the transport needs"))
    def transport_data(self, interaction: Interaction) -> str:
        return as_list([interaction.data]) if interaction.data else "–"


@admin.register(Handoff)
class HandoffAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "queue", "requested_at", "accepted_at")
    list_filter = ("work_item__queue",)
    list_select_related = ("work_item__queue",)
    search_fields = ("why", "summary", "conversation__customer__name")
    date_hierarchy = "requested_at"
    fields = (
        "customer", "conversation_of", "queue", "why", "summary", "facts_read", "tried_read", "next_step", "requested_at",
        "accepted_at",
    )
    readonly_fields = ("customer", "conversation_of", "queue", "facts_read", "tried_read")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Handoff]:
        return super().get_queryset(request).select_related("conversation__customer", "work_item__queue")

    @admin.display(description=_("Customer"))
    def customer(self, handoff: Handoff) -> str:
        return customer_link(handoff.conversation)

    @admin.display(description=_("Conversation"))
    def conversation_of(self, handoff: Handoff) -> str:
        return link("conversations_conversation_change", handoff.conversation_id, handoff.conversation)

    @admin.display(description=_("Queue"))
    def queue(self, handoff: Handoff) -> str:
        return str(handoff.work_item.queue)

    @admin.display(description=_("Facts"))
    def facts_read(self, handoff: Handoff) -> str:
        return as_list(handoff.facts)

    @admin.display(description=_("What was tried"))
    def tried_read(self, handoff: Handoff) -> str:
        return as_list(handoff.tried)


@admin.register(ConversationLink)
class ConversationLinkAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "active", "made_by", "made_at", "undone_at")
    list_filter = ("active",)
    search_fields = ("joined__customer__name", "into__customer__name", "made_by")
    fields = ("joined_read", "into_read", "evidence_read", "active", "made_by", "made_at", "undone_by", "undone_at")
    readonly_fields = ("joined_read", "into_read", "evidence_read")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConversationLink]:
        return super().get_queryset(request).select_related("joined__customer", "into__customer")

    def get_urls(self) -> list[URLPattern]:
        separate = self.admin_site.admin_view(self.separate)
        return [path("<int:number>/separate/", separate, name="conversations_conversationlink_separate"), *super().get_urls()]

    @method_decorator(require_POST)
    def separate(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Keeps two joined conversations apart again."""
        may_join(request)
        row = get_object_or_404(ConversationLink, pk=number)
        try:
            weaving.keep_apart(row, undone_by=str(request.user))
            messages.success(request, _("The two conversations are kept apart again, each with its own lines."))
        except weaving.NotJoinable as error:
            messages.warning(request, str(error))
        return redirect("admin:conversations_conversation_change", row.joined_id)

    @admin.display(description=_("Conversation"))
    def joined_read(self, row: ConversationLink) -> str:
        return link("conversations_conversation_change", row.joined_id, row.joined)

    @admin.display(description=_("Goes on in"))
    def into_read(self, row: ConversationLink) -> str:
        return link("conversations_conversation_change", row.into_id, row.into)

    @admin.display(description=_("Evidence"))
    def evidence_read(self, row: ConversationLink) -> str:
        return evidence.told(row.evidence) or "–"


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = ("occurred_at", "kind", "actor_kind", "actor_name", "first_words", "audience")
    list_filter = ("kind", "actor_kind", "audience")
    search_fields = ("=source_id", "=conversation__public_id", "actor_name")
    search_help_text = _("An agent's name, or the id of a conversation or of what the transport delivered.")
    ordering = ("-recorded_at", "-pk")
    fields = (
        "conversation_of", "seq", "kind", "actor_kind", "actor_name", "body", "details", "audience", "source_id", "occurred_at",
        "recorded_at", "redacted_at", "redaction_reason",
    )
    readonly_fields = ("conversation_of", "details")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        return super().get_queryset(request).select_related("conversation__customer")

    @admin.display(description=_("Text"))
    def first_words(self, entry: Entry) -> str:
        return entry.body if len(entry.body) <= 80 else f"{entry.body[:79]}…"

    @admin.display(description=_("Conversation"))
    def conversation_of(self, entry: Entry) -> str:
        return link("conversations_conversation_change", entry.conversation_id, entry.conversation)

    @admin.display(description=_("Details"))
    def details(self, entry: Entry) -> str:
        return as_list([entry.data]) if entry.data else "–"
