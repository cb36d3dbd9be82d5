"""Personal data: erasing a person, handing out what is kept of one, legal holds, and how long things are kept."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from conversations import tasks
from conversations.models import (
    Booking,
    Conversation,
    Customer,
    DataExport,
    ErasureRequest,
    ErasureStep,
    Interaction,
    LegalHold,
    RetentionRule,
    RetentionRun,
)
from conversations.reading.wording import pairs
from conversations.services import erasure, export, holds, personal_data
from routing.admin.explained import Explained
from routing.admin.history import ShowsHistory
from routing.admin.read_only import ReadOnlyAdmin


def section_of(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    """What `templates/admin/conversations/privacy.html` shows of a customer, as `privacy`; three statements."""
    user: Any = request.user
    records = personal_data.records_of(customer)
    return {
        "privacy": {
            "erasure": ErasureRequest.objects.filter(customer__in=records).first(),
            "exports": DataExport.objects.filter(customer__in=records)[:5],
            "holds": holds.in_force(records),
            "may_erase": user.has_perm("conversations.add_erasurerequest") and not customer.erased_at,
            "may_export": user.has_perm("conversations.add_dataexport"),
            "may_hold": user.has_perm("conversations.add_legalhold") and not customer.erased_at,
        }
    }


class ErasureForm(forms.Form):
    """Why a person is erased, and the word that nobody types by mistake."""

    ground = forms.ChoiceField(label=_("Why"), choices=ErasureRequest.Ground.choices)
    case = forms.RegexField(
        label=_("Ticket or letter"),
        regex=r"^[A-Za-z0-9/_-]*$",
        required=False,
        max_length=40,
        help_text=_("Its number, so that it can be found again. No names: this stays."),
        error_messages={"invalid": _("Use letters, digits, hyphens and slashes only. This stays, so it must not name the person.")},
    )
    interaction: Any = forms.ModelChoiceField(
        label=_("Asked in"),
        queryset=None,
        required=False,
        empty_label=_("Not in a call or chat"),
        help_text=_("The call or chat in which the person asked for it."),
    )
    word = forms.CharField(label=_("Confirm"), help_text=_("Type the word erase. It cannot be taken back."))

    def __init__(self, *args: Any, customer: Customer, **options: Any) -> None:
        super().__init__(*args, **options)
        scope = personal_data.scope_of(personal_data.records_of(customer))
        field: Any = self.fields["interaction"]
        field.queryset = Interaction.objects.filter(pk__in=scope.lines).order_by("-started_at")
        field.label_from_instance = lambda line: (
            f"{line.get_channel_display()} · {date_format(timezone.localtime(line.started_at), 'j M Y, H:i')}"
        )

    def clean_word(self) -> str:
        if str(self.cleaned_data["word"]).strip().lower() != gettext("erase"):
            raise forms.ValidationError(_("Type the word erase to confirm. Nothing has been erased."))
        return ""


class HoldForm(forms.ModelForm):
    """Why and until when nothing of a customer may go."""

    class Meta:
        model = LegalHold
        fields = ("reason", "ends_at")
        field_classes = {"ends_at": forms.SplitDateTimeField}
        widgets = {"ends_at": AdminSplitDateTime}

    def clean_ends_at(self) -> datetime | None:
        ends_at: datetime | None = self.cleaned_data["ends_at"]
        if ends_at and ends_at <= timezone.now():
            raise forms.ValidationError(_("That is over already. Leave it empty for a hold that somebody lifts."))
        return ends_at


@admin.register(ErasureRequest)
class ErasureRequestAdmin(ReadOnlyAdmin):
    change_form_template = "admin/conversations/erasure_page.html"
    list_display = ("__str__", "state", "ground", "case", "requested_by", "requested_at", "due", "finished_at")
    list_filter = ("state", "ground")
    search_fields = ("=case", "=customer__pk")
    search_help_text = _("The number of the ticket or letter, or of the customer.")
    date_hierarchy = "requested_at"
    fields = ("state", "ground", "case", "requested_by", "requested_at", "due", "started_at", "finished_at", "records_read")
    readonly_fields = ("due", "records_read")

    def get_urls(self) -> list[URLPattern]:
        start, again = self.admin_site.admin_view(self.start), self.admin_site.admin_view(self.run_again)
        return [
            path("start/<int:customer>/", start, name="conversations_erasurerequest_start"),
            path("<int:number>/run/", again, name="conversations_erasurerequest_run"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        page = self._page_of(request, row) if isinstance(row, ErasureRequest) else {}
        return super().change_view(request, object_id, form_url, {**page, **(extra_context or {})})

    @admin.display(description=_("Answer due"))
    def due(self, row: ErasureRequest) -> str:
        return date_format(timezone.localtime(row.due_at), "j M Y")

    @admin.display(description=_("Records"))
    def records_read(self, row: ErasureRequest) -> str:
        numbers = [(reverse("admin:conversations_customer_change", args=[number]), number) for number in row.records]
        return format_html_join(", ", '<a href="{}">{}</a>', numbers)

    def start(self, request: HttpRequest, customer: int) -> HttpResponse:
        """Says what erasing a customer does, and has it begun once it is confirmed."""
        _require(request, "conversations.add_erasurerequest")
        row = get_object_or_404(Customer, pk=customer)
        if row.erased_at:
            messages.warning(request, _("This customer has been erased already."))
            return redirect("admin:conversations_customer_change", row.pk)
        form = ErasureForm(request.POST or None, customer=row)
        if request.method == "POST" and form.is_valid():
            return self._start(request, row, form)
        return render(
            request,
            "admin/conversations/erasure_start.html",
            {
                **self.admin_site.each_context(request),
                **_what_goes(row),
                "title": _("Erase a customer"),
                "customer": row,
                "opts": ErasureRequest._meta,
                "form": form,
            },
            status=200 if request.method == "GET" else 400,
        )

    def _start(self, request: HttpRequest, customer: Customer, form: ErasureForm) -> HttpResponseRedirect:
        chosen = {name: form.cleaned_data[name] for name in ("ground", "case", "interaction")}
        try:
            row = erasure.request(customer, by=str(request.user), **chosen)
        except erasure.AlreadyRequested as error:
            messages.warning(request, str(error))
            return redirect("admin:conversations_customer_change", customer.pk)
        _begin_soon(request, row)
        return redirect("admin:conversations_erasurerequest_change", row.pk)

    @method_decorator(require_POST)
    def run_again(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Has what is left gone on with now, steps that were given up included."""
        _require(request, "conversations.add_erasurerequest")
        row = get_object_or_404(ErasureRequest, pk=number)
        erasure.try_again(row)
        _begin_soon(request, row)
        return redirect("admin:conversations_erasurerequest_change", row.pk)

    def _page_of(self, request: HttpRequest, row: ErasureRequest) -> dict[str, Any]:
        steps = list(row.steps.all())
        lines = erasure.lines_going_on(row.records) if row.state == ErasureRequest.State.WAITING else []
        return {
            "steps": [(_title(step.name), step) for step in steps if not _is_without_finds(step)],
            "without_finds": [_title(step.name) for step in steps if _is_without_finds(step)],
            "connector_requests": row.connector_requests.all(),
            "said": _said_of(row, lines),
            "holds": erasure.holds_against(row.records) if row.state != ErasureRequest.State.DONE else (),
            "lines": lines,
            "look_at_conversations": Conversation.objects.filter(pk__in=_looked_at(row, "conversations")),
            "look_at_records": Customer.objects.filter(pk__in=[*_looked_at(row, "records"), *_looked_at(row, "alike")]),
            "may_run": row.state != ErasureRequest.State.DONE and request.user.has_perm("conversations.add_erasurerequest"),
        }


