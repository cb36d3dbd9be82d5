"""Back to what was going on, with its question asked once more."""

from __future__ import annotations

from django.utils.translation import gettext as _

from conversations.assistant.brain import HandOff, Reply
from conversations.assistant.rules import booking, changing
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.rules.errands import ERRANDS, engine


async def to_change(dialogue: Dialogue) -> Reply | HandOff:
    """To a visit that is moved or given up, or to an errand."""
    action = str(dialogue.state["action"])
    if action in ERRANDS:
        return await engine.again(dialogue, ERRANDS[action])
    if dialogue.state.get("step") == "confirm":
        dialogue.say(_("Shall I cancel the visit? Please say yes or no."))
        dialogue.suggest_yes_or_no()
        return dialogue.reply()
    if dialogue.state.get("offered"):
        labels = [slot["label"] for slot in dialogue.state["offered"]]
        dialogue.say(_("Which of the times I named suits you, or which other day?"))
        dialogue.suggest(labels)
        return dialogue.reply()
    return await changing.begin(dialogue, action)


async def to_form(dialogue: Dialogue) -> Reply | HandOff:
    """To the form that is being filled; what was said is the reply when there is none."""
    form = dialogue.form
    if form is None:
        return dialogue.reply()
    if dialogue.state.get("step") == "choose" and dialogue.state.get("offered"):
        dialogue.say(_("Back to your visit: which of the times I named suits you?"))
        dialogue.suggest([slot["label"] for slot in dialogue.state["offered"]])
        return dialogue.reply()
    return await booking.go_on(dialogue, form)
