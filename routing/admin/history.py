"""The history of policy on the pages of the admin: only shown, from what the database kept."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from routing.models.history import ADDED, CHANGED, DELETED
from routing.selectors.history import changes_of

LABELS = {ADDED: _("Added"), CHANGED: _("Changed"), DELETED: _("Deleted")}


class ShowsHistory(admin.ModelAdmin):
    """A page whose history is the database's, with the rows that are edited on the same page."""

    object_history_template = "admin/routing/policy_history.html"

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        parts = [inline.model for inline in self.inlines]
        changes = changes_of(self.model, unquote(object_id), parts)
        shown = [(LABELS[change.what], change) for change in changes]
        return super().history_view(request, object_id, (extra_context or {}) | {"changes": shown})
