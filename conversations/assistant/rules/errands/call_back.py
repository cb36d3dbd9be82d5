"""“Can somebody call me tomorrow at ten?”: on which number and when, promised after a yes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from conversations.assistant import acts, calls_asked, what_was_done, wording
from conversations.assistant.brain import Reply, ToolResult
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.rules.errands.engine import Errand, done, not_done, said
from conversations.assistant.tools import find_hours, schedule_callback
from conversations.services import facts, numbers
from conversations.understanding.spoken import to_typed

ABOUT: Final = re.compile(
    r"(?:(?:yes|yeah|ok|okay|and|oh|well|please|sorry),? )*(?:(?:it'?s|it is|it'?ll be|this is|that'?s|call me|you can)(?: just| all)? )?"
    r"(?:about|regarding|concerning|because of|to do with|in connection with)\b"
)

NO_SUBJECT: Final = re.compile(r"(?:[ ,]*\b(?:at|on|instead|please|then|back|by|for|in))+$")
"""What is left of when and where to, at the end of what a call is about."""


class CallBack(Errand):
    """Promises a call at a chosen time."""

    action = schedule_callback.TOOL.name
    is_of_a_call = True
    called = _lazy("the call back")
    noun = r"call(?: ?back)?"
    facts = frozenset({"date", "time_window", "phone"})

    def is_wanted(self, dialogue: Dialogue) -> bool:
        """A call with a day or a time, and from a chat also one later; one at once is a person, or the button that rings."""
        told = frozenset(fact.name for fact in dialogue.context.understanding.facts)
        return calls_asked.asks_for_call_at_a_time(dialogue.context.words, told, spoken=dialogue.context.spoken)

    def first(self, dialogue: Dialogue) -> Mapping[str, object]:
        """What the call is about, as far as it is known."""
        if named := _subject(dialogue):
            return {"subject": named}
        return {"subject": dialogue.context.reason.name} if dialogue.context.reason else {}

    def takes(self, dialogue: Dialogue) -> bool:
        """What the call is about, told while its day, its number or a yes is waited for: “it's about my bill”, “my boiler leaks”."""
        context, words = dialogue.context, acts.plain(dialogue.context.words)
        told = {fact.name for fact in context.understanding.facts} & self.facts
        if what_was_done.RECALLS.search(words) and not told:
            # “When will you call?” is told with what is read back or asked next.
            return True
        tells = ABOUT.match(words) is not None or context.understanding.reason is not None
        is_other = acts.is_question(words) or acts.is_request(words) or acts.drops_it(words) or acts.BOOKS.search(words)
        if told or not tells or is_other:
            return False
        dialogue.state["subject"] = context.text.strip()
        return context.understanding.affirmative is None and acts.leading_answer(context.words) is None

    async def missing(self, dialogue: Dialogue) -> Reply | None:
        """The day, the time, the number."""
        _take_today(dialogue)
        if (refused := ask_for_other_number(dialogue, said(dialogue, "phone"))) or (asked := ask_when(dialogue)):
            return refused or asked
        if nobody := await nobody_at(dialogue, _moment(dialogue)):
            return nobody
        if not _number(dialogue):
            dialogue.ask("phone", _("On which number shall we call you?"))
            return dialogue.reply()
        return None

    def read_back(self, dialogue: Dialogue) -> str:
        """Number and time."""
        values = {"number": facts.phone(_number(dialogue)), "when": wording.moment_of(_moment(dialogue), dialogue.context.now)}
        return _("We will call you on %(number)s %(when)s. Is that right?") % values

    async def do(self, dialogue: Dialogue) -> Reply:
        """Promises it; a time when nobody is there is asked for anew."""
        arguments = {"phone": _number(dialogue), "at": _moment(dialogue).isoformat()}
        about = str(dialogue.state.get("subject") or "")
        result = await dialogue.tools.call(self.action, arguments | ({"about": about[:200]} if about else {}))
        if result.error == "not_then":
            dialogue.say(result.sentence)
            return ask_for_another(dialogue)
        return self.told(dialogue, result)

    def told(self, dialogue: Dialogue, result: ToolResult) -> Reply:
        """Reads back what was promised."""
        if not result.worked:
            return not_done(dialogue, result)
        at = datetime.fromisoformat(str(result.result["at"])).astimezone(dialogue.context.now.tzinfo)
        values = {"number": facts.phone(str(result.result["phone"])), "when": wording.moment_of(at, dialogue.context.now)}
        dialogue.say(_("Thank you. A colleague will call you on %(number)s %(when)s.") % values)
        dialogue.note_done("call")
        return done(dialogue)


