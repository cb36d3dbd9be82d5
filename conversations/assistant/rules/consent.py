"""“Stop calling me”, “you may call me”: it is noted at once and confirmed in a sentence, whatever else is going on."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from conversations.assistant import acts
from conversations.assistant.brain import ToolResult
from conversations.assistant.rules.dialogue import STOPPED, STOPPED_THAT, Dialogue
from conversations.assistant.tools import change_callback, find_callbacks, set_consent
from conversations.models.consent import Purpose

NO_CALLS: Final = frozenset({Purpose.CONTACT, Purpose.OUTBOUND_CALL})


async def note(dialogue: Dialogue) -> bool:
    """Notes what was said about consent and says so; returns whether anything was said about it.

    A bare “stop” stops what is going on, or declines what was offered; said once more after that, it means the same.
    """
    context, state = dialogue.context, dialogue.state
    stopped = (str(STOPPED), str(STOPPED_THAT))
    is_about_something = dialogue.form or state.get("action") or state.get("offer") or dialogue.last_said.startswith(stopped)
    if is_about_something and acts.drops_it(context.words):
        return False
    told: list[str] = []
    for wish in context.understanding.wishes:
        sentence = told_consent(await dialogue.tools.call(set_consent.TOOL.name, wish.as_arguments()))
        if sentence not in told:
            told.append(sentence)
    for sentence in told:
        dialogue.say(sentence)
    if told and refuses_calls(dialogue):
        await _call_off_what_was_promised(dialogue)
    return bool(told)


async def _call_off_what_was_promised(dialogue: Dialogue) -> None:
    """Nobody who wants no calls is called since one was promised to them before."""
    found = await dialogue.tools.call(find_callbacks.TOOL.name, {})
    for each in found.result.get("calls", []) if found.worked else []:
        called_off = {"call": str(each["call"]), "change": change_callback.CALL_OFF}
        if (await dialogue.tools.call(change_callback.TOOL.name, called_off)).worked:
            dialogue.say(_("The call that we promised is called off."))


def refuses_calls(dialogue: Dialogue) -> bool:
    """Whether the words of this turn say no to calls, so that none is promised any more."""
    return any(wish.purpose in NO_CALLS and not wish.agrees for wish in dialogue.context.understanding.wishes)


def told_consent(result: ToolResult) -> str:
    """What the customer is told of a noted yes or no, or of why a yes was not noted."""
    if result.worked:
        return str(result.result["told"])
    return result.sentence or _("I could not note that just now. A colleague can do it for you.")
