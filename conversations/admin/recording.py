"""Recordings of calls: which there are, what became of fetching them, and fetching again what was given up."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from conversations.models import CallRecording
from conversations.services import recordings
from routing.admin.read_only import ReadOnlyAdmin


@admin.register(CallRecording)
class CallRecordingAdmin(ReadOnlyAdmin):
    list_display = ("began_at", "kind", "state", "seconds", "transcript", "problem", "where_to_listen")
    list_filter = ("state", "kind", "transcript")
    search_fields = ("=recording_id", "=public_id", "=interaction__provider_id")
    search_help_text = _("The id of a recording or of its call.")
    date_hierarchy = "began_at"
    list_select_related = ("interaction__conversation__customer",)
    fields = (
        "kind", "state", "began_at", "seconds", "size_bytes", "sha256", "content_type", "stored_at", "provider_keeps_until", "tries",
        "next_try_at", "problem", "transcript", "recording_id", "deleted_at", "deleted_because", "where_to_listen",
    )  # fmt: skip
    readonly_fields = ("where_to_listen",)
    actions = ("fetch_again",)

    @admin.display(description=_("Listen"))
    def where_to_listen(self, row: CallRecording) -> str:
        if row.state != CallRecording.State.STORED:
            return "–"
        return format_html('<a href="{}">{}</a>', reverse("inbox:recording", args=[row.recording_id]), _("Open"))

    @admin.action(description=_("Fetch again what was given up"), permissions=["view"])
    def fetch_again(self, request: HttpRequest, rows: QuerySet[CallRecording]) -> None:
        """Has what was given up fetched anew by the next sweep."""
        count = sum(map(recordings.try_again, rows))
        told = ngettext("%(count)d recording is fetched again.", "%(count)d recordings are fetched again.", count) % {"count": count}
        messages.success(request, told)
