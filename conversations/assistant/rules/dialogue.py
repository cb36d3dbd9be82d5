"""One reply in the making: what is said, what is asked, and where the dialogue stands afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from conversations.assistant import wording
from conversations.assistant.brain import (
    TURNS_OWN,
    AskedField,
    Form,
    FormField,
    QuickReply,
    Reply,
    Source,
    ToolBox,
    TurnContext,
)
from conversations.services import facts
from conversations.services.facts import FACT_LABELS


class Dialogue:
    """The reply of one turn. `state` is the brain's part of the form state and is changed in place.

    `does_not_know` says that something was asked that there is no answer to.
    """

    def __init__(self, context: TurnContext, tools: ToolBox) -> None:
        self.context = context
        self.tools = tools
        self.does_not_know = False
        self.state: dict[str, Any] = {key: value for key, value in context.form_state.items() if key not in TURNS_OWN}
        self._lines: list[str] = []
        self._quick_replies: tuple[QuickReply, ...] = ()
        self._sources: list[Source] = []
        self._asks: AskedField | None = None

    @property
    def has_said_something(self) -> bool:
        """Whether there is anything in the reply yet."""
        return bool(self._lines)

    def say(self, text: str) -> None:
        """Adds a sentence or more."""
        if text.strip():
            self._lines.append(text.strip())

    def suggest(self, labels: Sequence[str]) -> None:
        """Puts suggestions under the reply; each sends its own words."""
        self._quick_replies = tuple(QuickReply(label, label) for label in labels)

    def offer_call(self, label: str, number: str) -> None:
        """Puts a button under the reply that has a number rung."""
        self._quick_replies = (QuickReply(label, label, call=number),)

    def suggest_yes_or_no(self) -> None:
        """Suggests yes and no."""
        self.suggest([_("Yes"), _("No")])

    def cite(self, title: str, url: str) -> None:
        """Names a source once."""
        source = Source(title, url)
        if source not in self._sources:
            self._sources.append(source)

    def ask(self, fact: str, prompt: str) -> None:
        """Asks for one fact."""
        self.say(prompt)
        self.note_asked(fact)

    def note_asked(self, fact: str) -> None:
        """Notes which fact the words that are in the reply already ask for."""
        self.state["asked"] = fact
        self._asks = AskedField(fact, label_of(fact))

    @property
    def last_said(self) -> str:
        """What the AI agent said last; empty before it said anything."""
        spoke = (line.text for line in reversed(self.context.history) if line.kind == "message" and line.speaker == "assistant")
        return next(spoke, "")

    def reply(self, *, failed: bool = False) -> Reply:
        """The reply as it stands."""
        return Reply(
            body=" ".join(self._lines),
            quick_replies=self._quick_replies,
            sources=tuple(self._sources),
            asks=self._asks,
            form_state=dict(self.state),
            failed=failed,
            unanswered=self.does_not_know,
        )

    def leave_form(self) -> None:
        """Forgets the form and everything asked or offered, but not the facts."""
        self.state.clear()

    def enter_form(self, form: Form) -> None:
        """Begins a form."""
        self.state.clear()
        self.state.update(form=form.code, step="collect")

    @property
    def form(self) -> Form | None:
        """The form that is being filled."""
        code = self.state.get("form")
        return self.context.behaviour.form(str(code)) if code and self.state.get("step") != "done" else None

    def prompt_of(self, field: FormField) -> str:
        """How to ask for a field on this line."""
        return field.spoken_prompt if self.context.spoken and field.spoken_prompt else field.prompt


def label_of(fact: str) -> str:
    """What a fact is called."""
    return str(FACT_LABELS.get(fact) or fact.replace("_", " ").capitalize())


def echo(context: TurnContext) -> str:
    """What was just understood, said back, so that a mistake is noticed: changes first. Empty when nothing was new."""
    # A day and a time are said back with the windows that are offered for them; a story would only sound odd.
    silent = {"date", "time_window", "details"}
    told = [name for name in context.facts if name in context.new_facts and name in context.told_facts and name not in silent]
    changed = [name for name in told if name in context.changed_facts]
    if changed:
        items = [_named(context, name) for name in changed]
        return _("Thank you, I have changed that: %(facts)s.") % {"facts": wording.listed(items)}
    short = [name for name in told if len(context.value(name)) <= 60]
    if not short:
        return _("Thank you.") if told else ""
    return _("Thank you, I have noted: %(facts)s.") % {"facts": wording.listed([_named(context, name) for name in short])}


def _named(context: TurnContext, name: str) -> str:
    return f"{label_of(name).lower()} {facts.written(name, context.value(name))}"


def missing(form: Form, known: Mapping[str, Any], skipped: Sequence[str]) -> list[FormField]:
    """The fields that are still to be asked, in order."""
    return [field for field in form.fields if field.fact not in known and field.fact not in skipped]
