"""When people are there: hours with their exceptional days, what they mean for the next days, and calendar files."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin, messages
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from holidays.registry import COUNTRIES

from routing.admin.explained import Explained
from routing.admin.history import ShowsHistory
from routing.admin.read_only import CodeIsKept
from routing.models import ServiceHours, ServiceHoursException
from routing.services.hours import (
    ComingDay,
    InvalidHours,
    calendar_of,
    check_hours,
    check_times_of_a_day,
    coming_days,
    date_at,
)
from routing.services.hours_import import YEARS_AHEAD, ImportPlan, PlanChanged, apply_import, plan_import
from routing.services.ical_lines import MOST_BYTES, UnreadableCalendar
from routing.services.opening_calendar import Why
from routing.services.opening_rules import MINUTES_OF_A_DAY, Span, written

DAYS_SHOWN = 14
EXCEPTIONS_SHOWN = 100
"""No more, since a form with too many fields is refused as a whole."""
KEPT_SECONDS = 3600
SMALL_WORDS = frozenset({"and", "of", "the"})
NO_REGION = frozenset({"Etc", "Factory", "localtime", "posix", "posixrules", "right"})


def time_zone_choices() -> list[tuple[str, Any]]:
    """Time zones by region, as a list to choose from: those that are named for a place, and UTC."""
    regions: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(available_timezones()):
        region, _slash, place = name.partition("/")
        if place and region not in NO_REGION:
            regions.setdefault(region, []).append((name, name.replace("_", " ")))
    return [("", "---------"), ("UTC", "UTC"), *regions.items()]


def country_choices() -> list[tuple[str, str]]:
    """The countries whose public holidays are known, by name."""
    named = {codes[1]: _country_name(key) for key, codes in COUNTRIES.items()}
    return [("", _("None: public holidays are ordinary days")), *sorted(named.items(), key=lambda each: each[1])]


def _country_name(key: str) -> str:
    words = key.split("_")
    return " ".join(word if word in SMALL_WORDS and number else word.capitalize() for number, word in enumerate(words))


class ServiceHoursForm(forms.ModelForm):
    """Hours that can be read, or a sentence about what cannot."""

    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"), choices=time_zone_choices, help_text=gettext_lazy("The place whose clocks these times are about.")
    )
    country = forms.ChoiceField(
        label=gettext_lazy("Country"),
        choices=country_choices,
        required=False,
        help_text=gettext_lazy("Whose public holidays are meant by PH."),
    )

    class Meta:
        model = ServiceHours
        fields = ("name", "code", "time_zone", "expression", "country", "subdivision")
        labels = {"expression": gettext_lazy("Opening hours")}
        help_texts = {
            "expression": gettext_lazy(
                "Days and times, separated by semicolons; a later rule overrides an earlier one. "
                "Public holidays are PH: “Mo-Fr 08:00-18:00; Sa 09:00-13:00; PH off”. "
                "A night such as “Fr 22:00-06:00” belongs to the day on which it begins, and runs to its end whatever the next day is."
            ),
            "subdivision": gettext_lazy("A part of the country with holidays of its own, such as ENG or SCT. Empty: the whole country."),
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if {"time_zone", "expression", "country"} <= cleaned.keys():
            try:
                check_hours(
                    time_zone=cleaned["time_zone"],
                    expression=cleaned["expression"],
                    country=cleaned["country"],
                    subdivision=cleaned.get("subdivision", ""),
                )
            except InvalidHours as error:
                self.add_error("expression", str(error))
        return cleaned


class ServiceHoursExceptionForm(forms.ModelForm):
    """The times of one exceptional day."""

    class Meta:
        model = ServiceHoursException
        fields = ("date", "expression", "note")
        labels = {"expression": gettext_lazy("Times")}
        help_texts = {
            "expression": gettext_lazy("Such as “10:00-14:00” or, into the next day, “22:00-02:00”. Empty means closed."),
        }

    def clean_expression(self) -> str:
        expression = str(self.cleaned_data["expression"])
        try:
            check_times_of_a_day(expression)
        except InvalidHours as error:
            raise forms.ValidationError(str(error)) from error
        return expression


def nearest_exceptions(hours: ServiceHours) -> list[int]:
    """The next exceptional days of hours, by number, from the day on that it still is anywhere on Earth."""
    earliest = timezone.now().date() - timedelta(days=1)
    return list(hours.exceptions.filter(date__gte=earliest).order_by("date").values_list("pk", flat=True)[:EXCEPTIONS_SHOWN])


class ComingExceptions(BaseInlineFormSet):
    """The next exceptional days, so that a page with years of them can still be saved."""

    def get_queryset(self) -> QuerySet[ServiceHoursException]:
        if not hasattr(self, "_queryset"):
            nearest = nearest_exceptions(self.instance) if self.instance.pk else []
            self._queryset = ServiceHoursException.objects.filter(pk__in=nearest).order_by("date")
        return self._queryset

    def clean(self) -> None:
        """Refuses dates that are exceptional days already, among those that are not on the page."""
        super().clean()
        shown = {form.instance.pk for form in self.initial_forms}
        unseen = self.instance.exceptions.exclude(pk__in=shown) if self.instance.pk else ServiceHoursException.objects.none()
        for form in self.forms:
            day = form.cleaned_data.get("date") if "date" in form.changed_data and hasattr(form, "cleaned_data") else None
            if day and unseen.filter(date=day).exists():
                form.add_error("date", _("This date is an exceptional day already, too far from today to be shown here."))


class ServiceHoursExceptionInline(Explained, admin.TabularInline):
    model = ServiceHoursException
    form = ServiceHoursExceptionForm
    formset = ComingExceptions
    extra = 1
    verbose_name = gettext_lazy("exceptional day")
    verbose_name_plural = gettext_lazy("exceptional days from today on")
    help_texts = {
        "date": gettext_lazy("The day on which these times hold instead of the usual ones."),
        "note": gettext_lazy("Why, for colleagues, such as staff day."),
    }


class CalendarFileForm(forms.Form):
    """A calendar file."""

    file = forms.FileField(
        label=gettext_lazy("Calendar file"),
        help_text=gettext_lazy("An iCalendar file (.ics), as every calendar program exports it."),
        widget=forms.ClearableFileInput(attrs={"accept": ".ics,text/calendar"}),
    )

    def clean_file(self) -> bytes:
        """Its content; read only as far as it may be long, and one byte more to tell."""
        return bytes(self.cleaned_data["file"].read(MOST_BYTES + 1))


@dataclass(frozen=True, slots=True)
class ShownDay:
    """A coming day as the page has it."""

    date: date
    times: list[str]
    why: str


@admin.register(ServiceHours)
class ServiceHoursAdmin(CodeIsKept, ShowsHistory):
    form = ServiceHoursForm
    change_form_template = "admin/routing/service_hours_page.html"
    inlines = (ServiceHoursExceptionInline,)
    list_display = ("name", "code", "expression", "time_zone", "now")
    search_fields = ("name", "code")

    class Media:
        css = {"all": ("routing/rule_table.css", "routing/hours.css")}

    @admin.display(description=gettext_lazy("Now"))
    def now(self, hours: ServiceHours) -> str:
        """Whether the hours are open now, and when they open next."""
        moment = timezone.now()
        try:
            calendar = calendar_of(hours)
            if calendar.is_open(moment):
                return _("Open")
            opening = calendar.next_opening(moment)
        except InvalidHours:
            return _("Cannot be read: counts as always open")
        if opening is None:
            return _("Closed")
        return _("Closed until %(opening)s") % {"opening": date_format(opening, "D j M, H:i")}

    def get_urls(self) -> list[URLPattern]:
        guarded: Any = self.admin_site.admin_view(self.import_page)
        return [path("<int:number>/import/", guarded, name="routing_servicehours_import"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        hours = self.get_object(request, object_id)
        extra = _next_days(hours) | {"may_import": _may_import(request)} if hours else {}
        return super().change_view(request, object_id, form_url, extra | (extra_context or {}))

    def import_page(self, request: HttpRequest, number: int) -> HttpResponse:
        """Shows what a calendar file would do, and does it when that was confirmed."""
        if not _may_import(request):
            raise PermissionDenied
        hours = get_object_or_404(ServiceHours, pk=number)
        if "kept" in request.POST:
            return self._confirmed(request, hours)
        form = CalendarFileForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            kept = secrets.token_urlsafe()
            try:
                plan = plan_import(hours, form.cleaned_data["file"], today=_today(hours))
            except (InvalidHours, UnreadableCalendar) as error:
                form.add_error("file", str(error))
            else:
                cache.set(_key(hours, kept), form.cleaned_data["file"], KEPT_SECONDS)
                return self._import_page(request, hours, {"plan": plan, "kept": kept})
        return self._import_page(request, hours, {"form": form})

    def _confirmed(self, request: HttpRequest, hours: ServiceHours) -> HttpResponse:
        kept = request.POST["kept"]
        data = cache.get(_key(hours, kept))
        if data is None:
            messages.error(request, _("The file was kept for an hour and is gone now. Upload it again."))
            return redirect("admin:routing_servicehours_import", hours.pk)
        try:
            plan = apply_import(hours, data, today=_today(hours), fingerprint=request.POST.get("fingerprint", ""))
        except PlanChanged:
            messages.warning(request, _("The exceptional days changed meanwhile, so nothing was imported. This is what it would do now."))
            return self._import_page(request, hours, {"plan": plan_import(hours, data, today=_today(hours)), "kept": kept})
        cache.delete(_key(hours, kept))
        done = _("Imported a calendar file. Days added: %(added)d, changed: %(changed)d, left alone: %(left)d.") % {
            "added": plan.added,
            "changed": plan.changed,
            "left": plan.left,
        }
        self.log_change(request, hours, done)
        messages.success(request, done)
        return redirect("admin:routing_servicehours_change", hours.pk)

    def _import_page(self, request: HttpRequest, hours: ServiceHours, context: dict[str, Any]) -> TemplateResponse:
        shared = self.admin_site.each_context(request) | {
            "title": _("Exceptional days from a calendar: %(hours)s") % {"hours": hours},
            "opts": self.opts,
            "original": hours,
            "media": self.media,
            "years": YEARS_AHEAD,
            "has_errors": bool(context.get("form") and context["form"].errors),
        }
        return TemplateResponse(request, "admin/routing/service_hours_import.html", shared | _shown(context))


def _may_import(request: HttpRequest) -> bool:
    needed = ("change_servicehours", "add_servicehoursexception", "change_servicehoursexception")
    return all(request.user.has_perm(f"routing.{name}") for name in needed)


def _key(hours: ServiceHours, kept: str) -> str:
    return f"routing:hours-import:{hours.pk}:{kept[:64]}"


def _today(hours: ServiceHours) -> date:
    return date_at(hours, timezone.now())


def _next_days(hours: ServiceHours) -> dict[str, Any]:
    try:
        days = coming_days(hours, _today(hours), DAYS_SHOWN)
    except InvalidHours as error:
        return {"problem": str(error)}
    unseen = hours.exceptions.count() - len(nearest_exceptions(hours))
    return {"coming_days": [_in_words(day) for day in days], "unseen_exceptions": unseen}


def _in_words(day: ComingDay) -> ShownDay:
    opening = day.opening
    if opening.why is Why.EXCEPTION:
        why = _("Exception: %(note)s") % {"note": day.note} if day.note else _("Exception")
    elif opening.why is Why.HOLIDAY:
        why = _("Public holiday: %(name)s") % {"name": opening.holiday}
    elif opening.holiday:
        why = _("Ordinary: %(name)s has no rule of its own") % {"name": opening.holiday}
    else:
        why = _("Ordinary")
    return ShownDay(opening.date, [_times(span) for span in opening.spans], why)


def _times(span: Span) -> str:
    times = written((span,)).replace("-", "–")
    return _("%(times)s next day") % {"times": times} if span[1] > MINUTES_OF_A_DAY else times


def _shown(context: dict[str, Any]) -> dict[str, Any]:
    plan: ImportPlan | None = context.get("plan")
    return context if plan is None else context | {"would_change": plan.added + plan.changed}
