"""Technicians with their shifts, and the visits that were booked."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from conversations.admin.conversation import customer_link, link
from conversations.admin.fields import TimeZoneField
from conversations.models import Booking, Technician, TechnicianShift
from routing.admin.read_only import ReadOnlyAdmin


class TechnicianForm(forms.ModelForm):
    time_zone = TimeZoneField(label=_("Time zone"), help_text=_("Shifts are in this zone."))

    class Meta:
        model = Technician
        fields = ("name", "territories", "time_zone", "hours", "active")
        help_texts = {
            "name": _("Who visits, as it stands in bookings."),
            "territories": _("Where this technician goes. Territories are lists of postcodes, in the section Routing."),
            "active": _("Only active technicians are offered for new visits."),
        }


class ShiftForm(forms.ModelForm):
    weekday = forms.TypedChoiceField(
        label=_("Weekday"), coerce=int, choices=list(WEEKDAYS.items()), help_text=_("The shift is repeated every week.")
    )

    class Meta:
        model = TechnicianShift
        fields = ("weekday", "starts", "ends")
        help_texts = {
            "starts": _("Visits begin then at the earliest."),
            "ends": _("Visits are over by then."),
        }


class ShiftInline(admin.TabularInline):
    model = TechnicianShift
    form = ShiftForm
    extra = 1


@admin.register(Technician)
class TechnicianAdmin(admin.ModelAdmin):
    form = TechnicianForm
    list_display = ("name", "goes_to", "time_zone", "active")
    list_filter = ("active", "territories")
    search_fields = ("name",)
    filter_horizontal = ("territories",)
    inlines = (ShiftInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Technician]:
        return super().get_queryset(request).prefetch_related("territories")

    @admin.display(description=_("Territories"))
    def goes_to(self, technician: Technician) -> str:
        return ", ".join(territory.name for territory in technician.territories.all())


@admin.register(Booking)
class BookingAdmin(ReadOnlyAdmin):
    list_display = ("reference", "name", "service", "starts", "technician", "state")
    list_filter = ("state", "technician", "service")
    list_select_related = ("technician",)
    search_fields = ("=reference", "name", "phone", "postcode", "customer__name")
    search_help_text = _("A reference such as HH-4F7K2Q, a name, a phone number or a postcode.")
    fields = (
        "reference", "state", "customer_read", "conversation_read", "service", "starts", "ends", "technician", "name", "phone",
        "postcode", "created_at", "cancelled_at",
    )
    readonly_fields = ("customer_read", "conversation_read", "starts", "ends")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Booking]:
        return super().get_queryset(request).select_related("customer", "conversation__customer", "technician")

    @admin.display(description=_("From"), ordering="window")
    def starts(self, booking: Booking) -> Any:
        return timezone.localtime(booking.window.lower)

    @admin.display(description=_("To"))
    def ends(self, booking: Booking) -> Any:
        return timezone.localtime(booking.window.upper)

    @admin.display(description=_("Customer"))
    def customer_read(self, booking: Booking) -> str:
        return customer_link(booking.conversation)

    @admin.display(description=_("Conversation"))
    def conversation_read(self, booking: Booking) -> str:
        return link("conversations_conversation_change", booking.conversation_id, booking.conversation)
