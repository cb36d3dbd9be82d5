"""Playbooks: how the AI agent behaves. Drafts change; published and retired versions are only read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jsonschema
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from conversations.admin.fields import LimitsField, LinesField, LinksField, OutlineField
from conversations.admin.playbook_questions import QuestionEditor, Questions
from conversations.assistant import publishing
from conversations.assistant.tools import TOOLS, cancel, find_orders, find_visits, reschedule
from conversations.models import Playbook, PlaybookForm, PlaybookFormField, PlaybookOpening
from conversations.services import knowing, openings, playbooks
from conversations.services.facts import FACT_LABELS
from conversations.understanding.languages import LANGUAGES
from routing.admin.explained import Explained

OPENED_BY_ANSWERS = (find_visits.TOOL.name, reschedule.TOOL.name, cancel.TOOL.name, find_orders.TOOL.name)
"""What right answers may open; everything else needs a code or more."""
AS_JSON = ("tools", "knowledge_check", "opens_with_answers", "languages", "translations", "links", "tool_limits")
_TEXTS = {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}}
_QUESTION = {
    "type": "object",
    "properties": {"prompt": {"type": "string", "minLength": 1}, "spoken": {"type": "string"}},
    "required": ["prompt"],
    "additionalProperties": False,
}
_FORM = {
    "type": "object",
    "properties": {"closing": {"type": "string"}, "fields": {"type": "object", "additionalProperties": _QUESTION}},
    "additionalProperties": False,
}
TRANSLATIONS = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "properties": {
            "disclosure": {"type": "string", "minLength": 1},
            "forms": {"type": "object", "additionalProperties": _FORM},
            "names": _TEXTS,
        },
        "additionalProperties": False,
    },
}
"""What a playbook says in other languages, by language."""
READ: dict[Any, str] = {name: f"{name}_read" for name in AS_JSON}


def tool_choices(*further: str) -> list[tuple[str, str]]:
    """Every tool there is, then `further` ones that a playbook still names, with what each does."""
    names = [*TOOLS, *(name for name in further if name not in TOOLS)]
    return [(name, _title_of(name)) for name in names]


def _title_of(name: str) -> str:
    return str(TOOLS[name].title) if name in TOOLS else name


def _must_be_spoken(languages: Iterable[str]) -> None:
    unknown = [language for language in languages if language not in LANGUAGES]
    if unknown:
        known = ", ".join(f"{code} ({name})" for code, name in LANGUAGES.items())
        words = {"unknown": ", ".join(unknown), "known": known}
        raise forms.ValidationError(_("The AI agent does not speak “%(unknown)s”. It speaks: %(known)s.") % words)


class PlaybookEditor(forms.ModelForm):
    """A playbook with its tools to tick and its languages one on each line."""

    tools = forms.MultipleChoiceField(
        label=_("Tools"), required=False, choices=tool_choices, widget=forms.CheckboxSelectMultiple,
        help_text=_("What the AI agent may do. What it may do for whom is decided each time by how sure we are of the caller."),
    )
    knowledge_check = forms.MultipleChoiceField(
        label=_("Questions that show who somebody is"), required=False, widget=forms.CheckboxSelectMultiple,
        choices=[(fact, FACT_LABELS[fact]) for fact in knowing.QUESTIONS],
        help_text=_("Where no code can be sent, right answers to all of these prove something, less than a code. None: nothing."),
    )
    opens_with_answers = forms.MultipleChoiceField(
        label=_("What right answers open"), required=False, widget=forms.CheckboxSelectMultiple,
        choices=[(name, TOOLS[name].title) for name in OPENED_BY_ANSWERS],
        help_text=_("Answers may be known to others, so open little. Everything else on a record needs a code."),
    )
    links = LinksField(
        label=_("Links it may send"), required=False,
        help_text=_("One on each line as code | label | address. Customers ask for a link by its label; no other link is ever sent."),
    )
    tool_limits = LimitsField(
        label=_("Limits of tools"), required=False, names=TOOLS,
        help_text=_("One on each line, such as open_ticket: 3. How often one conversation may use a tool, where that is not as usual."),
    )
    reason_threshold = forms.FloatField(
        label=_("Reason threshold"), min_value=0, max_value=1, initial=0.4, widget=forms.NumberInput(attrs={"step": "0.05"}),
        help_text=_("From 0 to 1. Below this confidence the reason counts as unknown and the AI agent asks."),
    )
    knowledge_threshold = forms.FloatField(
        label=_("Knowledge threshold"), min_value=0, max_value=1, initial=0.35, widget=forms.NumberInput(attrs={"step": "0.05"}),
        help_text=_("From 0 to 1. Articles less alike to the question than this are not answered with."),
    )
    languages = LinesField(label=_("Languages"), help_text=_("One on each line, such as en."))
    translations = OutlineField(
        label=_("In its other languages"), required=False,
        help_text=_(
            "Under each language, such as “es:”, “disclosure: …”, “forms:” (under each code “closing: …” and “fields:” with “prompt: …”"
            " and “spoken: …” under each fact) and “names:” with what reasons, services and areas are called in it."
        ),
    )

    class Meta:
        model = Playbook
        fields = (
            "code", "name", "persona", "disclosure", "policies", "tools", "knowledge_check", "opens_with_answers", "languages",
            "translations", "reason_threshold", "knowledge_threshold", "links", "tool_limits", "most_tool_calls",
        )
        help_texts = {
            "code": _("What entry points call this playbook. All its versions share it."),
            "name": _("What customers see beside the AI agent's messages."),
            "policies": _("What it must and must not do, in plain sentences."),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields.get("tools")
        if isinstance(field, forms.MultipleChoiceField):
            field.choices = tool_choices(*self.instance.tools)

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if found.get("knowledge_check") and not found.get("opens_with_answers"):
            self.add_error("opens_with_answers", _("Choose what right answers open, or ask no questions."))
        return found

    def clean_translations(self) -> dict[str, Any]:
        found = self.cleaned_data.get("translations") or {}
        try:
            jsonschema.validate(found, TRANSLATIONS)
        except jsonschema.ValidationError as problem:
            place = " › ".join(map(str, problem.absolute_path))
            raise forms.ValidationError(_("%(place)s: %(what)s") % {"place": place, "what": problem.message[:200]}) from None
        translations: dict[str, Any] = found
        _must_be_spoken(translations)
        return translations

    def clean_languages(self) -> list[str]:
        languages: list[str] = self.cleaned_data["languages"]
        _must_be_spoken(languages)
        return languages

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        if self.instance._state.adding and Playbook.objects.filter(code=code).exists():
            raise forms.ValidationError(_("There is a playbook of this code. Open it and make a new draft."))
        return code


class FormEditor(forms.ModelForm):
    """A form of a playbook, with its tool chosen by what it does."""

    tool = forms.ChoiceField(label=_("Tool"), required=False, help_text=_("What is done when every answer is there."))

    class Meta:
        model = PlaybookForm
        fields = ("name", "code", "reasons", "tool", "closing")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields.get("tool")
        if isinstance(field, forms.ChoiceField):
            named = [self.instance.tool] if self.instance.tool else []
            field.choices = [("", _("Nothing; the closing is said")), *tool_choices(*named)]


class DraftOnly:
    """Inlines and pages of a playbook's parts: they change while the playbook is a draft."""

    def _is_draft(self, obj: Any) -> bool:
        playbook = obj.playbook if isinstance(obj, PlaybookForm) else obj
        return not isinstance(playbook, Playbook) or playbook.status == Playbook.Status.DRAFT

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_change_permission(request, obj)) and self._is_draft(obj)  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_delete_permission(request, obj)) and self._is_draft(obj)  # type: ignore[misc]


