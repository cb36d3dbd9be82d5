"""What agents send: each form checks one action and says what was wrong in words."""

import uuid
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from conversations.models import Consent, Customer, Identifier, Interaction
from conversations.models.consent import Purpose, Way
from conversations.models.identifier import Assurance
from conversations.services.consent_texts import WORDINGS
from conversations.services.facts import written
from routing.models import AgentProfile, AwayReason, DispositionCode, Presence, Queue

LONGEST_MESSAGE = 4000


class AgentField(forms.ModelChoiceField):
    """A choice of agents, each with their state and how much of their capacity is taken."""

    def label_from_instance(self, obj: AgentProfile) -> str:
        """“Ann · Available · 2 of 6”."""
        taken = _("%(load)d of %(capacity)d") % {"load": obj.load, "capacity": obj.capacity}
        return f"{obj.display_name} · {obj.presence.get_state_display()} · {taken}"


class SayForm(forms.Form):
    """Words for the customer or, as a note, for colleagues. `client_id` makes sending again harmless."""

    text = forms.CharField(
        max_length=LONGEST_MESSAGE,
        strip=True,
        error_messages={
            "required": _("There is nothing to send yet."),
            "max_length": _("This is longer than %(limit_value)d characters. Send it in two parts."),
        },
    )
    client_id = forms.UUIDField()
    line = forms.UUIDField(required=False)

    def clean_client_id(self) -> str:
        client_id: uuid.UUID = self.cleaned_data["client_id"]
        return client_id.hex


class TransferForm(forms.Form):
    """To which queue or colleague it goes, one of the two, and what the next person should know."""

    queue = forms.ModelChoiceField(
        Queue.objects.all(),
        label=_("Queue"),
        required=False,
        empty_label=_("Choose a queue"),
        error_messages={"invalid_choice": _("That queue is no longer there. Choose another.")},
    )
    agent = AgentField(
        AgentProfile.objects.none(),
        label=_("Or a colleague"),
        required=False,
        empty_label=_("Choose a colleague"),
        error_messages={"invalid_choice": _("They have no room for it any more, or have gone. Choose somebody else.")},
    )
    note = forms.CharField(
        label=_("Note for the next person"),
        max_length=LONGEST_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Write a line for the next person, so that the customer need not say it again.")},
    )

    def __init__(self, colleagues: QuerySet[AgentProfile], data: Any = None) -> None:
        """`colleagues` are those who may get it."""
        super().__init__(data)
        cast(AgentField, self.fields["agent"]).queryset = colleagues

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors.keys() & {"queue", "agent"} and bool(data.get("queue")) == bool(data.get("agent")):
            self.add_error("queue", _("Choose the queue or the colleague it should go to."))
        return data


class CloseForm(forms.Form):
    """How it ended; the outcome is required where the queue asks for one, the note never."""

    disposition = forms.ModelChoiceField(
        DispositionCode.objects.filter(active=True),
        label=_("Outcome"),
        empty_label=_("Choose an outcome"),
        error_messages={"required": _("Choose how it ended."), "invalid_choice": _("That outcome is no longer used. Choose another.")},
    )
    note = forms.CharField(label=_("Note"), required=False, max_length=LONGEST_MESSAGE, widget=forms.Textarea(attrs={"rows": 3}))

    suggested = forms.SlugField(required=False, max_length=40, widget=forms.HiddenInput())

    def __init__(self, data: Any, *, needs_outcome: bool, suggested: DispositionCode | None = None, because: str = "") -> None:
        """`suggested` is chosen from the start, with why it is thought of."""
        super().__init__(data, initial={"disposition": suggested, "suggested": suggested.code} if suggested else None)
        self.fields["disposition"].required = needs_outcome
        if suggested:
            words = _("Suggested: %(because)s Choose another when it ended otherwise.")
            self.fields["disposition"].help_text = words % {"because": because}


class WhereField(forms.ModelChoiceField):
    """A choice of addresses and numbers, each with the way a code goes there."""

    def label_from_instance(self, obj: Identifier) -> str:
        """“07700 900123 (text message)”."""
        way = _("text message") if obj.kind == Identifier.Kind.PHONE else _("email")
        return f"{written(obj.kind, obj.value)} ({way})"


class SendCodeForm(forms.Form):
    """To which address or number of the customer a one-time code goes."""

    identifier = WhereField(
        Identifier.objects.none(),
        label=_("Send a code to"),
        empty_label=None,
        error_messages={
            "required": _("Choose where the code should go."),
            "invalid_choice": _("That address or number is not on this record any more. Choose another."),
        },
    )

    def __init__(self, customer: Customer, data: Any = None) -> None:
        super().__init__(data)
        reachable = customer.identifiers.filter(kind__in=[Identifier.Kind.PHONE, Identifier.Kind.EMAIL])
        self.choices = reachable.order_by("kind", "value", "pk").distinct("kind", "value")
        cast(WhereField, self.fields["identifier"]).queryset = self.choices

    @property
    def has_choices(self) -> bool:
        """Whether there is anywhere to send a code to."""
        return self.choices.exists()


class CodeForm(forms.Form):
    """The code that the customer reads out."""

    code = forms.RegexField(
        r"^\D*(?:\d\D*){6}$",
        label=_("Code"),
        max_length=30,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": _("Type the six digits that the customer reads out."), "invalid": _("The code has six digits.")},
    )


class AttestForm(forms.Form):
    """What an agent who vouches for the customer has checked."""

    note = forms.CharField(
        label=_("What you checked"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("Write what you checked, such as the amount of the last invoice. Your name is kept with it.")},
    )


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """A line on which something may have been told to an agent: its public id, what it is called, how sure its party is known."""

    id: str
    label: str
    assurance: str
    line: Interaction


