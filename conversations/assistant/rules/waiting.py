"""While a person is on the way: questions are still answered, everything else is passed on."""

from __future__ import annotations

from django.utils.translation import gettext as _

from conversations.assistant import acts
from conversations.assistant.brain import Reply
from conversations.assistant.rules import knowledge
from conversations.assistant.rules.dialogue import Dialogue


async def go_on(dialogue: Dialogue) -> Reply:
    """An answer to a question, or that it was passed on; nothing when that was said before."""
    is_back = bool(dialogue.context.form_state.get("away"))
    if is_back:
        # Whoever was told that the AI agent is off, or that nobody but people answers, is told once how it stands now.
        dialogue.state.pop("acknowledged", None)
    if _is_in_danger(dialogue) and await knowledge.answer_with_opening(dialogue):
        return dialogue.reply()
    if acts.is_question(dialogue.context.words) and await knowledge.answer(dialogue, least_score=knowledge.SURE_ANSWER):
        return dialogue.reply()
    # Said once; whoever listens on the phone must hear something each time.
    if dialogue.context.spoken or not dialogue.state.get("acknowledged"):
        dialogue.state["acknowledged"] = True
        if is_back:
            dialogue.say(_("Our AI assistant answers questions again."))
        dialogue.say(_("Thank you, I have added that for my colleague. They will be with you as soon as one is free."))
    return dialogue.reply()


def _is_in_danger(dialogue: Dialogue) -> bool:
    """Whether a danger is told in another language than the one in which they were told what to do."""
    warned = dialogue.context.form_state.get("warned")
    return dialogue.context.understanding.urgency == "emergency" and warned != dialogue.context.language.partition("-")[0]
