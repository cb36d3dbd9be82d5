"""What agents send from the call panel: whom to ring, and in which way."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from conversations.models import CallSeat, OutsideNumber
from routing.models import AgentProfile, Presence

CHOOSE = _("Choose who should be rung.")
GONE = _("They are not there any more. Choose somebody else.")


class SomebodyForm(forms.Form):
    """A colleague who is there and has a phone, or a number outside: one of the two."""

    who = forms.ChoiceField(label=_("Whom to ring"), error_messages={"required": CHOOSE, "invalid_choice": GONE})
    how = forms.ChoiceField(
        label=_("In which way"),
        choices=[
            ("consult", _("Ask in private: the caller hears music")),
            ("add", _("Add to the talk: the caller stays in it")),
            ("put_through", _("Put the caller through and leave: numbers outside only")),
        ],
        error_messages={"required": _("Choose in which way."), "invalid_choice": _("Choose in which way.")},
    )

    def __init__(self, agent: AgentProfile, data: Any = None) -> None:
        super().__init__(data, initial={"how": "consult"})
        colleagues = reachable(agent)
        self._people: dict[str, AgentProfile | OutsideNumber] = {f"agent:{each.pk}": each for each in colleagues}
        numbers = OutsideNumber.objects.filter(active=True)
        self._people |= {f"outside:{each.pk}": each for each in numbers}
        self.fields["who"].choices = [  # type: ignore[attr-defined]  # a ChoiceField
            ("", _("Choose somebody")),
            (_("Colleagues"), [(f"agent:{each.pk}", f"{each.display_name} · {each.presence.get_state_display()}") for each in colleagues]),
            (_("Numbers outside"), [(f"outside:{each.pk}", each.name) for each in numbers]),
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("how") == "put_through" and data.get("who", "").startswith("agent:"):
            self.add_error("how", _("To pass the call on to a colleague, ask them in private first, or use Transfer."))
        return data

    def chosen(self) -> AgentProfile | OutsideNumber:
        """Who is to be rung."""
        return self._people[self.cleaned_data["who"]]


def reachable(agent: AgentProfile) -> list[AgentProfile]:
    """Colleagues who are there, have a phone and are on no call, those who are available first."""
    there = AgentProfile.objects.filter(active=True, presence__state__in=(Presence.State.AVAILABLE, Presence.State.AWAY))
    on_calls = CallSeat.objects.filter(state__in=CallSeat.LIVE_STATES, agent__isnull=False).values("agent")
    with_phone = there.exclude(Q(phone_number="") & Q(sip_address=""))
    return list(
        with_phone.exclude(pk=agent.pk).exclude(pk__in=on_calls).select_related("presence").order_by("presence__state", "display_name")
    )
