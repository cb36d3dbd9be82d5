"""Entry points: the web paths and phone numbers customers come in by."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from conversations.admin.fields import LinesField, TimeZoneField
from conversations.models import EntryPoint, Playbook

ORIGIN = RegexValidator(
    r"^https?://[A-Za-z0-9.-]+(:\d+)?$", _("Write each web site as https://www.example.com, without a path.")
)


class EntryPointForm(forms.ModelForm):
    """An entry point with its playbook chosen by name and its web sites one on each line."""

    playbook_code = forms.ChoiceField(
        label=_("Playbook"), help_text=_("Its published version answers here. Publishing a new version takes effect at once.")
    )
    time_zone = TimeZoneField(label=_("Time zone"), help_text=_("Times told to customers here are in this zone."))
    allowed_origins = LinesField(
        label=_("Web sites that may show the widget"), required=False,
        help_text=_("One on each line, such as https://www.example.com. Empty: this site only."),
    )

    class Meta:
        model = EntryPoint
        fields = (
            "name", "company_name", "channel", "address", "playbook_code", "mode", "live_share_percent", "hours", "live_hours",
            "live_reasons", "reasons", "time_zone", "language", "default_region", "allowed_origins", "recording_policy",
            "recording_keep_days", "transcribes_recordings", "takes_voicemail",
        )
        help_texts = {
            "name": _("What staff call it."),
            "channel": _("Web chats come in by a web path, calls by a phone number."),
            "company_name": _("What customers see and hear."),
            "mode": _(
                "Off: the chat is not shown, and callers hear that nobody can take calls. "
                "Drafts for staff only: people answer, and see what the AI agent would have said. Live: it answers."
            ),
            "hours": _("When people can be reached. Empty: always."),
            "live_hours": _("When the AI agent answers here while it is live; at other hours people do."),
            "live_reasons": _("What the AI agent answers here while it is live. It finds out the reason, and hands over the rest."),
            "reasons": _("The reasons chosen, for the choice above."),
            "default_region": _("Two letters. Numbers written without a country belong there."),
            "language": _("The language spoken here, such as en-GB."),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        codes = Playbook.objects.order_by("code", "-version").values_list("code", "name")
        names = {code: f"{name} ({code})" for code, name in reversed(codes)}
        if self.instance.playbook_code and self.instance.playbook_code not in names:
            names[self.instance.playbook_code] = str(_("%(code)s (does not exist)") % {"code": self.instance.playbook_code})
        field = self.fields["playbook_code"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [*names.items()]

    def clean_allowed_origins(self) -> list[str]:
        origins: list[str] = self.cleaned_data["allowed_origins"]
        for origin in origins:
            ORIGIN(origin)
        return origins

    def clean_default_region(self) -> str:
        return str(self.cleaned_data["default_region"]).upper()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        address = str(data.get("address", ""))
        if data.get("channel") == "chat" and address and not address.startswith("/"):
            raise ValidationError({"address": _("A web path begins with a slash, such as /harborhome.")})
        by_reason = data.get("live_reasons") not in (None, EntryPoint.LiveReasons.ALL)
        if by_reason and not data.get("reasons"):
            raise ValidationError({"reasons": _("Choose at least one reason, or let the AI agent answer every reason.")})
        return data


@admin.register(EntryPoint)
class EntryPointAdmin(admin.ModelAdmin):
    form = EntryPointForm
    list_display = ("name", "channel", "address", "playbook_code", "mode", "live_share_percent")
    list_filter = ("channel", "mode")
    search_fields = ("name", "address", "company_name")
    filter_horizontal = ("reasons",)
    fieldsets = (
        (None, {"fields": ("name", "company_name", "channel", "address")}),
        (_("Who answers"), {"fields": ("playbook_code", "mode", "live_share_percent", "hours")}),
        (_("How far the AI agent is let"), {"fields": ("live_hours", "live_reasons", "reasons")}),
        (_("Place and language"), {"fields": ("time_zone", "language", "default_region")}),
        (_("Widget"), {"fields": ("allowed_origins",)}),
        (
            _("Calls"),
            {"fields": ("recording_policy", "recording_keep_days", "transcribes_recordings", "takes_voicemail")},
        ),
    )
