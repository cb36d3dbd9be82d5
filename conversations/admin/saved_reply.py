"""Saved replies: what agents put into their answers with a slash."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from conversations.inbox.placeholders import PLACEHOLDERS, unknown_placeholders
from conversations.models import SavedReply


def _how_to_write_it() -> str:
    meanings = "; ".join(f"{{{name}}} {meaning}" for name, meaning in PLACEHOLDERS.items())
    return gettext(
        "Filled in for each customer: %(meanings)s. Words after a bar are used when it is not known: {first_name|there}."
    ) % {"meanings": meanings}


class SavedReplyForm(forms.ModelForm):
    """A reply whose placeholders are all known, and explained beside it."""

    class Meta:
        model = SavedReply
        fields = ("title", "shortcut", "body", "language", "active")
        help_texts = {"body": lazy(_how_to_write_it, str)()}

    def clean_body(self) -> str:
        body = str(self.cleaned_data["body"])
        unknown = unknown_placeholders(body)
        if unknown:
            names = ", ".join(f"{{{name}}}" for name in unknown)
            raise ValidationError(_("Nothing is known that could be filled in for %(names)s.") % {"names": names})
        return body


@admin.register(SavedReply)
class SavedReplyAdmin(admin.ModelAdmin):
    form = SavedReplyForm
    list_display = ("title", "typed", "language", "active", "updated_at")
    list_filter = ("active", "language")
    search_fields = ("title", "shortcut", "body")

    @admin.display(description=_("Typed as"), ordering="shortcut")
    def typed(self, reply: SavedReply) -> str:
        return f"/{reply.shortcut}"
