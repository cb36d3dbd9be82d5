"""What supervisors do from lists: pause queues, set people's state."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from routing.models import AgentProfile, AwayReason, Presence, Queue
from routing.services import presence, supervising

SUPERVISE = "routing.supervise"


def name_of(request: HttpRequest) -> str:
    """What colleagues' screens call whoever is signed in."""
    user: Any = request.user
    return str(user.get_full_name() or user.get_username())


class ForSupervisors:
    """A list whose actions with the permission `supervise` are there for those who may supervise."""

    def has_supervise_permission(self, request: HttpRequest) -> bool:
        """Whether whoever is signed in may supervise."""
        return bool(request.user.has_perm(SUPERVISE))


class WhyForm(ActionForm):
    """The choice of an action, with a reason."""

    why = forms.CharField(label=_("Why:"), required=False, max_length=200)


class AwayReasonForm(ActionForm):
    """The choice of an action, with a reason for being away."""

    away_reason = forms.ModelChoiceField(
        AwayReason.objects.filter(active=True), label=_("Why away:"), required=False, to_field_name="name", empty_label=_("No reason")
    )


class PausesQueues(ForSupervisors):
    """Queues that are paused and go on."""

    action_form = WhyForm
    actions: Any = ("pause", "resume")

    @admin.action(description=_("Pause the selected queues"), permissions=["supervise"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Queue]) -> None:
        """Nothing of them is offered until they go on; a reason is needed."""
        why = request.POST.get("why", "").replace("\x00", "").strip()
        if not why:
            messages.error(request, _("Write why beside the action, so that colleagues know when the queue can go on."))
            return
        paused = [queue for queue in queryset if supervising.pause_queue(queue, by=name_of(request), why=why)]
        _tell(self, request, paused, gettext("Paused: %(why)s") % {"why": why})

    @admin.action(description=_("Let the selected queues go on"), permissions=["supervise"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Queue]) -> None:
        """Their work is offered again."""
        _tell(self, request, [queue for queue in queryset if supervising.resume_queue(queue)], gettext("Goes on"))


class SetsStates(ForSupervisors):
    """People, or their presence, who are made available, away or offline."""

    action_form = AwayReasonForm
    actions: Any = ("make_available", "make_away", "make_offline")

    @admin.action(description=_("Set to available"), permissions=["supervise"])
    def make_available(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """They are offered work."""
        self._set(request, queryset, Presence.State.AVAILABLE)

    @admin.action(description=_("Set to away"), permissions=["supervise"])
    def make_away(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """They are offered nothing, for the reason chosen beside the action."""
        reason = request.POST.get("away_reason", "")
        self._set(request, queryset, Presence.State.AWAY, reason if AwayReason.objects.filter(name=reason, active=True).exists() else "")

    @admin.action(description=_("Set to offline"), permissions=["supervise"])
    def make_offline(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """They have gone."""
        self._set(request, queryset, Presence.State.OFFLINE)

    def _set(self, request: HttpRequest, queryset: QuerySet[Any], state: Presence.State, reason: str = "") -> None:
        agents = AgentProfile.objects.filter(active=True)
        chosen = queryset.values("pk")
        found = list(agents.filter(pk__in=chosen))
        for agent in found:
            presence.set_state(agent, state, reason, by=name_of(request))
        said = f"{state.label}: {reason}" if reason else str(state.label)
        _tell(self, request, found, gettext("Set to %(state)s") % {"state": said})


def _tell(page: Any, request: HttpRequest, done: list[Any], what: str) -> None:
    """In the admin's log, and to whoever did it."""
    for row in done:
        page.log_change(request, _logged(page, row), what)
    count = len(done)
    sentence = ngettext("%(count)d changed. %(what)s.", "%(count)d changed. %(what)s.", count) if count else gettext("Nothing changed.")
    messages.success(request, sentence % {"count": count, "what": what} if count else sentence)


def _logged(page: Any, row: Any) -> Model:
    """The row of the list's own model that a change is logged for: an agent's presence has the agent's key."""
    return row if isinstance(row, Queue) or page.model is AgentProfile else Presence(agent=row)
