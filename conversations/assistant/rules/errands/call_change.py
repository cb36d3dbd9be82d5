"""“Make it four”, “what time did we say?”, “cancel the call back”: a call that this party was promised is moved, recalled or called off."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from conversations.assistant import acts, what_was_done, wording
from conversations.assistant.brain import Reply, ToolResult
from conversations.assistant.rules.booking import offer_person
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.rules.errands.call_back import ask_for_another, ask_for_other_number, nobody_at
from conversations.assistant.rules.errands.engine import Errand, done, not_done, said
from conversations.assistant.tools import change_callback, find_callbacks
from conversations.services import facts
from conversations.understanding import corrections

WHEN: Final = frozenset({"date", "time_window"})
RECALL: Final = "recall"
A_VISIT: Final = re.compile(r"\b(?:visit|appointment|booking|engineer|plumber|cita|visita|reserva)\b")


def change_wanted(dialogue: Dialogue) -> str:
    """What is wanted of a promised call: `call_off`, `move` or `recall`; empty when nothing of it is.

    Where a call was what was done last, “it” is that call, and another time alone is one for it.
    """
    context = dialogue.context
    words, kind = acts.plain(context.words), dialogue.done_here.get("kind")
    told = {fact.name for fact in context.understanding.facts}
    if len(words) > 2 * acts.LONGEST_ACT:
        return ""
    if what_was_done.CALLS_OFF.search(words):
        return change_callback.CALL_OFF
    if what_was_done.MOVES_A_CALL.search(words):
        return change_callback.MOVE
    if what_was_done.RECALLS.search(words) and not told & WHEN:
        return RECALL
    if kind != "call" or dialogue.is_busy or A_VISIT.search(words):
        return ""
    if what_was_done.gives_it_up(words):
        return change_callback.CALL_OFF
    if what_was_done.asks_of_what_was_done(context.words):
        return RECALL
    is_number = "phone" in told and (what_was_done.OF_THE_RECORD.search(words) is None or acts.CALLS_US.search(words) is not None)
    new = told & WHEN or corrections.hour(words) or is_number
    reason = context.understanding.reason
    is_put_right = acts.CORRECTS.search(words) or acts.MOVE.search(words)
    is_other = reason and (context.behaviour.form_for_reason(reason) or not is_put_right)
    asks = acts.is_question(words) and not acts.is_request(words)
    if (new and not is_other and not acts.wants_visit(words) and not asks) or what_was_done.moves_it(words):
        return change_callback.MOVE
    return ""


class ChangeCall(Errand):
    """Moves, recalls or calls off a promised call."""

    action = change_callback.TOOL.name
    is_of_a_call = True
    called = _lazy("the call back")
    noun = r"(?:change|move)"
    facts = frozenset({"date", "time_window", "phone"})

    def is_wanted(self, dialogue: Dialogue) -> bool:
        """By the words, and by what was done last."""
        return bool(change_wanted(dialogue))

    def first(self, dialogue: Dialogue) -> Mapping[str, object]:
        """What is wanted of the call."""
        return {"change": change_wanted(dialogue)}

    def takes(self, dialogue: Dialogue) -> bool:
        """That it be called off after all, while it is being moved; when it comes as it stands, which is told."""
        told = {fact.name for fact in dialogue.context.understanding.facts}
        if what_was_done.RECALLS.search(acts.plain(dialogue.context.words)) and not told & WHEN:
            self._say_when(dialogue)
            return True
        if not what_was_done.CALLS_OFF.search(acts.plain(dialogue.context.words)):
            return False
        dialogue.state["change"] = change_callback.CALL_OFF
        return True

    async def missing(self, dialogue: Dialogue) -> Reply | None:
        """Which call, and when and on which number from now on."""
        state = dialogue.state
        found = await dialogue.tools.call(find_callbacks.TOOL.name, {})
        calls = list(found.result.get("calls", [])) if found.worked else []
        if not calls:
            dialogue.leave_form()
            return offer_person(dialogue, _("I find no call that was promised here and is still to come."), failed=False)
        # The one promised last is the one that is spoken of.
        call = next((each for each in calls if each["call"] == state.get("call")), calls[-1])
        state.update(call=call["call"], phone=call["phone"], at=call["at"], by=bool(call.get("by")))
        if state["change"] != change_callback.MOVE:
            return None
        if refused := ask_for_other_number(dialogue, _other_number(dialogue)):
            return refused
        if not (_other_time(dialogue) or _other_number(dialogue)):
            dialogue.ask("time_window", _("When shall we call instead?"))
            return dialogue.reply()
        if _comes_by_then(dialogue):
            return None
        if state["by"] and not said(dialogue, "time_window"):
            # It has no hour of its own yet; its day is the one by which it was promised.
            dialogue.ask("time_window", _("At what time shall we call?"))
            return dialogue.reply()
        return await nobody_at(dialogue, _moment(dialogue))

    def read_back(self, dialogue: Dialogue) -> str:
        """The call as it will be; one that is called off or asked about needs no yes, nor the number of one that comes by a time."""
        if dialogue.state["change"] != change_callback.MOVE or _comes_by_then(dialogue):
            return ""
        values = {"number": facts.phone(_number(dialogue)), "when": wording.moment_of(_moment(dialogue), dialogue.context.now)}
        return _("We will call you on %(number)s %(when)s. Is that right?") % values

    async def do(self, dialogue: Dialogue) -> Reply:
        """Moves it, calls it off or says when it is."""
        state = dialogue.state
        if state["change"] == RECALL:
            self._say_when(dialogue)
            dialogue.note_done("call")
            return done(dialogue)
        arguments = {"call": str(state["call"]), "change": str(state["change"])}
        if state["change"] == change_callback.MOVE:
            arguments["phone"] = _number(dialogue)
            if not _comes_by_then(dialogue):
                arguments["at"] = _moment(dialogue).isoformat()
        result = await dialogue.tools.call(self.action, arguments)
        if result.error == "not_then":
            dialogue.say(result.sentence)
            return ask_for_another(dialogue)
        return self.told(dialogue, result)

    @staticmethod
    def _say_when(dialogue: Dialogue) -> None:
        """Says when and on which number the call comes as it stands."""
        by = _("I have noted that we will call you back on %(number)s by %(when)s.")
        sentence = by if dialogue.state.get("by") else _("We will call you on %(number)s %(when)s.")
        dialogue.say(sentence % _told(dialogue, dialogue.state))

    def told(self, dialogue: Dialogue, result: ToolResult) -> Reply:
        """Reads back what became of the call."""
        if not result.worked:
            return not_done(dialogue, result)
        values = _told(dialogue, result.result)
        if result.result["change"] == change_callback.CALL_OFF:
            dialogue.note_done("called_off")
            by = _("All right, we will not call you back on %(number)s.")
            off = _("All right, the call on %(number)s %(when)s is called off; nobody will call you.")
            dialogue.say((by if result.result.get("by") else off) % values)
        else:
            dialogue.note_done("call")
            by = _("Thank you. I have noted that we will call you back on %(number)s by %(when)s.")
            dialogue.say((by if result.result.get("by") else _("Thank you. A colleague will call you on %(number)s %(when)s.")) % values)
        return done(dialogue)


def _told(dialogue: Dialogue, call: Mapping[str, Any]) -> dict[str, str]:
    now = dialogue.context.now
    at = datetime.fromisoformat(str(call["at"])).astimezone(now.tzinfo)
    return {"number": facts.phone(str(call["phone"])), "when": wording.moment_of(at, now)}


def _comes_by_then(dialogue: Dialogue) -> bool:
    """Whether the call comes when people are there, by a time, and no other time was said for it."""
    return bool(dialogue.state.get("by")) and not _other_time(dialogue)


def _other_time(dialogue: Dialogue) -> bool:
    """Whether another day or hour was said for the call since its change was asked for."""
    return bool(said(dialogue, "date") or said(dialogue, "time_window"))


def _other_number(dialogue: Dialogue) -> str:
    """Another number for the call, said since its change was asked for."""
    number = said(dialogue, "phone")
    return number if number != dialogue.state["phone"] else ""


def _number(dialogue: Dialogue) -> str:
    return _other_number(dialogue) or str(dialogue.state["phone"])


def _moment(dialogue: Dialogue) -> datetime:
    """The time of the call with the day or the hour that was said in the place of its own."""
    zone = dialogue.context.now.tzinfo
    at = datetime.fromisoformat(str(dialogue.state["at"])).astimezone(zone)
    day = said(dialogue, "date") or at.date().isoformat()
    start = said(dialogue, "time_window").partition("-")[0] or f"{at:%H:%M}"
    return datetime.fromisoformat(f"{day}T{start}").replace(tzinfo=zone)
