"""How an errand goes: who is speaking, what is missing, the same read back, done after a yes.

What was said of it since it began stands in the form state (`said`), so nothing older is taken for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from conversations.assistant import acts, choosing, later
from conversations.assistant.brain import HandOff, Reply, ToolResult
from conversations.assistant.rules import identifying, slots
from conversations.assistant.rules.booking import MOST_MISSES, offer_person
from conversations.assistant.rules.dialogue import Dialogue
from conversations.models.identifier import Assurance

GIVES_UP: Final = (
    r"^(?:(?:no|please|ok|okay|actually|oh|sorry|then),? )*(?:cancel|stop|forget|drop|scrap|(?:i )?do(?:n't| not) (?:want|need))"
)


class Errand:
    """One kind of errand. `action` is the tool that it ends with, `facts` what may be said for it, `needs_proof` whether it is
    of somebody's own record, `called` what it is to the customer, and `noun` how they call it themselves, as a regular expression."""

    action: ClassVar[str]
    facts: ClassVar[frozenset[str]] = frozenset()
    needs_proof: ClassVar[bool] = False
    is_of_a_call: ClassVar[bool] = False
    """Whether its day and its hour are those of a call, and of no visit that is begun later."""
    called: ClassVar[Promise]
    noun: ClassVar[str]

    def is_dropped(self, dialogue: Dialogue) -> bool:
        """Whether the words of this turn give it up by its name: “cancel the call back”."""
        return re.search(rf"{GIVES_UP} (?:the|that|this|my|a) {self.noun}\b", acts.plain(dialogue.context.words)) is not None

    def is_wanted(self, dialogue: Dialogue) -> bool:
        """Whether the words of this turn ask for it."""
        raise NotImplementedError

    def is_wanted_in_a_form(self, dialogue: Dialogue) -> bool:
        """Whether they ask for it, and are no answer to what a form asks."""
        return self.is_wanted(dialogue)

    def first(self, dialogue: Dialogue) -> Mapping[str, object]:
        """What is to be remembered from the words that began it."""
        return {}

    async def missing(self, dialogue: Dialogue) -> Reply | None:
        """The question for what is missing, or an end when it cannot be done; None when everything is there."""
        return None

    def takes(self, dialogue: Dialogue) -> bool:
        """Takes what the words of this turn add to it or turn it into, beside its facts; says whether they did."""
        return False

    def keeps_for_later(self, dialogue: Dialogue) -> bool:
        """Keeps words that are of another one like it for when this is done; says whether they are."""
        return False

    def read_back(self, dialogue: Dialogue) -> str:
        """The question that reads back what will be done; empty when nothing needs a yes."""
        return ""

    async def do(self, dialogue: Dialogue) -> Reply | HandOff:
        """Does it and says what came of it."""
        raise NotImplementedError

    def told(self, dialogue: Dialogue, result: ToolResult) -> Reply:
        """Says what came of it, also when a process died between doing and telling."""
        raise NotImplementedError


async def begin(dialogue: Dialogue, errand: Errand) -> Reply | HandOff:
    """Starts an errand, with finding out who this is where that is needed."""
    remembered = {**errand.first(dialogue), "said": _said_now(dialogue, errand)}
    if errand.needs_proof and not is_known_enough(dialogue, errand.action):
        if identifying.is_possible(dialogue):
            return await identifying.begin(dialogue, errand.action, keep=remembered)
        dialogue.leave_form()
        return offer_person(dialogue, _("I am sorry, I cannot do that before I know who you are."))
    dialogue.leave_form()
    dialogue.state.update(action=errand.action, **remembered)
    return await go_on_with(dialogue, errand)


async def resume(dialogue: Dialogue, errand: Errand) -> Reply | HandOff:
    """Goes on with an errand once it is known who this is."""
    remembered = {name: value for name, value in dialogue.state.items() if name in KEPT}
    dialogue.leave_form()
    dialogue.state.update(action=errand.action, **remembered)
    return await go_on_with(dialogue, errand)