FORM_TEXTS = {
    "name": _("What staff call it."),
    "code": _("A short name of its own within the playbook, such as booking."),
}


class PlaybookFormInline(Explained, DraftOnly, admin.StackedInline):
    model = PlaybookForm
    form = FormEditor
    extra = 0
    show_change_link = True
    filter_horizontal = ("reasons",)
    fields = ("name", "code", "reasons", "tool", "closing")
    help_texts = FORM_TEXTS
    verbose_name = _("form")
    verbose_name_plural = _("forms (open one to change what it asks)")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_add_permission(request, obj)) and self._is_draft(obj)


class OpeningEditor(forms.ModelForm):
    """What is said on a call of ours; only what is filled in may stand in braces."""

    class Meta:
        model = PlaybookOpening
        fields = ("purpose", "language", "opening", "message", "voicemail")
        help_texts = {"purpose": _("What the calls are for.")}

    def clean_language(self) -> str:
        language = str(self.cleaned_data["language"])
        _must_be_spoken([language])
        return language

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        for field in openings.PLACES:
            unknown = openings.unknown_places(field, str(found.get(field, "")))
            if unknown:
                self.add_error(field, _("Nothing is filled in here for: %(places)s") % {"places": ", ".join(sorted(unknown))})
        return found


class OpeningInline(DraftOnly, admin.StackedInline):
    model = PlaybookOpening
    form = OpeningEditor
    extra = 0
    verbose_name = _("opening of a call that we make")
    verbose_name_plural = _("openings of calls that we make (without one the usual words are said)")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_add_permission(request, obj)) and self._is_draft(obj)


class FieldInline(Explained, DraftOnly, admin.TabularInline):
    model = PlaybookFormField
    form = QuestionEditor
    formset = Questions
    extra = 1
    help_texts = {
        "prompt": _("How the AI agent asks for it."),
        "required": _("Without a tick the customer may leave it out."),
    }
    verbose_name = _("question")
    verbose_name_plural = _("questions")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_add_permission(request, obj)) and self._is_draft(obj)


