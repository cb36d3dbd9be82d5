"""From the chat to the phone: somebody who types “call me on …” gets the button that has the number rung.

The AI agent rings nobody itself. The button asks as the “continue by phone” of the widget does, so the same checks and caps
count, those by the visitor's network among them, and the code stays on the screen and out of the history.
"""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext as _

from conversations.assistant import acts
from conversations.assistant.brain import Reply
from conversations.assistant.rules.dialogue import Dialogue
from conversations.services import facts, numbers

CALL_ME: Final = re.compile(r"\b(?:(?:call|ring|phone) me|give me a (?:call|ring|bell))\b(?: (?:now|back|up|please|again))* (?:on|at)\b")
NOT_NOW: Final = re.compile(
    r"\b(?:not|never|stop|don't|when|once|if|instead|rather|before|after|until|later|next|engineer|plumber|technician|surveyor|driver)\b"
)
WHEN: Final = frozenset({"date", "time_window"})


def wanted(dialogue: Dialogue) -> Reply | None:
    """The button for the number that somebody in a chat asks to be called on now; where the chat stands stays as it is."""
    context, words = dialogue.context, acts.plain(dialogue.context.words)
    said = {fact.name: fact.value for fact in context.understanding.facts}
    answers_form = dialogue.state.get("asked") == "phone"
    if context.spoken or answers_form or "phone" not in said or said.keys() & WHEN:
        return None
    if not CALL_ME.search(words) or NOT_NOW.search(words):
        return None
    if numbers.costs_who_rings(str(said["phone"])):
        dialogue.say(_("That number costs whoever rings it, so we cannot call it. Please give us another one."))
        return dialogue.reply()
    number = facts.phone(said["phone"])
    dialogue.say(_("We can call %(number)s now.") % {"number": number})
    dialogue.say(_("Press the button, and a code appears here. Key it in on the phone, and we go on there where we are."))
    dialogue.offer_call(_("Call %(number)s") % {"number": number}, said["phone"])
    return dialogue.reply()