def _begin_soon(request: HttpRequest, row: ErasureRequest) -> None:
    """Has a worker do it: it reads the whole history and asks other systems. When no worker can be told, the sweep finds it."""
    # A function, since Django cannot log a `partial` that fails, and raises then after all.
    transaction.on_commit(lambda: tasks.erase_person.apply_async((row.pk,), retry=False), robust=True)
    messages.info(request, _("Under way. This page says how far it has come."))


def _said_of(row: ErasureRequest, lines: Sequence[Interaction]) -> Any:
    """What a request's page says of how far it has come, and of what happens by itself."""
    match row.state:
        case ErasureRequest.State.DONE:
            return _("Erased. The report below says what was done.")
        case ErasureRequest.State.HELD:
            return _("A legal hold stands against it. It goes on by itself when the hold ends or is lifted.")
        case ErasureRequest.State.WAITING if lines:
            return _("A call or chat with this customer is going on. It begins by itself when that is over.")
        case ErasureRequest.State.WAITING:
            return _("It is about to begin.")
        case ErasureRequest.State.FAILED if erasure.is_tried_again(row):
            return _("A step failed. What was done stays done; it is tried again by itself, and you can run it again below.")
        case ErasureRequest.State.FAILED:
            return _("It failed too often and is not tried again by itself. What was done stays done; run it again below.")
    if row.steps.exclude(state=ErasureStep.State.DONE).exists():
        return _("Under way. It goes on by itself.")
    return _("Our own records are erased. Another system has not confirmed yet; it is asked again by itself.")


@admin.register(DataExport)
class DataExportAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "made_by", "made_at")
    search_fields = ("=customer__pk", "made_by")
    search_help_text = _("The number of a customer, or who made it.")
    date_hierarchy = "made_at"
    fields = ("customer", "made_by", "made_at", "held")
    readonly_fields = ("held",)

    def get_urls(self) -> list[URLPattern]:
        make = self.admin_site.admin_view(self.make)
        return [path("make/<int:customer>/", make, name="conversations_dataexport_make"), *super().get_urls()]

    @admin.display(description=_("What it held"))
    def held(self, row: DataExport) -> str:
        return format_html_join(", ", "{} {}", [(count, name) for name, count in pairs(row.counts)])

    @method_decorator(require_POST)
    def make(self, request: HttpRequest, customer: int) -> HttpResponseBase:
        """Everything that is kept of a customer, as a file to save. That it was made is kept."""
        _require(request, "conversations.add_dataexport")
        row = get_object_or_404(Customer, pk=customer)
        file = tempfile.TemporaryFile()  # noqa: SIM115  # the response closes it, which removes it
        made = export.write(row, file, made_by=str(request.user))
        file.seek(0)
        return FileResponse(file, as_attachment=True, filename=f"customer-{made.customer_id}-{made.made_at:%Y-%m-%d}.zip")


