"""“My new number is …”: noted on the record of who has shown who they are, after reading it back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from conversations.assistant import acts, wording
from conversations.assistant.brain import Reply, ToolResult
from conversations.assistant.rules.dialogue import Dialogue, label_of
from conversations.assistant.rules.errands.engine import Errand, done, not_done, said
from conversations.assistant.tools import update_fact
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
MOVED: Final = re.compile(r"\b(?:i|we)(?:'ve| have)?(?: (?:just|recently))? moved (?:house|home|flat)\b")
"""Whoever says so has another address."""
ASKS_HOW: Final = re.compile(r"^(?:how|where|what|which|why|when)\b")
OF_A_VISIT: Final = re.compile(r"\b(?:visit|booking|appointment)\b")


def _named(dialogue: Dialogue) -> str:
    """The detail that the words are about; with several, the one whose value is told."""
    words = acts.plain(dialogue.context.words)
    named = [fact for fact, pattern in NAMED.items() if pattern.search(words)]
    told = {fact.name for fact in dialogue.context.understanding.facts}
    if MOVED.search(words):
        named = [*named, "address"]
    if named == ["address"] and "email" in told and "address" not in told:
        return "email"
    return next((fact for fact in named if fact in told), next(iter(named), ""))


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

    def first(self, dialogue: Dialogue) -> Mapping[str, object]:
        """Which detail."""
        named = _named(dialogue)
        return {"detail": named} if named else {}

    async def missing(self, dialogue: Dialogue) -> Reply | None:
        """The new value."""
        for detail in _parts(str(dialogue.state["detail"])):
            if not said(dialogue, detail):
                dialogue.ask(detail, _("What is the new %(detail)s?") % {"detail": label_of(detail).lower()})
                return dialogue.reply()
        return None

    def read_back(self, dialogue: Dialogue) -> str:
        """The detail with its new value."""
        parts = _parts(str(dialogue.state["detail"]))
        told = [f"{label_of(each).lower()} {facts.written(each, said(dialogue, each))}" for each in parts]
        return _("I will put this on your record: %(details)s. Is that right?") % {"details": wording.listed(told)}

    async def do(self, dialogue: Dialogue) -> Reply:
        """Changes it."""
        *before, last = [(each, said(dialogue, each)) for each in _parts(str(dialogue.state["detail"]))]
        for fact, value in before:
            result = await dialogue.tools.call(self.action, {"fact": fact, "value": value})
            if not result.worked:
                return not_done(dialogue, result)
            _say_done(dialogue, result)
        return self.told(dialogue, await dialogue.tools.call(self.action, {"fact": last[0], "value": last[1]}))

    def told(self, dialogue: Dialogue, result: ToolResult) -> Reply:
        """Reads back what stands there now."""
        if not result.worked:
            return not_done(dialogue, result)
        _say_done(dialogue, result)
        return done(dialogue)


def _parts(detail: str) -> tuple[str, ...]:
    """What has to be told for a detail: an address is another one's without its postcode."""
    return ("address", "postcode") if detail == "address" else (detail,)


def _say_done(dialogue: Dialogue, result: ToolResult) -> None:
    fact = str(result.result["fact"])
    values = {"detail": label_of(fact).lower(), "value": facts.written(fact, str(result.result["value"]))}
    dialogue.say(_("Done: the %(detail)s on your record is now %(value)s.") % values)
