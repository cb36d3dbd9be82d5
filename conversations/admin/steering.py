"""Work as routing's list shows it, with what supervisors do about it: the conversation behind it follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from conversations.flows import supervising
from routing.admin.supervising import ForSupervisors
from routing.admin.work import WorkItemAdmin
from routing.models import AgentProfile, WorkItem
from routing.selectors.board import held_as

MOST_REFUSALS_SHOWN = 5


class SteeringForm(ActionForm):
    """The choice of an action, with a class and somebody for the actions that need one."""

    priority_class = forms.CharField(
        label=_("Class:"), required=False, widget=forms.Select(choices=[("", "–"), *((number, number) for number in range(1, 10))])
    )
    agent = forms.CharField(label=_("Person:"), required=False, widget=forms.Select)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = AgentProfile.objects.filter(active=True).values_list("pk", "display_name")
        self.fields["agent"].widget.choices = [("", "–"), *people]


admin.site.unregister(WorkItem)


@admin.register(WorkItem)
class SteeredWorkItemAdmin(ForSupervisors, WorkItemAdmin):
    action_form = SteeringForm
    actions = ("change_class", "give", "take_back")

    @admin.action(description=_("Change the priority class"), permissions=["supervise"])
    def change_class(self, request: HttpRequest, queryset: QuerySet[WorkItem]) -> None:
        """Puts waiting work into the class chosen beside the action."""
        number = request.POST.get("priority_class", "")
        if number not in map(str, range(1, 10)):
            messages.error(request, _("Choose the class from 1 to 9 beside the action."))
            return
        self._each(request, queryset, lambda work, held_by: supervising.change_class(work, int(number), by=request.user))

    @admin.action(description=_("Give to somebody"), permissions=["supervise"])
    def give(self, request: HttpRequest, queryset: QuerySet[WorkItem]) -> None:
        """Offers work to the person chosen beside the action, whoever has it."""
        number = request.POST.get("agent", "")
        agent = AgentProfile.objects.filter(pk=number, active=True).first() if number.isdecimal() and len(number) < 10 else None
        if agent is None:
            messages.error(request, _("Choose the person beside the action."))
            return
        self._each(request, queryset, lambda work, held_by: supervising.give(work, agent, by=request.user, seen_with=held_by))

    @admin.action(description=_("Put back into the line"), permissions=["supervise"])
    def take_back(self, request: HttpRequest, queryset: QuerySet[WorkItem]) -> None:
        """Whoever has the work loses it; it keeps its place in time."""
        self._each(request, queryset, lambda work, held_by: supervising.take_back(work, by=request.user, seen_with=held_by))

    def _each(self, request: HttpRequest, queryset: QuerySet[WorkItem], act: Callable[[WorkItem, int | None], None]) -> None:
        """Each piece by itself: what cannot be done is said, and the others are done."""
        works = list(queryset)
        held = held_as(works)
        refusals = []
        for work in works:
            try:
                act(work, held[work.pk].agent_id if work.pk in held else None)
            except supervising.CannotSteer as refused:
                refusals.append(f"{work}: {refused}")
        done = len(works) - len(refusals)
        if done:
            messages.success(request, ngettext("%(count)d piece done.", "%(count)d pieces done.", done) % {"count": done})
        for sentence in refusals[:MOST_REFUSALS_SHOWN]:
            messages.warning(request, sentence)
        if len(refusals) > MOST_REFUSALS_SHOWN:
            more = len(refusals) - MOST_REFUSALS_SHOWN
            messages.warning(request, ngettext("And %(count)d more.", "And %(count)d more.", more) % {"count": more})