@admin.register(Playbook)
class PlaybookAdmin(DraftOnly, admin.ModelAdmin):
    form = PlaybookEditor
    change_form_template = "admin/conversations/playbook_page.html"
    list_display = ("name", "code", "version", "status", "created_at")
    list_filter = ("status", "code")
    search_fields = ("name", "code")
    inlines = (PlaybookFormInline, OpeningInline)
    fieldsets = (
        (None, {"fields": ("name", "code")}),
        (_("How it speaks"), {"fields": ("persona", "disclosure", "policies", "languages", "translations")}),
        (_("What it may do"), {"fields": ("tools", "links", "tool_limits", "most_tool_calls")}),
        (_("Who is it"), {"fields": ("knowledge_check", "opens_with_answers")}),
        (_("How sure it must be"), {"fields": ("reason_threshold", "knowledge_threshold")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Playbook | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        return ("code",) if self._is_draft(obj) else ("code", *READ.values())

    def get_fieldsets(self, request: HttpRequest, obj: Playbook | None = None) -> Any:
        """A version that only is read names its tools and languages in words."""
        if obj is None or self._is_draft(obj):
            return self.fieldsets
        return [(title, {"fields": tuple(READ.get(name, name) for name in options["fields"])}) for title, options in self.fieldsets]

    @admin.display(description=_("Tools"))
    def tools_read(self, playbook: Playbook) -> str:
        labels = dict(tool_choices(*playbook.tools))
        return ", ".join(labels[name] for name in playbook.tools)

    @admin.display(description=_("Questions that show who somebody is"))
    def knowledge_check_read(self, playbook: Playbook) -> str:
        return ", ".join(str(FACT_LABELS.get(fact, fact)) for fact in playbook.knowledge_check) or str(_("None: answers prove nothing."))

    @admin.display(description=_("What right answers open"))
    def opens_with_answers_read(self, playbook: Playbook) -> str:
        labels = dict(tool_choices(*playbook.opens_with_answers))
        return ", ".join(labels[name] for name in playbook.opens_with_answers) or "–"

    @admin.display(description=_("Links it may send"))
    def links_read(self, playbook: Playbook) -> str:
        return ", ".join(f"{each['label']} ({each['address']})" for each in playbook.links) or "–"

    @admin.display(description=_("Limits of tools"))
    def tool_limits_read(self, playbook: Playbook) -> str:
        return ", ".join(f"{_title_of(name)}: {most}" for name, most in playbook.tool_limits.items()) or str(_("As usual."))

    @admin.display(description=_("In its other languages"))
    def translations_read(self, playbook: Playbook) -> str:
        return format_html("<pre>{}</pre>", OutlineField().prepare_value(playbook.translations) or "–")

    @admin.display(description=_("Languages"))
    def languages_read(self, playbook: Playbook) -> str:
        return ", ".join(playbook.languages)

    def get_urls(self) -> list[URLPattern]:
        return [
            path("<int:number>/publish/", self.admin_site.admin_view(self.publish), name="conversations_playbook_publish"),
            path("<int:number>/draft/", self.admin_site.admin_view(self.draft), name="conversations_playbook_draft"),
            *super().get_urls(),
        ]

    @method_decorator(require_POST)
    def publish(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Publishes a draft."""
        playbook = self._playbook(request, number)
        try:
            publishing.publish(playbook)
        except playbooks.NotADraft:
            messages.warning(request, _("Only a draft can be published. Make a new draft first."))
        except publishing.NotReady as found:
            messages.error(request, _("Not published yet; customers still meet the version before."))
            for problem in found.problems:
                messages.error(request, problem)
        else:
            self.log_change(request, playbook, _("Published."))
            messages.success(request, _("Published. It answers from the next message on."))
            for missing in publishing.wordings_missing(playbook):
                messages.warning(request, missing)
        return redirect("admin:conversations_playbook_change", number)

    @method_decorator(require_POST)
    def draft(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Makes a draft of any version, or opens the one there is."""
        draft = playbooks.new_draft(self._playbook(request, number))
        messages.success(request, _("This is the draft. Customers meet it when you publish it."))
        return redirect("admin:conversations_playbook_change", draft.pk)

    def _playbook(self, request: HttpRequest, number: int) -> Playbook:
        if not request.user.has_perm("conversations.change_playbook"):
            raise PermissionDenied
        return get_object_or_404(Playbook, pk=number)


@admin.register(PlaybookForm)
class PlaybookFormAdmin(Explained, DraftOnly, admin.ModelAdmin):
    form = FormEditor
    help_texts = FORM_TEXTS
    list_display = ("name", "playbook", "tool")
    list_filter = ("playbook",)
    list_select_related = ("playbook",)
    search_fields = ("name", "code")
    filter_horizontal = ("reasons",)
    inlines = (FieldInline,)
    readonly_fields = ("playbook",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Forms are added on the page of their playbook."""
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Reached from the playbook, so not in the lists."""
        return False
