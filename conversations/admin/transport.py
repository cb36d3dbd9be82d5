"""What the transports delivered, word for word: the raw side of the journey accuracy figure. And the legs of calls, made of it."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from conversations.models import CallLeg, ChatSessionRecord, WebhookRecord
from routing.admin.read_only import ReadOnlyAdmin


def as_code(value: Any) -> str:
    """JSON, indented. Here it is the very thing that a manager wants to see: what was delivered."""
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False)) if value is not None else "–"


@admin.register(WebhookRecord)
class WebhookRecordAdmin(ReadOnlyAdmin):
    list_display = ("received_at", "kind", "status", "provider_id", "answered_at")
    list_filter = ("kind",)
    search_fields = ("=provider_id", "=token_id")
    search_help_text = _("The id of a call, or of the token that signed the webhook.")
    date_hierarchy = "received_at"
    fields = ("kind", "provider_id", "received_at", "body_read", "answered_at", "answer_read", "token_id", "body_hash")
    readonly_fields = ("body_read", "answer_read")

    @admin.display(description=_("Status"))
    def status(self, record: WebhookRecord) -> str:
        return str(record.body.get("status", "")) if isinstance(record.body, dict) else ""

    @admin.display(description=_("What came"))
    def body_read(self, record: WebhookRecord) -> str:
        return as_code(record.body)

    @admin.display(description=_("What was answered"))
    def answer_read(self, record: WebhookRecord) -> str:
        return as_code(record.answer)


@admin.register(CallLeg)
class CallLegAdmin(ReadOnlyAdmin):
    list_display = ("first_heard_at", "leg_id", "role", "direction", "state", "answered_by", "end_status", "duration_seconds", "price")
    list_filter = ("role", "direction", "state", "answered_by", "end_status")
    search_fields = ("=leg_id",)
    date_hierarchy = "first_heard_at"


@admin.register(ChatSessionRecord)
class ChatSessionRecordAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "session_id", "entry_point_address", "visitor", "last_seen_at")
    search_fields = ("=session_id", "=visitor")
    date_hierarchy = "started_at"
