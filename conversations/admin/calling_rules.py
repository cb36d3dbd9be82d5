"""When and how often customers may be rung: regions with their hours and holidays, policies with their caps, and every call of ours."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from conversations.admin.fields import LinesField
from conversations.models import CallingCap, CallingHoliday, CallingHours, CallingPolicy, CallingRegion, DialAttempt
from conversations.services import calling_rules
from routing.admin.explained import Explained
from routing.admin.history import ShowsHistory
from routing.admin.read_only import ReadOnlyAdmin

YEARS_AHEAD = 2


class RegionForm(forms.ModelForm):
    """A region with the beginnings of its numbers one on each line, and a country whose holidays are to be added."""

    prefixes = LinesField(
        label=_("How its numbers begin"), help_text=_("One on each line, such as +44 or +1305. The longest that fits a number counts.")
    )
    holidays_of = forms.CharField(
        label=_("Add the holidays of"), required=False, max_length=10,
        help_text=_("A country such as GB, or a part of one such as US-FL: this year's and next year's public holidays. Empty: none."),
    )

    class Meta:
        model = CallingRegion
        fields = ("name", "prefixes", "source")
        help_texts = {"name": _("What staff call it.")}

    def clean_prefixes(self) -> list[str]:
        found: list[str] = self.cleaned_data["prefixes"]
        wrong = [each for each in found if not each.startswith("+") or not (each[1:] or "0").isdigit()]
        if wrong:
            raise ValidationError(_("Write a plus and digits: %(wrong)s") % {"wrong": ", ".join(wrong)})
        return found


class HoursForm(forms.ModelForm):
    weekday = forms.TypedChoiceField(
        label=_("Weekday"), coerce=int, choices=list(WEEKDAYS.items()), help_text=_("The hours are the same every week.")
    )

    class Meta:
        model = CallingHours
        fields = ("weekday", "opens", "closes")


class HoursInline(admin.TabularInline):
    model = CallingHours
    form = HoursForm
    extra = 0
    verbose_name_plural = _("hours by the clock where the phone is; a weekday without a row has none")


class HolidayInline(Explained, admin.TabularInline):
    model = CallingHoliday
    help_texts = {"day": _("By the calendar where the phone is."), "name": _("What the day is called.")}
    extra = 0
    verbose_name_plural = _("days on which nobody is rung")


@admin.register(CallingRegion)
class CallingRegionAdmin(ShowsHistory):
    form = RegionForm
    list_display = ("name", "begins_with", "source")
    search_fields = ("name",)
    inlines = (HoursInline, HolidayInline)
    fields = ("name", "prefixes", "source", "holidays_of")

    @admin.display(description=_("Numbers beginning with"))
    def begins_with(self, region: CallingRegion) -> str:
        return ", ".join(region.prefixes)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Adds the holidays that were asked for after the rows on the page."""
        super().save_related(request, form, formsets, change)
        country = form.cleaned_data.get("holidays_of")
        if not country:
            return
        this_year = timezone.localdate().year
        try:
            added = calling_rules.add_holidays(form.instance, country, range(this_year, this_year + YEARS_AHEAD))
        except calling_rules.UnknownCountry:
            messages.warning(request, _("No holidays are known of %(country)s, so none were added.") % {"country": country})
        else:
            messages.info(request, ngettext("%(count)d holiday was added.", "%(count)d holidays were added.", added) % {"count": added})


class CapInline(Explained, admin.TabularInline):
    model = CallingCap
    help_texts = {"counted_by": _("Which calls are counted together.")}
    extra = 0
    verbose_name_plural = _("at most so many calls")


@admin.register(CallingPolicy)
class CallingPolicyAdmin(Explained, ShowsHistory):
    help_texts = {"purpose": _("What the calls are for. It cannot be changed later.")}
    list_display = ("purpose", "caps_read", "quiet_days", "keeps_hours", "source")
    inlines = (CapInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: CallingPolicy | None = None) -> tuple[str, ...]:
        return ("purpose",) if obj else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[CallingPolicy]:
        return super().get_queryset(request).prefetch_related("caps")

    @admin.display(description=_("At most"))
    def caps_read(self, policy: CallingPolicy) -> str:
        return ", ".join(f"{cap.most} / {cap.hours} h ({cap.get_counted_by_display()})" for cap in policy.caps.all()) or "–"


@admin.register(DialAttempt)
class DialAttemptAdmin(ReadOnlyAdmin):
    list_display = ("at", "customer", "number", "purpose", "outcome", "entry_point")
    list_display_links = ("at",)
    list_filter = ("purpose", "outcome", "entry_point")
    list_select_related = ("customer", "entry_point")
    search_fields = ("customer__name", "number", "subject")
    search_help_text = _("A customer's name, a number as +441632960100, or what it is about.")
    date_hierarchy = "at"
    fields = (
        "at", "customer", "number", "purpose", "subject", "offers", "consent", "offers_consent", "zones", "entry_point", "interaction",
        "dialled_at", "ended_at", "outcome",
    )  # fmt: skip
