"""What supervisors send from the board."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from conversations.inbox.forms import AgentField
from routing.models import AgentProfile, Presence, Queue, Team, WorkItem
from routing.selectors.board import AgentsAsked, who_has_room

PAGE = 30
MOST = 500
CLASSES = [(str(number), str(number)) for number in range(1, 10)]
STATES = [("", _("Here")), *Presence.State.choices, ("all", _("Everybody"))]


class BoardForm(forms.Form):
    """What the board shows: the line of one queue or of all, and which agents. Anything unknown is left out.

    The page draws its fields itself, since it is drawn often.
    """

    queue = forms.ModelChoiceField(Queue.objects.all(), required=False)
    name = forms.CharField(required=False, max_length=80)
    team = forms.ModelChoiceField(Team.objects.all(), required=False)
    state = forms.ChoiceField(choices=STATES, required=False)
    show = forms.IntegerField(min_value=1, max_value=MOST, required=False)

    def queue_asked(self) -> int | None:
        """The id of the queue whose line is wanted; None for all."""
        self.is_valid()
        queue = self.cleaned_data.get("queue")
        return queue.pk if queue else None

    def agents_asked(self) -> AgentsAsked:
        """Which agents are wanted, with every gap filled."""
        self.is_valid()
        found = self.cleaned_data
        team = found.get("team")
        return AgentsAsked(found.get("state", ""), team.pk if team else None, found.get("name", ""), found.get("show") or PAGE)


class PauseForm(forms.Form):
    """Why a queue is paused."""

    why = forms.CharField(
        label=_("Why"),
        max_length=200,
        error_messages={
            "required": _("Write why, so that colleagues know when it can go on."),
            "max_length": _("Say it in at most %(limit_value)d characters."),
        },
    )


class ClassForm(forms.Form):
    """A priority class for waiting work."""

    priority_class = forms.TypedChoiceField(
        label=_("Priority class"),
        choices=CLASSES,
        coerce=int,
        error_messages={"required": _("Choose a class from 1, the most urgent, to 9."), "invalid_choice": _("Choose a class from 1 to 9.")},
    )


class SeenForm(forms.Form):
    """Whom the supervisor saw the work with: an agent's id, or nothing."""

    seen_with = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1)


class GiveForm(SeenForm):
    """Who is offered the work."""

    agent = AgentField(
        AgentProfile.objects.none(),
        label=_("Give it to"),
        empty_label=_("Choose somebody"),
        error_messages={
            "required": _("Choose who should have it."),
            "invalid_choice": _("They have no room for it any more, or have gone. Choose somebody else."),
        },
    )

    def __init__(self, work: WorkItem, held_by: int | None, data: Any = None) -> None:
        super().__init__(data, initial={"seen_with": held_by})
        choices = who_has_room(work.kind)
        if data and held_by is not None:
            # Giving it to whoever has it already is no mistake, only late.
            choices = AgentProfile.objects.filter(pk__in=[held_by, *choices.values_list("pk", flat=True)]).select_related("presence")
        elif held_by is not None:
            choices = choices.exclude(pk=held_by)
        cast(AgentField, self.fields["agent"]).queryset = choices
