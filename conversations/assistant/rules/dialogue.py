"""One reply in the making: what is said, what is asked, and where the dialogue stands afterwards."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from conversations.assistant import hours_asked, later, orders_asked, wording
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
from conversations.understanding.read import Understanding

STOPPED: Final = _lazy("All right, I have stopped that; nothing was booked or changed.")
STOPPED_THAT: Final = _lazy("All right, I have stopped that.")
LISTENING: Final = _lazy("I am listening. Take your time.")


class Dialogue:
    """The reply of one turn. `state` is the brain's part of the form state and is changed in place.

    `does_not_know` says that something was asked that there is no answer to, `knows_nearest` that something beside it was found;
    `hours_were_asked` says that hours were told last, `orders_were_told` that orders were.
    """

    def __init__(self, context: TurnContext, tools: ToolBox) -> None:
        self.context = context
        self.tools = tools
        self.does_not_know = False
        self.knows_nearest = False
        self.state: dict[str, Any] = {key: value for key, value in context.form_state.items() if key not in TURNS_OWN}
        self.hours_were_asked = bool(self.state.pop(hours_asked.ASKED, False))
        self.orders_were_told = bool(self.state.pop(orders_asked.TOLD, False))
        self._name_windows()
        self._lines: list[str] = []
        self._quick_replies: tuple[QuickReply, ...] = ()
        self._sources: list[Source] = []
        self._asks: AskedField | None = None
        self._besides: list[str] = []
        self._before: list[str] = []

    def _name_windows(self) -> None:
        """Windows that were offered or chosen are named in the language of this turn: they may have been offered in another."""
        for kept in ("offered", "others"):
            if windows := self.state.get(kept):
                self.state[kept] = [wording.labelled(slot, self.context.now) for slot in windows]
        if slot := self.state.get("slot"):
            self.state["slot"] = wording.labelled(slot, self.context.now)

    def about(self, understood: Understanding) -> Dialogue:
        """A dialogue about something else that was said in the same breath, with the same state; `answer_besides` takes its words over."""
        context = replace(
            self.context, text=understood.text, gloss=understood.gloss, understanding=understood,
            about=None, reason=None, reason_is_new=False, besides=(),
        )  # fmt: skip
        beside = Dialogue(context, self.tools)
        beside.state = self.state
        return beside

    def leave_out_consent(self) -> None:
        """Goes on with what else was said than about consent, which is noted: “don't ring me” moves no call."""
        context = self.context
        left = context.understanding.besides
        if left and not context.besides:
            self.context = replace(context, text=left if context.language.startswith("en") else context.text, gloss=left)

    def answer_besides(self, other: Dialogue) -> None:
        """Takes over what another dialogue says: it is told beside whatever comes, and before a question at the end."""
        self._besides += other._lines
        self._sources += [source for source in other._sources if source not in self._sources]

    def add_besides(self, text: str) -> None:
        """Adds something that is told beside whatever comes."""
        self._besides.append(text)

    @property
    def has_said_something(self) -> bool:
        """Whether there is anything in the reply yet."""
        return bool(self._lines)

    def has_said(self, pattern: re.Pattern[str]) -> bool:
        """Whether something like that is in the reply."""
        return any(pattern.search(line) for line in self._lines)

    def say(self, text: str) -> None:
        """Adds a sentence or more."""
        if text.strip():
            self._lines.append(text.strip())

    def say_first(self, text: str) -> None:
        """Puts a sentence before everything else that is said."""
        self._before.append(text)

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
        """What the AI agent said last, beyond that it listens; empty before it said anything."""
        spoke = (line.text for line in reversed(self.context.history) if line.kind == "message" and line.speaker == "assistant")
        return next((text for text in spoke if text != str(LISTENING)), "")

    def reply(self, *, failed: bool = False) -> Reply:
        """The reply as it stands, with what is told beside it."""
        return Reply(
            body=" ".join(self._every_line()),
            quick_replies=self._quick_replies,
            sources=tuple(self._sources),
            asks=self._asks,
            form_state=dict(self.state),
            failed=failed,
            unanswered=self.does_not_know,
            nearest_only=self.knows_nearest,
        )

    def _every_line(self) -> list[str]:
        """What is told besides comes before the question that waits for an answer, and after what was asked first."""
        ends_with_question = bool(self._lines) and self._lines[-1].endswith("?")
        at = 0 if self.is_busy else len(self._lines) - int(ends_with_question)
        return [*self._before, *self._lines[:at], *self._besides, *self._lines[at:]]

    def leave_form(self) -> None:
        """Forgets the form and everything asked or offered, but neither the facts, nor what waits for its turn, nor what was done."""
        kept = {name: self.state[name] for name in later.OUTLASTING if self.state.get(name)}
        self.state.clear()
        self.state.update(kept)

    def note_done(self, kind: str, **known_by: str) -> None:
        """Remembers what was done last, so that “cancel it” and “when is it?” are about that; a week that was named for it has ended."""
        self.state.pop(later.WITHIN, None)
        self.state[later.DONE_HERE] = {"kind": kind, **known_by}

    @property
    def done_here(self) -> dict[str, str]:
        """What was done last in this conversation; empty before anything was."""
        return dict(self.state.get(later.DONE_HERE) or {})

    def stopped(self) -> str:
        """That something was stopped, and that nothing was booked or changed where nothing was."""
        return str(STOPPED_THAT if self.done_here else STOPPED)

    def enter_form(self, form: Form) -> None:
        """Begins a form."""
        self.leave_form()
        self.state.update(form=form.code, step="collect")

    @property
    def is_busy(self) -> bool:
        """Whether something is going on that waits for the customer's answer."""
        return self.form is not None or (bool(self.state.get("action")) and self.state.get("step") != "done")

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
    known = [name for name in context.facts if name in context.new_facts and name in context.told_facts]
    told = [name for name in known if name not in silent]
    changed = [name for name in known if name in context.changed_facts and (name in told or name == "details")]
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
