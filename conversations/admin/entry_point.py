"""Entry points: the web paths and phone numbers customers come in by."""

from __future__ import annotations

import re
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from conversations.admin.fields import LinesField, OptionsField, TimeZoneField
from conversations.models import EntryPoint, Playbook
from conversations.services import identity, numbers
from conversations.understanding.languages import LANGUAGES
from routing.models import Queue

LONGEST_QUESTION: Final = 300
LANGUAGE_TAG: Final = re.compile(r"[a-z]{2,3}-[A-Z]{2}")
ORIGIN = RegexValidator(
    r"^https?://[A-Za-z0-9.-]+(:\d+)?$", _("Write each web site as https://www.example.com, without a path.")
)


class EntryPointForm(forms.ModelForm):
    """An entry point with its playbook chosen by name and its web sites one on each line."""

    playbook_code = forms.ChoiceField(
        label=_("Playbook"), help_text=_("Its published version answers here. Publishing a new version takes effect at once.")
    )
    live_share_percent = forms.IntegerField(
        label=_("Live share in percent"), min_value=0, max_value=100, initial=100,
        help_text=_("From 0 to 100: the share of new conversations the AI agent answers; the rest go to people."),
    )
    time_zone = TimeZoneField(label=_("Time zone"), help_text=_("Times told to customers here are in this zone."))
    allowed_origins = LinesField(
        label=_("Web sites that may show the widget"), required=False,
        help_text=_("One on each line, such as https://www.example.com. Empty: this site only."),
    )

    voice_options = OptionsField(
        label=_("What the provider needs to know"), required=False,
        help_text=_("One on each line as name = value, such as voiceId = 21m00Tcm4TlvDq8ikWAM. Only with a provider."),
    )

    survey_questions = OptionsField(
        label=_("Question after a call with a person"), required=False,
        help_text=_(
            "One on each line as language = question, such as en = From 1 to 5, how was this call?, at most 300 characters each. It has to"
            " ask for a number from 1 to 5. A language without one hears ours."
        ),
    )  # fmt: skip

    class Meta:
        model = EntryPoint
        fields = (
            "name", "company_name", "channel", "address", "playbook_code", "mode", "live_share_percent", "hours", "live_hours",
            "live_reasons", "reasons", "time_zone", "language", "default_region", "allowed_origins", "recording_policy",
            "recording_keep_days", "transcribes_recordings", "takes_voicemail", "asks_survey", "survey_questions",
            "takes_texts", "waiting_music", "voice_style", "voice_premium", "voice_provider", "voice_options",
        )  # fmt: skip
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
        self.fields["voice_style"].required = False
        field = self.fields["playbook_code"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [*names.items()]

    def clean_allowed_origins(self) -> list[str]:
        origins: list[str] = self.cleaned_data["allowed_origins"]
        for origin in origins:
            ORIGIN(origin)
        return origins

    def clean_waiting_music(self) -> str:
        address = str(self.cleaned_data["waiting_music"]).strip()
        path = address.partition("?")[0].lower()
        if address and not (address.startswith("https://") and path.endswith((".mp3", ".wav"))):
            raise ValidationError(_("Write an address that begins with https:// and ends with .mp3 or .wav."))
        return address

    def clean_survey_questions(self) -> dict[str, str]:
        questions: dict[str, str] = self.cleaned_data["survey_questions"]
        for language, question in questions.items():
            if language not in LANGUAGES:
                raise ValidationError(_("“%(tag)s” is no language that is spoken here. Write en or es."), params={"tag": language})
            if len(question) > LONGEST_QUESTION:
                raise ValidationError(_("A question has at most %(count)d characters."), params={"count": LONGEST_QUESTION})
        return questions

    def clean_language(self) -> str:
        tag = str(self.cleaned_data["language"]).strip()
        if not LANGUAGE_TAG.fullmatch(tag):
            raise ValidationError(_("Write the language with its country, such as en-GB or es-ES."))
        return tag

    def clean_voice_style(self) -> int:
        return self.cleaned_data["voice_style"] or 0

    def clean_default_region(self) -> str:
        return str(self.cleaned_data["default_region"]).upper()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        address = str(data.get("address", ""))
        if data.get("channel") == "chat" and address and not address.startswith("/"):
            raise ValidationError({"address": _("A web path begins with a slash, such as /harborhome.")})
        if data.get("channel") == "voice":
            self._check_number(data, address)
        elif data.get("takes_texts"):
            self.add_error("takes_texts", _("Only a phone number takes text messages, and this is a web path."))
        if data.get("voice_options") and not data.get("voice_provider"):
            self.add_error("voice_options", _("Choose the provider that these are for, or leave them out."))
        if data.get("voice_provider") and data.get("voice_style"):
            self.add_error("voice_style", _("A provider's voice is chosen by what it needs to know. Leave the number at 0."))
        by_reason = data.get("live_reasons") not in (None, EntryPoint.LiveReasons.ALL)
        if by_reason and not data.get("reasons"):
            raise ValidationError({"reasons": _("Choose at least one reason, or let the AI agent answer every reason.")})
        return data

    def _check_number(self, data: dict[str, Any], written: str) -> None:
        """Puts the number into its international form; says what is wrong with one that cannot be an entry point."""
        region = str(data.get("default_region") or "GB")
        if numbers.is_emergency(written, region):
            self.add_error("address", _("This is an emergency number."))
            return
        try:
            number = identity.normalise("phone", written, region)
        except identity.InvalidIdentifier:
            number = ""
        if not number or not numbers.is_whole(number):
            self.add_error("address", _("Write a phone number, such as +441632960100."))
            return
        data["address"] = number
        if data.get("takes_texts") and not numbers.may_take_texts(number):
            self.add_error("takes_texts", _("A number of this kind takes no text messages."))


@admin.register(EntryPoint)
class EntryPointAdmin(admin.ModelAdmin):
    form = EntryPointForm
    list_display = ("name", "channel", "address", "playbook_code", "mode", "live_share_percent", "hours", "takes_texts")
    list_select_related = ("hours",)
    readonly_fields = ("languages_offered", "where_needs_go")
    list_filter = ("channel", "mode")
    search_fields = ("name", "address", "company_name")
    filter_horizontal = ("reasons",)
    fieldsets = (
        (None, {"fields": ("name", "company_name", "channel", "address")}),
        (_("Who answers"), {"fields": ("playbook_code", "mode", "live_share_percent", "hours", "where_needs_go")}),
        (_("How far the AI agent is let"), {"fields": ("live_hours", "live_reasons", "reasons")}),
        (_("Place and language"), {"fields": ("time_zone", "language", "languages_offered", "default_region")}),
        (_("Widget"), {"fields": ("allowed_origins",)}),
        (
            _("Calls"),
            {
                "fields": (
                    "waiting_music", "recording_policy", "recording_keep_days", "transcribes_recordings", "takes_voicemail",
                    "asks_survey", "survey_questions",
                )
            },
        ),
        (
            _("Voice"),
            {
                "fields": ("voice_style", "voice_premium", "voice_provider", "voice_options"),
                "description": _("How the AI agent sounds in the language spoken here. Another language has the platform's usual voice."),
            },
        ),
        (_("Text messages"), {"fields": ("takes_texts",)}),
    )

    @admin.display(description=_("Languages offered"))
    def languages_offered(self, door: EntryPoint) -> str:
        """Those of the playbook: callers press a key for another one, and writers are answered in theirs."""
        playbook = Playbook.objects.filter(code=door.playbook_code, status=Playbook.Status.PUBLISHED).first()
        return ", ".join(LANGUAGES.get(each, each) for each in playbook.languages) if playbook else "–"

    @admin.display(description=_("Queues"))
    def where_needs_go(self, door: EntryPoint) -> str:
        """Which queue a need goes to is decided by what it is, on every channel alike."""
        names = ", ".join(Queue.objects.values_list("name", flat=True))
        return _("The routing table decides by the need, whatever it came in by: %(names)s.") % {"names": names or "–"}
