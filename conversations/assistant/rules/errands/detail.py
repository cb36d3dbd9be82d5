"""“My new number is …”: noted on the record of who has shown who they are, after reading it back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from conversations.assistant import acts, what_was_done, wording
from conversations.assistant.brain import Reply, ToolResult
from conversations.assistant.rules.dialogue import Dialogue, label_of
from conversations.assistant.rules.errands.engine import Errand, done, not_done, said
from conversations.assistant.tools import correct, update_fact
from conversations.models.identifier import Assurance
from conversations.services import facts

WORDS: Final = {
    "phone": r"(?:phone|mobile|telephone|contact)?[ -]?(?:phone )?numbers?|mobile|phone",
    "email": r"e-?mail(?: address)?",
    "postcode": r"post ?code",
    "name": r"(?:sur|last |family )?name",
    "address": r"(?<!mail )address",
}
NEW: Final = r"(?:new|changed?|update[ds]?|updating|different)"
NAMED: Final = {
    fact: re.compile(rf"\b{NEW}\b.{{0,25}}\b(?:{words})\b|\bmy (?:{words}) (?:has|have|is now|was) ?(?:changed)?\b")
    for fact, words in WORDS.items()
}
MOVED: Final = re.compile(r"\b(?:i|we)(?:'?ve| have)?(?: (?:just|recently|now))? moved (?:house|home|flat)\b")
MOVED_TO: Final = re.compile(r"\b(?:i|we)(?:'?ve| have)?(?: (?:just|recently|now))? moved\b")
"""Whoever says so has another address."""
ASKS_HOW: Final = re.compile(r"^(?:how|where|what|which|why|when)\b")
OF_A_VISIT_TOO: Final = ("name", "phone")
OF_A_VISIT: Final = re.compile(r"\b(?:visit|booking|appointment)\b")


def _named(dialogue: Dialogue) -> list[str]:
    """The details that the words are about: those whose value is told, or else the first."""
    words = acts.plain(dialogue.context.words)
    named = [fact for fact, pattern in NAMED.items() if pattern.search(words)]
    told = {fact.name for fact in dialogue.context.understanding.facts}
    if MOVED.search(words) or ("address" in told and MOVED_TO.search(words)):
        named = list(dict.fromkeys([*named, "address"]))
    if named == ["address"] and "email" in told and "address" not in told:
        return ["email"]
    return [fact for fact in named if fact in told] or named[:1]


class NewDetail(Errand):
    """Puts a detail of the record right."""

    action = update_fact.TOOL.name
    called = _lazy("the change of your details")
    noun = r"change"
    facts = frozenset(WORDS)
    needs_proof = True

    def is_wanted(self, dialogue: Dialogue) -> bool:
        """A new value that is told, or the wish to tell one; how that goes is a question for the articles."""
        words = acts.plain(dialogue.context.words)
        return bool(_named(dialogue)) and ASKS_HOW.search(words) is None and OF_A_VISIT.search(words) is None

    def is_wanted_in_a_form(self, dialogue: Dialogue) -> bool:
        """Of who has proven whose record it is, what is said to be new, and is not the answer to what was asked."""
        is_theirs = dialogue.context.assurance == Assurance.VERIFIED and self.is_wanted(dialogue)
        is_of_the_record = what_was_done.OF_THE_RECORD.search(acts.plain(dialogue.context.words)) is not None
        return is_theirs and is_of_the_record and dialogue.state.get("asked") not in _named(dialogue)

    def first(self, dialogue: Dialogue) -> Mapping[str, object]:
        """Which details."""
        first, *others = _named(dialogue)
        return {"detail": first, "details": others}

    async def missing(self, dialogue: Dialogue) -> Reply | None:
        """The new value."""
        for detail in _parts(dialogue):
            if not said(dialogue, detail):
                dialogue.ask(detail, _("What is the new %(detail)s?") % {"detail": label_of(detail).lower()})
                return dialogue.reply()
        return None

    def read_back(self, dialogue: Dialogue) -> str:
        """The detail with its new value."""
        told = [f"{label_of(each).lower()} {facts.written(each, said(dialogue, each))}" for each in _parts(dialogue)]
        return _("I will put this on your record: %(details)s. Is that right?") % {"details": wording.listed(told)}

    async def do(self, dialogue: Dialogue) -> Reply:
        """Changes it."""
        values = {each: said(dialogue, each) for each in _parts(dialogue)}
        for fact, value in values.items():
            result = await dialogue.tools.call(self.action, {"fact": fact, "value": value})
            if not result.worked:
                return not_done(dialogue, result)
            _say_done(dialogue, result)
        await _put_on_visit(dialogue, {fact: value for fact, value in values.items() if fact in OF_A_VISIT_TOO})
        return done(dialogue)

    def told(self, dialogue: Dialogue, result: ToolResult) -> Reply:
        """Reads back what stands there now."""
        if not result.worked:
            return not_done(dialogue, result)
        _say_done(dialogue, result)
        return done(dialogue)


def _parts(dialogue: Dialogue) -> list[str]:
    """What has to be told for the details: an address is another one's without its postcode."""
    details = [str(dialogue.state["detail"]), *dialogue.state.get("details", [])]
    return list(dict.fromkeys(part for each in details for part in (("address", "postcode") if each == "address" else (each,))))


async def _put_on_visit(dialogue: Dialogue, new: Mapping[str, str]) -> None:
    """Puts a new name or number on the visit that was booked here before, too: its engineer would ring the old one."""
    reference = dialogue.done_here.get("reference") if dialogue.done_here.get("kind") == "visit" else ""
    if new and reference:
        result = await dialogue.tools.call(correct.TOOL.name, {"reference": reference, **new})
        if result.worked:
            dialogue.say(_("I have put it on your visit %(reference)s, too.") % {"reference": reference})


def _say_done(dialogue: Dialogue, result: ToolResult) -> None:
    fact = str(result.result["fact"])
    values = {"detail": label_of(fact).lower(), "value": facts.written(fact, str(result.result["value"]))}
    dialogue.say(_("Done: the %(detail)s on your record is now %(value)s.") % values)