@admin.register(LegalHold)
class LegalHoldAdmin(ReadOnlyAdmin):
    change_form_template = "admin/conversations/hold_page.html"
    list_display = ("__str__", "customer", "reason", "placed_by", "placed_at", "ends_at", "lifted_by", "lifted_at")
    list_filter = ("placed_at",)
    list_select_related = ("customer",)
    search_fields = ("reason", "=customer__pk", "placed_by")
    search_help_text = _("Words of the reason, who placed it, or the number of a customer.")
    fields = ("customer", "reason", "placed_by", "placed_at", "ends_at", "lifted_by", "lifted_at")

    def get_urls(self) -> list[URLPattern]:
        place, lift = self.admin_site.admin_view(self.place), self.admin_site.admin_view(self.lift)
        return [
            path("place/<int:customer>/", place, name="conversations_legalhold_place"),
            path("<int:number>/lift/", lift, name="conversations_legalhold_lift"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may = {"may_lift": request.user.has_perm("conversations.change_legalhold")}
        return super().change_view(request, object_id, form_url, {**may, **(extra_context or {})})

    def place(self, request: HttpRequest, customer: int) -> HttpResponse:
        """Asks why, and keeps everything of a customer from then on."""
        _require(request, "conversations.add_legalhold")
        row = get_object_or_404(Customer, pk=customer)
        form = HoldForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            hold = holds.place(row, by=str(request.user), **form.cleaned_data)
            messages.success(request, _("Nothing of this customer is erased or expires until the hold ends."))
            return redirect("admin:conversations_legalhold_change", hold.pk)
        context = {**self.admin_site.each_context(request), "title": _("Place a legal hold"), "customer": row, "form": form}
        return render(
            request,
            "admin/conversations/hold_place.html",
            {**context, "opts": LegalHold._meta},
            status=200 if request.method == "GET" else 400,
        )

    @method_decorator(require_POST)
    def lift(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Ends a hold."""
        _require(request, "conversations.change_legalhold")
        if holds.lift(get_object_or_404(LegalHold, pk=number), by=str(request.user)):
            messages.success(request, _("The hold is lifted. What it stopped goes on by itself."))
        else:
            messages.warning(request, _("The hold was lifted before."))
        return redirect("admin:conversations_legalhold_change", number)


@admin.register(RetentionRule)
class RetentionRuleAdmin(Explained, ShowsHistory):
    list_display = ("__str__", "kept_for", "note")
    fields = ("kind", "keep_days", "note")

    @admin.display(description=_("Kept"), ordering="keep_days")
    def kept_for(self, rule: RetentionRule) -> str:
        if rule.keep_days is None:
            return gettext("For good")
        return ngettext("%(days)d day", "%(days)d days", rule.keep_days) % {"days": rule.keep_days}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("kind",) if obj else ()


@admin.register(RetentionRun)
class RetentionRunAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "finished_at", "what_went")
    date_hierarchy = "started_at"
    fields = ("started_at", "finished_at", "what_went")
    readonly_fields = ("what_went",)

    @admin.display(description=_("What went"))
    def what_went(self, run: RetentionRun) -> str:
        kinds = dict(RetentionRule.Kind.choices)
        return "; ".join(f"{kinds.get(kind, kind)}: {count}" for kind, count in run.counts.items()) or gettext("Nothing")


def _require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


_TITLES = {
    erasure.ELSEWHERE: _("Looked for in other customers’ conversations"),
    erasure.CONNECTORS: _("Other systems asked"),
    erasure.FILES: _("Files"),
    erasure.HASHES: _("Keyed hashes of numbers and addresses kept"),
}


def _title(step: str) -> str:
    """What a step is called: a table by its name in the admin."""
    return str(_TITLES[step]) if step in _TITLES else capfirst(str(apps.get_model(step)._meta.verbose_name_plural))


def _is_without_finds(step: ErasureStep) -> bool:
    """Whether a step is done and there was nothing to do."""
    return step.state == ErasureStep.State.DONE and not step.count


def _looked_at(row: ErasureRequest, name: str) -> list[int]:
    return list((row.report.get("look_at") or {}).get(name, []))


def _what_goes(customer: Customer) -> dict[str, Any]:
    """What the confirmation page says will happen."""
    records = personal_data.records_of(customer)
    scope = personal_data.scope_of(records)
    visits: QuerySet[Booking] = Booking.objects.filter(customer__in=records, state="booked", window__endswith__gt=timezone.now())
    return {
        "records": Customer.objects.filter(pk__in=records).order_by("pk"),
        "conversation_count": len(scope.conversations),
        "open_count": Conversation.objects.filter(pk__in=scope.conversations, status="open").count(),
        "visits": visits,
        "holds": erasure.holds_against(records),
        "lines": erasure.lines_going_on(records),
    }
