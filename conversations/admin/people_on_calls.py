"""Numbers outside that callers may be put through to, and who was on which call."""

from __future__ import annotations

from django import forms
from django.contrib import admin

from conversations.models import CallSeat, OutsideNumber
from routing.admin.explained import Explained
from routing.admin.history import ShowsHistory
from routing.admin.phone_numbers import PhoneNumberField
from routing.admin.read_only import ReadOnlyAdmin


class OutsideNumberForm(forms.ModelForm):
    """A number outside that may be rung."""

    number = PhoneNumberField(help_text=OutsideNumber._meta.get_field("number").help_text)

    class Meta:
        model = OutsideNumber
        fields = ("name", "number", "active")


@admin.register(OutsideNumber)
class OutsideNumberAdmin(Explained, ShowsHistory):
    form = OutsideNumberForm
    list_display = ("name", "number", "active")
    list_filter = ("active",)
    search_fields = ("name", "number")


@admin.register(CallSeat)
class CallSeatAdmin(ReadOnlyAdmin):
    list_display = ("rung_at", "name", "purpose", "manner", "state", "outcome", "connected_at", "ended_at")
    list_filter = ("purpose", "manner", "outcome")
    list_select_related = ("interaction",)
    search_fields = ("name", "=leg_id", "=interaction__provider_id")
    date_hierarchy = "rung_at"
    fields = (
        "name", "agent", "outside", "interaction", "purpose", "manner", "state", "outcome", "muted", "leg_id", "rung_at", "connected_at",
        "ended_at",
    )  # fmt: skip