async def go_on(dialogue: Dialogue, errand: Errand) -> Reply | HandOff | None:
    """The next step of an errand that was begun; None when the words were about something else."""
    state, context = dialogue.state, dialogue.context
    if errand.keeps_for_later(dialogue):
        # What was said of this one stands, though what is known last is of the other.
        state["stands"] = sorted(state.get("said") or {})
        return await go_on_with(dialogue, errand)
    fresh = _said_now(dialogue, errand)
    state["stands"] = [name for name in state.get("stands") or [] if name not in fresh]
    state["said"] = {**(state.get("said") or {}), **fresh}
    if errand.takes(dialogue):
        state["misses"] = 0
        return await go_on_with(dialogue, errand)
    if state.get("step") == "confirm" and not fresh:
        affirmative = context.understanding.affirmative
        if affirmative is None:
            affirmative = acts.leading_answer(context.words)
        if affirmative:
            return await errand.do(dialogue)
        if affirmative is False:
            state.update(said={}, step="collect", misses=0)
            dialogue.say(_("All right."))
            return await go_on_with(dialogue, errand)
        return None
    if fresh or state.get("asked") in context.new_facts or _is_choice(dialogue):
        state["misses"] = 0
        return await go_on_with(dialogue, errand)
    return None


async def again(dialogue: Dialogue, errand: Errand) -> Reply | HandOff:
    """Asks once more what was asked; after three times without an answer a person is offered."""
    dialogue.state["misses"] = int(dialogue.state.get("misses") or 0) + 1
    if dialogue.state["misses"] >= MOST_MISSES:
        dialogue.leave_form()
        return offer_person(dialogue, _("I am sorry, I could not make that out."))
    return await go_on_with(dialogue, errand)


async def go_on_with(dialogue: Dialogue, errand: Errand) -> Reply | HandOff:
    """Asks for what is missing, reads back, or does it."""
    dialogue.state.update(step="collect", asked="")
    if errand.is_of_a_call:
        slots.keep_out_of_visits(dialogue, dialogue.state.get("said") or {})
    asked = await errand.missing(dialogue)
    if asked is not None:
        return asked
    question = errand.read_back(dialogue)
    if not question:
        return await errand.do(dialogue)
    dialogue.state.update(step="confirm", asked="")
    dialogue.say(question)
    dialogue.suggest_yes_or_no()
    return dialogue.reply()


def is_known_enough(dialogue: Dialogue, tool: str) -> bool:
    """Whether the party has shown enough of who it is for a tool."""
    assurance = dialogue.context.assurance
    opened = tool in dialogue.context.behaviour.opens_with_answers
    return assurance == Assurance.VERIFIED or (assurance == Assurance.KNOWLEDGE and opened)


def said(dialogue: Dialogue, fact: str) -> str:
    """What was said of a fact since the errand began; empty when nothing was, or when it is known otherwise by now."""
    value = str((dialogue.state.get("said") or {}).get(fact, ""))
    stands = fact in (dialogue.state.get("stands") or [])
    return value if value and (stands or value == dialogue.context.value(fact)) else ""


def not_done(dialogue: Dialogue, result: ToolResult) -> Reply:
    """It could not be done: why, and a person is offered."""
    dialogue.leave_form()
    return offer_person(dialogue, _("I am sorry, I cannot do that here. %(why)s") % {"why": result.sentence})


def done(dialogue: Dialogue) -> Reply:
    """The end of an errand that was done; the same is not gone on with where it had been put aside."""
    action = str(dialogue.state.get("action") or "")
    dialogue.leave_form()
    later.forget_begun(dialogue.state, action)
    if not dialogue.done_here:
        dialogue.note_done("other")
    dialogue.say(_("Is there anything else I can do?"))
    return dialogue.reply()


KEPT = ("said", "stands", "invoice", "detail", "details", "link", "subject", "reference")
"""What an errand remembers while who is speaking is found out."""


def _said_now(dialogue: Dialogue, errand: Errand) -> dict[str, str]:
    """What this turn says of the facts of an errand, as it is known now."""
    context = dialogue.context
    told = {fact.name for fact in context.understanding.facts} | (context.new_facts & errand.facts)
    return {name: context.value(name) for name in told & errand.facts if context.value(name)}


def _is_choice(dialogue: Dialogue) -> bool:
    offered = dialogue.state.get("choose_from") or []
    return choosing.chosen_name(dialogue.context.text, [str(each) for each in offered]) is not None
