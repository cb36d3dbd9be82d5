"""Pages that show and never change."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from routing.admin.explained import STAFF_NAME, Explained, Texts


class ReadOnlyAdmin(admin.ModelAdmin):
    """A list and a page of what happened. Nobody adds, changes or deletes it here, whatever their permissions."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class CodeIsKept(Explained):
    """Codes are what tables, entries and reports hold, so a code never changes once it is stored."""

    help_texts: Texts = {
        "name": STAFF_NAME,
        "code": _("What decision tables and the history call it, such as first_line. It cannot be changed later."),
    }

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("code",) if obj else ()
