"""Who can take work: teams, skills, routing profiles and people."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from routing.admin.explained import STAFF_NAME, Explained
from routing.admin.history import ShowsHistory
from routing.admin.phone_numbers import PhoneNumberField
from routing.admin.policy import NamedInTables
from routing.admin.supervising import SetsStates
from routing.models import (
    AgentProfile,
    AgentSkill,
    AwayReason,
    RoutingProfile,
    RoutingProfileQueue,
    RoutingProfileWork,
    Skill,
    Team,
)
from routing.services.dispatch import dispatch_for_agent_after_commit, dispatch_for_profile_after_commit


@admin.register(Team)
class TeamAdmin(Explained, ShowsHistory):
    help_texts = {"name": STAFF_NAME}
    list_display = ("name",)
    search_fields = ("name",)


@admin.register(Skill)
class SkillAdmin(NamedInTables, ShowsHistory):
    output_name = "required_skills"
    list_display = ("name", "code")
    search_fields = ("name", "code")


class RoutingProfileQueueInline(Explained, admin.TabularInline):
    model = RoutingProfileQueue
    extra = 1
    help_texts = {
        "queue": _("Agents with this profile are offered the work of this queue."),
        "order": _("1 comes first."),
        "delay_seconds": _("They are asked only when the work has waited this long, in seconds. 0: at once."),
    }
    verbose_name_plural = _(
        "queues: agents for whom a queue comes first are asked before others; a delay makes them the second line"
    )


class RoutingProfileWorkForm(forms.ModelForm):
    """A kind of work, with the kinds that it may interrupt typed after each other."""

    interrupts = forms.CharField(
        required=False, label=_("Interrupts"), help_text=RoutingProfileWork._meta.get_field("interrupts").help_text
    )

    class Meta:
        model = RoutingProfileWork
        fields = ("kind", "weight", "max_at_once", "wrap_up_seconds", "interrupts")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["interrupts"] = ", ".join(self.instance.interrupts)

    def clean_interrupts(self) -> list[str]:
        """The kinds, each once and sorted."""
        return sorted(set(self.cleaned_data["interrupts"].replace(",", " ").split()))


class RoutingProfileWorkForms(forms.BaseInlineFormSet):
    """The kinds of work of one profile; what may be interrupted is one of them and interrupts nothing itself."""

    def clean(self) -> None:
        super().clean()
        kept = [form for form in self.forms if form.cleaned_data.get("kind") and not form.cleaned_data.get("DELETE")]
        interrupts = {form.cleaned_data["kind"]: form.cleaned_data.get("interrupts", []) for form in kept}
        for form in kept:
            problem = next((what for other in form.cleaned_data.get("interrupts", []) if (what := _why_not(other, form, interrupts))), None)
            if problem:
                form.add_error("interrupts", problem)


def _why_not(kind: str, form: forms.ModelForm, interrupts: dict[str, list[str]]) -> str | None:
    """Why a kind of work cannot be interrupted by another one of its profile; None when it can."""
    if kind == form.cleaned_data["kind"]:
        return str(_("A kind of work does not interrupt itself."))
    if kind not in interrupts:
        return str(_("“%(kind)s” is not among the kinds of work of this profile.")) % {"kind": kind}
    if interrupts[kind]:
        return str(_("“%(kind)s” interrupts other work itself, so it cannot be interrupted.")) % {"kind": kind}
    return None


class RoutingProfileWorkInline(Explained, admin.TabularInline):
    model = RoutingProfileWork
    form = RoutingProfileWorkForm
    formset = RoutingProfileWorkForms
    extra = 1
    help_texts = {
        "max_at_once": _("How many pieces of this kind one agent has at once, at most."),
        "wrap_up_seconds": _(
            "How long the writing-up may take after the customer has gone, in seconds. Then the conversation is closed without an "
            "outcome and the agent is offered the next. Empty: as long as it takes."
        ),
        "interrupts": _(
            "Kinds of work, such as messaging, that an agent without room lays aside for a piece of this kind when nobody is free. "
            "They go on with it when that piece has ended, and get nothing else meanwhile. Empty: it waits until somebody has room."
        ),
    }
    verbose_name_plural = _("kinds of work: a kind that is not named here is not offered to these agents")


@admin.register(RoutingProfile)
class RoutingProfileAdmin(Explained, ShowsHistory):
    help_texts = {
        "name": _("Whom it is for, such as first line. Agents are given a profile on their own page."),
        "missed_offers_before_away": _(
            "After so many offers in a row that they did not answer, agents are set away, and their screen says why. "
            "Taking one in between counts anew."
        ),
    }
    inlines = (RoutingProfileQueueInline, RoutingProfileWorkInline)
    list_display = ("name", "missed_offers_before_away")
    search_fields = ("name",)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """What waits is offered at once to those who may take it from now on."""
        super().save_related(request, form, formsets, change)
        dispatch_for_profile_after_commit(form.instance.pk)


@admin.register(AwayReason)
class AwayReasonAdmin(Explained, ShowsHistory):
    help_texts = {
        "name": _("What agents choose and reports count, such as lunch or training."),
        "active": _("A reason that is not active is no longer offered to agents. The history keeps it."),
    }
    list_display = ("name", "active")
    list_filter = ("active",)
    search_fields = ("name",)


class AgentSkillInline(Explained, admin.TabularInline):
    model = AgentSkill
    extra = 1
    help_texts = {
        "skill": _("Work that needs a skill goes to agents who have it."),
        "proficiency": _("From 1, beginner, to 5, expert."),
    }


class AgentProfileForm(forms.ModelForm):
    """An agent; capacity may not fall below the work they have."""

    phone_number = PhoneNumberField(
        required=False,
        label=capfirst(AgentProfile._meta.get_field("phone_number").verbose_name),
        help_text=AgentProfile._meta.get_field("phone_number").help_text,
    )

    class Meta:
        model = AgentProfile
        fields = ("user", "display_name", "team", "routing_profile", "phone_number", "sip_address", "capacity", "active")
        help_texts = {
            "user": _("The account they sign in with."),
            "team": _("Empty: none."),
            "routing_profile": _("Which queues' work they are offered, and how much of it fits at once."),
            "capacity": _("How much work fits at once; routing profiles say what a piece weighs. A call usually takes all of it."),
            "active": _("Who is not active is offered no work. Their history stays."),
        }

    def clean_capacity(self) -> int:
        capacity = int(self.cleaned_data["capacity"])
        held = self.instance.load + self.instance.laid_aside
        if capacity < self.instance.capacity and capacity < held:
            raise forms.ValidationError(
                _("They have work of weight %(load)d now. Wait until it is finished, or choose at least that.") % {"load": held}
            )
        return capacity

    def clean_active(self) -> bool:
        """Nobody would see the work of somebody who is not active."""
        active = bool(self.cleaned_data["active"])
        if self.instance.active and not active and self.instance.load + self.instance.laid_aside:
            raise forms.ValidationError(_("They have work now. On the board, give it to somebody else or put it back into the line first."))
        return active


@admin.register(AgentProfile)
class AgentProfileAdmin(SetsStates, ShowsHistory):
    form = AgentProfileForm
    inlines = (AgentSkillInline,)
    list_display = ("display_name", "team", "routing_profile", "presence_now", "work_now", "active")
    list_filter = ("team", "routing_profile", "active")
    list_select_related = ("team", "routing_profile", "presence")
    search_fields = ("display_name", "user__username", "user__email")
    readonly_fields = ("work_now",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("user")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """What waits for such a skill, or for room, is offered at once."""
        super().save_related(request, form, formsets, change)
        dispatch_for_agent_after_commit(form.instance)

    @admin.display(description=_("Presence"))
    def presence_now(self, agent: AgentProfile) -> str:
        """What the agent chose, or a supervisor for them."""
        if not hasattr(agent, "presence"):
            return str(_("Offline"))
        reason = f" ({agent.presence.away_reason})" if agent.presence.away_reason else ""
        by = f" · {agent.presence.set_by}" if agent.presence.set_by else ""
        return f"{agent.presence.get_state_display()}{reason}{by}"

    @admin.display(description=_("Work now"))
    def work_now(self, agent: AgentProfile) -> str:
        """How much of the capacity is taken."""
        taken = str(_("%(load)d of %(capacity)d")) % {"load": agent.load, "capacity": agent.capacity}
        aside = str(_("%(laid_aside)d laid aside")) % {"laid_aside": agent.laid_aside}
        return f"{taken}, {aside}" if agent.laid_aside else taken
