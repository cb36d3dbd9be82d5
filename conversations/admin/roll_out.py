"""The switch that stops the AI agent everywhere: one page that says how it stands, throws it, and shows who threw it when."""

from __future__ import annotations

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from conversations.models import AssistantSwitch
from conversations.selectors.roll_out import stop_in_force
from conversations.services import manager_log, roll_out
from routing.admin.read_only import ReadOnlyAdmin

MAY_THROW = "conversations.stop_assistant"
PAGE = "admin:conversations_assistantswitch_changelist"
MOST_CHANGES_SHOWN = 20


class StopForm(forms.Form):
    """Why the AI agent is stopped."""

    why = forms.CharField(
        label=_("Why"),
        max_length=300,
        help_text=_("A sentence for colleagues; every inbox shows it."),
        error_messages={"required": _("Write why, so that colleagues know what they see.")},
    )


@admin.register(AssistantSwitch)
class AssistantSwitchAdmin(ReadOnlyAdmin):
    def get_urls(self) -> list[URLPattern]:
        stop, start = self.admin_site.admin_view(self.stop), self.admin_site.admin_view(self.start)
        return [
            path("stop/", stop, name="conversations_assistantswitch_stop"),
            path("start/", start, name="conversations_assistantswitch_start"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """How the switch stands. There is one, so there is no list."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self._page(request, StopForm())

    @method_decorator(require_POST)
    def stop(self, request: HttpRequest) -> HttpResponse:
        """Stops the AI agent everywhere at once."""
        _require(request)
        form = StopForm(request.POST)
        if not form.is_valid():
            return self._page(request, form, status=400)
        if roll_out.stop(by=str(request.user), why=form.cleaned_data["why"]):
            manager_log.note(request.user, AssistantSwitch, f"Stopped the AI agent everywhere: {form.cleaned_data['why']}")
            messages.success(request, _("The AI agent is stopped. People answer every chat and call from now on."))
        else:
            messages.warning(request, _("The AI agent was stopped before."))
        return redirect(PAGE)

    @method_decorator(require_POST)
    def start(self, request: HttpRequest) -> HttpResponseRedirect:
        """Lets the AI agent answer again."""
        _require(request)
        if roll_out.start(by=str(request.user)):
            manager_log.note(request.user, AssistantSwitch, "Let the AI agent answer again")
            messages.success(request, _("The AI agent answers again, wherever its entry points are live."))
        else:
            messages.warning(request, _("The AI agent was running already."))
        return redirect(PAGE)

    def _page(self, request: HttpRequest, form: StopForm, *, status: int = 200) -> HttpResponse:
        changes = apps.get_model("conversations", "AssistantSwitchEvent").objects.order_by("-pgh_id")
        shown = {
            "title": _("Stop the AI agent"),
            "opts": AssistantSwitch._meta,
            "switch": stop_in_force(),
            "changes": changes[:MOST_CHANGES_SHOWN],
            "form": form,
            "may_throw": request.user.has_perm(MAY_THROW),
        }
        context = {**self.admin_site.each_context(request), **shown}
        return render(request, "admin/conversations/switch_page.html", context, status=status)


def _require(request: HttpRequest) -> None:
    if not request.user.has_perm(MAY_THROW):
        raise PermissionDenied
