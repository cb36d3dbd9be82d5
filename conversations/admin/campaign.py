"""Audiences and campaigns: whom to call, what that would come to, starting and stopping, and how far it is."""

from __future__ import annotations

from typing import Any

import jsonschema
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from conversations.admin.fields import OutlineField
from conversations.models import Audience, Campaign, CampaignContact
from conversations.models.dial_attempt import DialOutcome
from conversations.selectors import audiences
from conversations.services import campaigns, dialing, manager_log
from routing.admin.explained import Explained
from routing.admin.history import ShowsHistory
from routing.admin.read_only import ReadOnlyAdmin

MAY_RUN = "conversations.run_campaign"
PAGE = "admin:conversations_campaign_change"
CHANGEABLE_WHILE_PAUSED = (
    "name", "ends_at", "calls_per_second", "at_once", "needs_people", "most_attempts", "again_after_no_answer", "again_after_busy",
    "again_after_machine", "leaves_message",
)  # fmt: skip


FIELDS = (
    (None, ("name", "purpose", "audience", "entry_point", "offers")),
    (_("When"), ("starts_at", "ends_at", "repeats")),
    (_("How fast"), ("calls_per_second", "at_once", "needs_people")),
    (_("How often"), ("most_attempts", "again_after_no_answer", "again_after_busy", "again_after_machine")),
    (_("Machines"), ("leaves_message",)),
)


class AudienceForm(forms.ModelForm):
    filters = OutlineField(
        label=_("Filters"), required=False,
        help_text=_(
            "One on each line, such as “from_hours: 20”. Customers: tier, language, postcode_begins, with_attribute. Visits: from_hours and"
            " to_hours from now, service. Customers who owe something: at_least, tier, language. Calls back: waited_minutes."
        ),
    )

    class Meta:
        model = Audience
        fields = ("name", "source", "filters")
        help_texts = {"name": _("What staff call it."), "source": _("Where it looks.")}

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if "filters" in found and found.get("source"):
            try:
                campaigns.check_filters(Audience(source=found["source"], filters=found["filters"] or {}))
            except jsonschema.ValidationError as problem:
                self.add_error("filters", problem.message[:200])
        return found


@admin.register(Audience)
class AudienceAdmin(ShowsHistory):
    form = AudienceForm
    list_display = ("name", "source", "found_now")
    list_filter = ("source",)
    search_fields = ("name",)

    @admin.display(description=_("Found now"))
    def found_now(self, audience: Audience) -> int:
        return audiences.count(audience)[0]


@admin.register(Campaign)
class CampaignAdmin(Explained, ShowsHistory):
    help_texts = {
        "name": _("What staff call it."),
        "purpose": _("It decides which rules hold and what is said."),
        "audience": _("Whom it calls."),
    }
    change_form_template = "admin/conversations/campaign_page.html"
    list_display = ("name", "purpose", "state", "audience", "entry_point", "started_at", "ended_at")
    list_filter = ("state", "purpose")
    list_select_related = ("audience", "entry_point")
    search_fields = ("name",)
    fieldsets = tuple((title, {"fields": names}) for title, names in FIELDS)

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> tuple[str, ...]:
        if obj is None or obj.state == Campaign.State.DRAFT:
            return ()
        kept = tuple(name for _title, names in FIELDS for name in names)
        return tuple(name for name in kept if name not in CHANGEABLE_WHILE_PAUSED) if obj.state == Campaign.State.PAUSED else kept

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What was called stays on record."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.state == Campaign.State.DRAFT)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The campaign with whom it would call, or how far it is."""
        campaign = Campaign.objects.select_related("audience").filter(pk=object_id).first() if object_id.isdigit() else None
        context = {"may_run": request.user.has_perm(MAY_RUN), **(_standing(campaign) if campaign else {})}
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        steps = [
            path(f"<int:number>/{step}/", self.admin_site.admin_view(getattr(self, step)), name=f"conversations_campaign_{step}")
            for step in ("start", "pause", "stop")
        ]
        return [*steps, *super().get_urls()]

    @method_decorator(require_POST)
    def start(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Starts it, or lets it go on."""
        campaign = _campaign(request, number)
        try:
            waiting = campaigns.start(campaign, by=str(request.user))
        except campaigns.NotPossible as problem:
            messages.warning(request, str(problem))
        else:
            self.log_change(request, campaign, _("Started."))
            text = ngettext("It runs: %(count)d person is to be called.", "It runs: %(count)d people are to be called.", waiting)
            messages.success(request, text % {"count": waiting})
        return redirect(PAGE, number)

    @method_decorator(require_POST)
    def pause(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Lets it begin no further call until it is started again."""
        return self._leave(request, number, campaigns.pause, _("It pauses: no further call begins."))

    @method_decorator(require_POST)
    def stop(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Ends it for good."""
        return self._leave(request, number, campaigns.stop, _("It is stopped. Whoever was not called is not called."))

    def _leave(self, request: HttpRequest, number: int, step: Any, told: Any) -> HttpResponseRedirect:
        campaign = _campaign(request, number)
        try:
            step(campaign)
        except campaigns.NotPossible as problem:
            messages.warning(request, str(problem))
        else:
            manager_log.note(request.user, Campaign, f"{campaign}: {told}")
            messages.success(request, told)
        return redirect(PAGE, number)


@admin.register(CampaignContact)
class CampaignContactAdmin(ReadOnlyAdmin):
    list_display = ("subject", "campaign", "customer", "number", "state", "outcome", "refused_for", "attempts", "next_at")
    list_filter = ("state", "outcome", "campaign")
    list_select_related = ("campaign", "customer")
    search_fields = ("customer__name", "number", "subject")
    search_help_text = _("A customer's name, a number as +441632960100, or what it is about.")

    @admin.display(description=_("Not called because"))
    def refused_for(self, contact: CampaignContact) -> str:
        return str(dialing.REFUSALS.get(contact.refusal, "")) or "–"


def _campaign(request: HttpRequest, number: int) -> Campaign:
    if not request.user.has_perm(MAY_RUN):
        raise PermissionDenied
    return get_object_or_404(Campaign, pk=number)


def _standing(campaign: Campaign) -> dict[str, Any]:
    """Before the start whom it would call, afterwards how many are in each state."""
    if campaign.state == Campaign.State.DRAFT:
        preview = campaigns.preview(campaign.audience, purpose=campaign.purpose, offers=campaign.offers)
        reasons = {**dialing.REFUSALS}
        return {"preview": preview, "refused": [(reasons.get(code, code), number) for code, number in preview.refused.items()]}
    labels = {**dict(CampaignContact.State.choices), **dict(CampaignContact.Outcome.choices), **dict(DialOutcome.choices)}
    counted = campaigns.progress(campaign)
    waiting, first = campaigns.waiting_for_hours(campaign)
    shown = [(labels[key], number) for key, number in counted.items()]
    return {"progress": shown, "everybody": sum(counted.values()), "wait_for_hours": waiting, "first_hour": first}
