"""The admin: models by what managers do with them, and a home page that says what needs attention."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.core.cache import cache
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from redis import RedisError

from cxhub.tasks import HEARTBEAT_KEY
from reporting.attention import raised

BEAT_IS_SILENT_AFTER = timedelta(minutes=2)

SECTIONS: Mapping[str, tuple[str | Promise, str, tuple[str, ...]]] = {
    "customers": (
        gettext_lazy("Customers"),
        "users",
        (
            "conversations.Customer", "conversations.MatchCandidate", "conversations.CustomerLink", "conversations.Identifier",
            "conversations.SharedIdentifier", "conversations.Consent", "conversations.Suppression", "conversations.Booking",
            "conversations.SalesAccount", "conversations.Ticket",
        ),
    ),
    "conversations": (
        gettext_lazy("Conversations"),
        "message-square-text",
        (
            "conversations.Conversation", "conversations.Interaction", "conversations.Handoff", "conversations.ConversationLink",
            "conversations.Entry", "conversations.ActionItem", "conversations.Qualification", "conversations.SavedReply",
        ),
    ),
    "calls-we-make": (
        gettext_lazy("Calls we make"),
        "phone-forwarded",
        (
            "conversations.Campaign", "conversations.Audience", "conversations.CampaignContact", "conversations.DialAttempt",
            "conversations.CallingPolicy", "conversations.CallingRegion",
        ),
    ),
    "routing": (
        gettext_lazy("Routing"),
        "route",
        (
            "routing.RuleSet", "routing.Rule", "routing.RuleSetCase", "routing.DeclaredFact", "routing.ChannelException", "routing.Queue",
            "routing.ReasonCode", "routing.DispositionCode", "routing.ServiceLevel", "routing.ServiceHours", "routing.Territory",
            "routing.AgentProfile", "routing.Team", "routing.Skill", "routing.RoutingProfile", "routing.AwayReason", "routing.Presence",
            "routing.WorkItem", "routing.Reservation",
            "routing.Decision", "conversations.OutsideNumber",
        ),
    ),
    "ai-agents": (
        gettext_lazy("AI agents"),
        "bot",
        (
            "conversations.Playbook", "conversations.EntryPoint", "conversations.AssistantSwitch", "conversations.HostSiteKey",
            "conversations.KnowledgeArticle", "conversations.UnansweredQuestion",
            "conversations.PriceListItem", "conversations.Technician",
        ),
    ),
    "reporting": (
        gettext_lazy("Reporting"),
        "chart-column",
        (
            "conversations.CallRecording", "conversations.WebhookRecord", "conversations.CallLeg", "conversations.CallSeat",
            "conversations.ChatSessionRecord",
        ),
    ),
    "personal-data": (
        gettext_lazy("Personal data"),
        "shield",
        (
            "conversations.ErasureRequest", "conversations.DataExport", "conversations.LegalHold", "conversations.RetentionRule",
            "conversations.RetentionRun",
        ),
    ),
    "system": (gettext_lazy("System"), "settings", ("auth.User", "auth.Group", "admin.LogEntry")),
}
"""Sections by their name in addresses: title, icon, and models in the order they are shown. `System` has the rest."""


class CxAdminSite(admin.AdminSite):
    """Django's admin site with our sections. Signing in goes the way of everybody else, second factor included."""

    site_header = gettext_lazy("CX Hub")
    site_title = gettext_lazy("CX Hub")
    index_title = gettext_lazy("Admin")
    index_template = "admin/index.html"

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The models the user may see, by section; with `app_label`, the models of one Django app as usual."""
        if app_label is not None:
            return super().get_app_list(request, app_label)
        models = [model for app in self._build_app_dict(request).values() for model in app["models"]]
        sections = []
        for slug, (title, icon, order) in SECTIONS.items():
            inside = [model for model in models if section_of(model["model"]) == slug]
            inside.sort(key=lambda model: (_place(model["model"], order), model["name"]))
            if inside:
                sections.append(
                    {
                        "name": str(title),
                        "icon": icon,
                        "app_label": slug,
                        "app_url": f"#{slugify(slug)}",
                        "has_module_perms": True,
                        "models": inside,
                    }
                )
        return sections

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Adds which section the page belongs to."""
        context = super().each_context(request)
        for section in context["available_apps"]:
            section["is_current"] = any(
                model["admin_url"] and request.path.startswith(model["admin_url"]) for model in section["models"]
            )
        return context

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The home page, with what needs attention."""
        return super().index(request, {"concerns": raised(), "troubles": troubles(timezone.now()), **(extra_context or {})})

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Signing in is allauth's, so that lock-out and second factor hold here too."""
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response


def section_of(model: type[Model]) -> str:
    """The section a model is shown in."""
    return next((slug for slug, (_title, _icon, labels) in SECTIONS.items() if model._meta.label in labels), "system")


def troubles(now: datetime) -> list[str]:
    """What is wrong with the running system itself, as sentences. `manage.py doctor` looks deeper."""
    try:
        heartbeat = cache.get(HEARTBEAT_KEY)
    except RedisError:
        return [_("Valkey cannot be reached, so nothing is pushed to screens and no background work runs. Run manage.py doctor.")]
    if heartbeat is None:
        return [_("Background work has never run. Start the worker and beat, or run manage.py doctor.")]
    if now - datetime.fromisoformat(heartbeat) > BEAT_IS_SILENT_AFTER:
        return [_("Background work has not run for more than 2 minutes. Check the worker and beat with manage.py doctor.")]
    return []


def _place(model: type[Model], order: tuple[str, ...]) -> int:
    label = model._meta.label
    return order.index(label) if label in order else len(order)
