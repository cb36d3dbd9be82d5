"""The declared channel exceptions: there should be none."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from routing.admin.history import ShowsHistory
from routing.models import ChannelException
from routing.rules.schema import fact_named


class ChannelExceptionForm(forms.ModelForm):
    """Which fact, and why."""

    class Meta:
        model = ChannelException
        fields = ("fact", "reason")
        widgets = {"reason": forms.Textarea(attrs={"rows": 3})}

    def clean_fact(self) -> str:
        name: str = self.cleaned_data["fact"].strip()
        if fact_named(name) is None:
            raise forms.ValidationError(
                _("“%(name)s” is not a fact. Write it as tables call it, such as “in_hours” or “facts.call_back_window”."),
                params={"name": name},
            )
        return name


@admin.register(ChannelException)
class ChannelExceptionAdmin(ShowsHistory):
    """Declared and withdrawn, never edited: a reason stands as it was given."""

    form = ChannelExceptionForm
    list_display = ("fact", "reason", "declared_by", "since")
    list_select_related = ("declared_by",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ChannelException, form: Any, change: bool) -> None:
        if not isinstance(request.user, User):
            raise PermissionDenied
        obj.declared_by = request.user
        super().save_model(request, obj, form, change)
