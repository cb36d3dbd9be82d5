"""“Send me the link to pay”: one of the company's own links, to a number or address that was given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from conversations.assistant import acts
from conversations.assistant.brain import Reply, ToolResult
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.rules.errands.engine import Errand, done, not_done, said
from conversations.assistant.tools import send_link
from conversations.assistant.tools.base import Link
from conversations.services import consent_texts
from conversations.understanding.gloss import gloss

SENDS: Final = re.compile(r"\b(?:send|text|e-?mail|message|give)\b.{0,40}\blink\b|\blink (?:to|for)\b")
THAT_LINK: Final = re.compile(
    r"(?:(?:yes|ok|okay|please|and|so|then|great|thanks)[,.]? )*(?:(?:can|could|would|will) you )?(?:please )?"
    r"(?:send|text|e-?mail|message|give)"
    r" (?:me |it |us )?(?:the|that|your|a|this) link(?: (?:please|then|now|for that|for it|to (?:me|my (?:phone|mobile|email))))*"
)
"""A link that nothing more is said of."""
WORD: Final = re.compile(r"[a-z]{3,}")
SAYS_LITTLE: Final = frozenset({"link", "the", "you", "your", "for", "send", "text", "mail", "email", "can", "please", "online", "with"})
ENDINGS: Final = re.compile(r"(?:ments?|ing|s)$")


class SendLink(Errand):
    """Sends a link that the playbook lists."""

    action = send_link.TOOL.name
    called = _lazy("the link")
    noun = r"(?:link|text|message)"
    facts = frozenset({"phone", "email"})

    def is_wanted(self, dialogue: Dialogue) -> bool:
        """A wish for a link that the words name; for any other link there are other ways."""
        return SENDS.search(acts.plain(dialogue.context.words)) is not None and _link_meant(dialogue) is not None

    def first(self, dialogue: Dialogue) -> Mapping[str, object]:
        """Which link."""
        meant = _link_meant(dialogue)
        return {"link": meant.code} if meant else {}

    async def missing(self, dialogue: Dialogue) -> Reply | None:
        """Where to send it."""
        if _where(dialogue):
            return None
        dialogue.ask("email", _("To which email address or mobile number shall I send it?"))
        return dialogue.reply()

    async def do(self, dialogue: Dialogue) -> Reply:
        """Sends it."""
        arguments = {"link": str(dialogue.state["link"]), "to": _where(dialogue)}
        return self.told(dialogue, await dialogue.tools.call(self.action, arguments))

    def told(self, dialogue: Dialogue, result: ToolResult) -> Reply:
        """Says that it is on its way."""
        if not result.worked:
            return not_done(dialogue, result)
        values = {"label": result.result["label"]}
        if result.result["way"] == "email":
            dialogue.say(_("I have sent you the link by email: %(label)s.") % values)
        else:
            dialogue.say(_("I have sent you the link by text message: %(label)s.") % values)
        return done(dialogue)


def _where(dialogue: Dialogue) -> str:
    """What was said for it, else what was told before, else the number of the call."""
    context = dialogue.context
    for fact in ("email", "phone"):
        if said(dialogue, fact):
            return said(dialogue, fact)
    known = [context.value(fact) for fact in ("phone", "email") if fact in context.told_facts]
    return next((each for each in known if each), context.calls_from)


def _link_meant(dialogue: Dialogue) -> Link | None:
    """The link whose label shares most words with what was said, or for “the link” alone with what was talked of last; None for none."""
    return _named(dialogue, f"{dialogue.context.text} {dialogue.context.words}") or _talked_of(dialogue)


def _talked_of(dialogue: Dialogue) -> Link | None:
    """The link that what was answered last is about, for words that name no other; None when a link into the chat was offered then."""
    if not THAT_LINK.fullmatch(acts.plain(dialogue.context.words)) or str(consent_texts.CHAT_LINK) in dialogue.last_said:
        return None
    said = [line.text for line in dialogue.context.history if line.kind == "message" and line.speaker == "customer"]
    # The last of them is what is being answered.
    return _named(dialogue, gloss(said[-2], dialogue.context.language.partition("-")[0])) if len(said) > 1 else None


def _named(dialogue: Dialogue, words: str) -> Link | None:
    wanted = _stems(words)
    shared = [(len(_stems(f"{link.label} {link.code}") & wanted), link) for link in dialogue.context.behaviour.links]
    best = max(shared, key=lambda each: each[0], default=None)
    return best[1] if best and best[0] else None


def _stems(text: str) -> set[str]:
    words = WORD.findall(text.lower().replace("_", " "))
    return {ENDINGS.sub("", word) or word for word in words} - SAYS_LITTLE