class ConsentForm(forms.Form):
    """What a customer told an agent about one purpose: yes or no, for what, how it was said, the words agreed to."""

    decision = forms.ChoiceField(
        label=_("What they said"),
        choices=[("", _("Choose what they said")), *Consent.Decision.choices],
        error_messages={"required": _("Choose what they said."), "invalid_choice": _("Choose what they said.")},
    )
    scope = forms.ChoiceField(
        label=_("Which way, number or address"),
        error_messages={"invalid_choice": _("That number or address is no longer there. Choose another.")},
    )
    how = forms.ChoiceField(
        label=_("How"),
        choices=[("", _("Choose how they said it")), *Consent.How.choices],
        error_messages={"required": _("Choose how they said it."), "invalid_choice": _("Choose how they said it.")},
    )
    wording = forms.CharField(
        label=_("The words you read out"),
        required=False,
        max_length=LONGEST_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Kept with a yes, so that it is known later what they agreed to. Change them to what you said."),
    )
    line = forms.ChoiceField(
        label=_("Where they said it"),
        required=False,
        error_messages={"invalid_choice": _("That line is over. Choose another.")},
    )
    note = forms.CharField(label=_("Why, or what else was said"), required=False, max_length=500)

    def __init__(self, data: Any, *, purpose: Purpose, scopes: list[tuple[str, str]], lines: list[SpokenLine]) -> None:
        """`lines` are those on which it may have been said, the likeliest first."""
        super().__init__(data, initial={"wording": WORDINGS[purpose], "scope": scopes[0][0]})
        self._purpose, self._lines = purpose, {line.id: line for line in lines}
        cast(forms.ChoiceField, self.fields["scope"]).choices = scopes
        cast(forms.ChoiceField, self.fields["line"]).choices = [(line.id, line.label) for line in lines]
        if len(lines) < 2:
            self.fields["line"].widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("decision") == Consent.Decision.GIVEN and not data.get("wording", "").strip():
            self.add_error("wording", _("Write the words they agreed to."))
        if self._purpose == Purpose.CONTACT and data.get("decision") in ("refused", "revoked") and not data.get("note"):
            self.add_error("note", _("Write why they want no contact, so that a colleague understands it."))
        is_yes_to_offers = self._purpose == Purpose.MARKETING and data.get("decision") == Consent.Decision.GIVEN
        if is_yes_to_offers and self._line(data.get("line", "")) not in self._proven():
            self.add_error("decision", _("A yes to offers needs proof of who says it. Verify the customer on this line first."))
        return data

    def line_chosen(self) -> SpokenLine | None:
        """The line on which it was said: the likeliest when none was chosen, None when there is none."""
        return self._line(self.cleaned_data["line"])

    def _line(self, chosen: str) -> SpokenLine | None:
        return self._lines.get(chosen) or next(iter(self._lines.values()), None)

    def _proven(self) -> list[SpokenLine]:
        return [line for line in self._lines.values() if line.assurance == Assurance.VERIFIED]

    def words(self) -> str:
        """The words agreed to; nothing for a no."""
        return str(self.cleaned_data["wording"]) if self.cleaned_data["decision"] == Consent.Decision.GIVEN else ""

    def scope_chosen(self) -> tuple[str, tuple[str, str] | None]:
        """The way, empty for any, and the identifier, None for any."""
        way, kind, value = str(self.cleaned_data["scope"]).split(" ", 2)
        return way, (kind, value) if value else None


class PreferenceForm(forms.Form):
    """How a customer likes to be reached."""

    way = forms.ChoiceField(label=_("By"), choices=[("", _("No preference")), *Way.choices], required=False)
    times = forms.CharField(
        label=_("When it suits them"), required=False, max_length=200, help_text=_("As they say it, such as “weekdays after six”.")
    )
    language = forms.CharField(
        label=_("Language"), required=False, max_length=10, help_text=_("Two letters, such as en or es. Empty: as on the record.")
    )


class PresenceForm(forms.Form):
    """Whether the agent can be offered work, and why not."""

    state = forms.ChoiceField(
        label=_("State"),
        choices=Presence.State.choices,
        error_messages={"required": _("Choose available, away or offline."), "invalid_choice": _("Choose available, away or offline.")},
    )
    away_reason = forms.ModelChoiceField(
        AwayReason.objects.filter(active=True),
        label=_("Why away"),
        required=False,
        to_field_name="name",
        empty_label=_("No reason"),
        error_messages={"invalid_choice": _("That reason is no longer used. Choose another.")},
    )

    def reason(self) -> str:
        """The reason's name; empty when none was chosen."""
        chosen = self.cleaned_data["away_reason"]
        return chosen.name if chosen else ""


class ListForm(forms.Form):
    """Which list is asked for and how much of it; anything unknown falls back to the first tab."""

    tab = forms.ChoiceField(choices=[(tab, tab) for tab in ("mine", "waiting", "open")], required=False)
    show = forms.IntegerField(min_value=1, max_value=500, required=False)
    current = forms.UUIDField(required=False)

    def asked(self) -> dict[str, Any]:
        """The list to show, with every gap filled."""
        self.is_valid()
        found = self.cleaned_data
        return {"tab": found.get("tab") or "mine", "show": found.get("show") or 50, "current": found.get("current")}


class PageForm(forms.Form):
    """A part of a history: what comes after one seq, or the page before one."""

    after = forms.IntegerField(min_value=0, max_value=2**31 - 1, required=False)
    before = forms.IntegerField(min_value=1, max_value=2**31 - 1, required=False)
