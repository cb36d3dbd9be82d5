"""“Open a ticket”: for what nothing else helps with, so that somebody looks into it and answers."""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from conversations.assistant import acts
from conversations.assistant.brain import Reply, ToolResult
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.rules.errands.engine import Errand, done, not_done, said
from conversations.assistant.tools import open_ticket
from conversations.services import facts

WANTS: Final = re.compile(
    r"\b(?:open|raise|log|create|file|make|need|want)\b.{0,20}\bticket\b|^(?:a )?ticket$"
    r"|(?:^|[,.;!] ?)(?:(?:please|just|but|and|so|can you|could you|i just want you to) )*"
    r"(?:write (?:it|this|that) down|(?:take|make|leave) a (?:note|message)|note (?:it|this|that)(?: down)?)"
    r"(?: for (?:me|them|someone|somebody|your colleagues?))?(?: please)?$"
    r"|\b(?:can|could) (?:you|someone|somebody) (?:please )?(?:look into|investigate|check up on) (?:it|this|that)\b"
)
_BESIDE_THE_WISH: Final = (
    r"[\s,.:;!?-]++|\b(?:please|hi|hello|hey|ok|okay|yes|and|so|then|just|for me|(?:can|could|would|will) (?:you|i)"
    r"|i(?:'d| would) like(?: to)?|(?:i|we) (?:want|need)(?: you)?(?: to)?|for|about|regarding|because|since|that|as|saying|to say)\b"
)
ABOUT_THE_WISH: Final = re.compile(rf"^(?:{_BESIDE_THE_WISH})+|(?<![\s,.:;!?-])(?:{_BESIDE_THE_WISH}|\bi\b)+$")
"""What stands around “open a ticket” and tells nothing of what it is about."""
NO_PERSON: Final = re.compile(
    r"^(?:no,? )?(?:i )?(?:do(?:n'?t| not)) (?:want|need) (?:(?:to (?:talk|speak)) to )?(?:a|any|the) (?:person|call|human|one)\b"
)
SHORTEST_STORY: Final = 3
"""Words from which the wish itself tells what it is about, beside those of the wish."""
SUBJECT: Final = 80


class OpenTicket(Errand):
    """Opens a ticket with what the customer tells."""

    action = open_ticket.TOOL.name
    called = _lazy("the ticket")
    noun = r"ticket"
    facts = frozenset({"details", "phone", "email"})

    def is_wanted(self, dialogue: Dialogue) -> bool:
        """By the words alone: nobody gets a ticket who did not ask for one."""
        return WANTS.search(acts.plain(dialogue.context.words)) is not None

    def first(self, dialogue: Dialogue) -> dict[str, object]:
        """What it is about, when the wish says it (the words around “open a ticket”), or what a ticket was just offered for."""
        before, *after = (ABOUT_THE_WISH.sub("", each) for each in WANTS.split(acts.plain(dialogue.context.text)))
        told = " ".join(each for each in (before, *after) if each)
        about = str((dialogue.context.form_state.get("offer") or {}).get("about", ""))
        told = told if len(told.split()) >= SHORTEST_STORY and not NO_PERSON.search(told) else about or _told_before(dialogue)
        return {"subject": told} if told else {}

    async def missing(self, dialogue: Dialogue) -> Reply | None:
        """What it is about, and how the answer reaches them."""
        if not self._story(dialogue):
            dialogue.ask("details", _("What should we look into? A sentence or two is enough."))
            return dialogue.reply()
        if not _reached_at(dialogue):
            dialogue.ask("phone", _("On which number or email address can we answer you?"))
            return dialogue.reply()
        return None

    def read_back(self, dialogue: Dialogue) -> str:
        """The story in short and where the answer goes."""
        values = {"story": _short(self._story(dialogue)), "where": _reached_at(dialogue)}
        return _("I will open a ticket: “%(story)s”, and we answer you on %(where)s. Is that right?") % values

    async def do(self, dialogue: Dialogue) -> Reply:
        """Opens it."""
        story = self._story(dialogue)
        arguments = {"subject": _short(story), "details": story[:4000]}
        return self.told(dialogue, await dialogue.tools.call(self.action, arguments))

    def told(self, dialogue: Dialogue, result: ToolResult) -> Reply:
        """The reference."""
        if not result.worked:
            return not_done(dialogue, result)
        dialogue.say(_("I have opened a ticket, reference %(reference)s. Somebody looks into it and answers you.") % dict(result.result))
        return done(dialogue)

    def _story(self, dialogue: Dialogue) -> str:
        return said(dialogue, "details") or str(dialogue.state.get("subject") or "")


def _told_before(dialogue: Dialogue) -> str:
    """What was told before “just write it down” by who waits for a call back: their last sentences."""
    if not dialogue.context.form_state.get("callback"):
        return ""
    said = [line.text for line in dialogue.context.history if line.kind == "message" and line.speaker == "customer"][:-1]
    return ". ".join(text.strip(" .") for text in said if len(text.split()) >= SHORTEST_STORY and not acts.is_question(text))


def _reached_at(dialogue: Dialogue) -> str:
    context = dialogue.context
    for fact in ("phone", "email"):
        if fact in context.told_facts and context.value(fact):
            return facts.written(fact, context.value(fact))
    return facts.phone(context.calls_from) if context.calls_from else ""


def _short(story: str) -> str:
    words = " ".join(story.split())
    return words if len(words) <= SUBJECT else f"{words[:SUBJECT].rsplit(' ', 1)[0]}…"