def ask_when(dialogue: Dialogue) -> Reply | None:
    """The question for the day or the time that was not said yet; None when both were."""
    if not said(dialogue, "date"):
        dialogue.ask("date", _("On which day shall we call?"))
        return dialogue.reply()
    if not said(dialogue, "time_window"):
        dialogue.ask("time_window", _("At what time shall we call?"))
        return dialogue.reply()
    return None


def _take_today(dialogue: Dialogue) -> None:
    """An hour without a day (“ring me at five”) is one of today while it is ahead; it is read back before anything is promised."""
    now, start = dialogue.context.now, said(dialogue, "time_window").partition("-")[0]
    if start and not said(dialogue, "date") and start > f"{now:%H:%M}":
        state = dialogue.state
        state["said"] = {**(state.get("said") or {}), "date": now.date().isoformat()}
        state["stands"] = [*(state.get("stands") or []), "date"]


def ask_for_other_number(dialogue: Dialogue, number: str) -> Reply | None:
    """The question for another number than one that costs whoever rings it; None for any other, and for none."""
    if not number or not numbers.costs_who_rings(number):
        return None
    dialogue.state["said"] = {name: value for name, value in (dialogue.state.get("said") or {}).items() if name != "phone"}
    dialogue.say(_("That number costs whoever rings it, so we cannot call it. Please give us another one."))
    dialogue.ask("phone", _("On which number shall we call you?"))
    return dialogue.reply()


async def nobody_at(dialogue: Dialogue, at: datetime) -> Reply | None:
    """Another time is asked for when nobody is there at that one, or it is over; None when somebody is, as far as is known."""
    if at <= dialogue.context.now:
        dialogue.say(_("That time is over already."))
        return ask_for_another(dialogue)
    found = await dialogue.tools.call(find_hours.TOOL.name, {"day": at.date().isoformat()})
    if not found.worked or not found.result["kept"]:
        return None
    spans = [dict(each) for each in found.result["open"]]
    # What is open past midnight ends by the clock of the next day; the promise itself is checked to the minute.
    if any(each["from"] <= f"{at:%H:%M}" < each["to"] or each["to"] <= each["from"] for each in spans):
        return None
    day = capfirst(wording.day(at, dialogue.context.now))
    hours = wording.listed([_("from %(from)s to %(to)s") % each for each in spans])
    dialogue.say((_("%(day)s, we are there %(hours)s.") if spans else _("%(day)s, nobody is there.")) % {"day": day, "hours": hours})
    return ask_for_another(dialogue)


def ask_for_another(dialogue: Dialogue) -> Reply:
    """Asks for another time; what was said of the number stays."""
    told = dialogue.state.get("said") or {}
    dialogue.state.update(said={name: value for name, value in told.items() if name == "phone"}, step="collect")
    dialogue.ask("date", _("Which other day or time would suit you?"))
    return dialogue.reply()


def _subject(dialogue: Dialogue) -> str:
    """What the words that ask for a call say that it is about, without when and on which number; empty when they do not."""
    asked = calls_asked.CALL_ABOUT.search(acts.plain(to_typed(dialogue.context.words)))
    rest = asked["subject"] if asked else ""
    for fact in dialogue.context.understanding.facts:
        rest = rest.replace(fact.text.lower(), " ")
    subject = NO_SUBJECT.sub("", " ".join(rest.split())).strip(" .,!?")
    return "" if subject in ("it", "this", "that", "me") else subject


def _number(dialogue: Dialogue) -> str:
    """The number that was said, now or before, or that the call shows; only one that may be said back."""
    context = dialogue.context
    told = context.value("phone") if "phone" in context.told_facts else ""
    return told if told and not numbers.costs_who_rings(told) else context.calls_from


def _moment(dialogue: Dialogue) -> datetime:
    """The beginning of the time that was said, on the day that was said."""
    start = said(dialogue, "time_window").partition("-")[0]
    return datetime.fromisoformat(f"{said(dialogue, 'date')}T{start}").replace(tzinfo=dialogue.context.now.tzinfo)
