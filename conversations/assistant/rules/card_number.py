"""A card's number in what was said: it is told that it was not kept, and that it must not be sent."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from django.utils.translation import gettext as _

from conversations.assistant import acts
from conversations.assistant.brain import HandOff, Reply
from conversations.assistant.rules.dialogue import Dialogue
from conversations.services.redaction import MASK

HIDDEN: Final = re.compile(rf"{MASK}{{3}}")
IS_KEPT: Final = re.compile(
    r"\b(?:did|do|have|will|are) you (?:just )?(?:stor|sav|keep|kept|record|writ|not)\w* (?:down )?"
    r"(?:that|this|it|my (?:card|number|details|card number|card details)|the (?:card|number|card number))\b"
    r"|\b(?:was|is|has) (?:that|this|it|my card(?: number)?|the (?:card|number)) (?:been )?(?:stored|saved|kept|recorded)\b"
    r"|\bis (?:that|this|it|my card) (?:safe|secure)\b|\b(?:delete|forget|remove) (?:that|my card|the (?:card|number)|it)\b"
)


def is_hidden_in(text: str) -> bool:
    """Whether a card's number or code was hidden in a text before it was kept."""
    return HIDDEN.search(text) is not None


def told(dialogue: Dialogue, said: Reply | HandOff) -> Reply | HandOff:
    """What is said, with a word of warning before it when these words had a card's number in them."""
    if not is_hidden_in(dialogue.context.text):
        return said
    warning = _("I have hidden that card number and not kept it. For your safety, please do not send card details here.")
    if isinstance(said, Reply):
        return replace(said, body=f"{warning} {said.body}".strip())
    return replace(said, message=f"{warning} {said.message}") if said.message else said


def asked_about(dialogue: Dialogue) -> bool:
    """Answers whether a card's number that was sent is kept; says whether that was asked."""
    context = dialogue.context
    sent = any(line.kind == "message" and line.speaker == "customer" and is_hidden_in(line.text) for line in context.history)
    if not sent or not IS_KEPT.search(acts.plain(context.words)):
        return False
    dialogue.say(_("No. The card number is not kept; nobody can see more than its last four digits."))
    return True
