"""While a person is on the way: questions are still answered, everything else is passed on."""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from conversations.assistant import acts
from conversations.assistant.brain import Reply
from conversations.assistant.rules import knowledge, small_talk
from conversations.assistant.rules.dialogue import Dialogue

COMING: Final = _lazy("A colleague will be with you as soon as one is free.")
WHAT_TO_DO: Final = re.compile(r"\bwhat (?:do|should|shall|can|must) (?:i|we) do\b|^(?:and |so |ok )?(?:now what|what now)\b")
_SOMEBODY: Final = r"(?:some(?:one|body)|any(?:one|body)|they|he|she|(?:a|the|your) (?:colleague|person|human|agent))"
WHEN_THEY_COME: Final = re.compile(
    r"\bwhat (?:happens|comes) (?:next|now)\b|\b(?:is|are) (?:any|some)(?:one|body) (?:coming|there|on (?:the|their) way)\b"
    rf"|\bare you (?:still )?there\b|\bhow (?:long|much longer|soon)(?:$|.*\b(?:wait(?:ing)?|queue|line|{_SOMEBODY})\b)"
    rf"|\bwhen (?:will|is|does|do|are) {_SOMEBODY}\b|^hello+$"
)


async def go_on(dialogue: Dialogue) -> Reply:
    """An answer to a question, or that it was passed on; nothing when that was said before."""
    is_back = bool(dialogue.context.form_state.get("away"))
    if is_back:
        # Whoever was told that the AI agent is off, or that nobody but people answers, is told once how it stands now.
        dialogue.state.pop("acknowledged", None)
    if _is_in_danger(dialogue) and await knowledge.answer_with_opening(dialogue):
        return dialogue.reply()
    words = acts.plain(dialogue.context.words)
    if small_talk.answered(dialogue, busy=True):
        return dialogue.reply()
    asks = acts.is_question(dialogue.context.words)
    warned = bool(dialogue.context.form_state.get("warned"))
    if WHAT_TO_DO.search(words) or WHEN_THEY_COME.search(words) or (warned and asks):
        if warned and not WHEN_THEY_COME.search(words) and _is_about_the_danger(dialogue):
            await knowledge.answer_with_opening(dialogue)
        dialogue.say(str(COMING))
        return dialogue.reply()
    if asks and await knowledge.answer(dialogue, least_score=knowledge.SURE_ANSWER):
        return dialogue.reply()
    # Said once; whoever listens on the phone must hear something each time.
    if dialogue.context.spoken or not dialogue.state.get("acknowledged"):
        dialogue.state["acknowledged"] = True
        if is_back:
            dialogue.say(_("Our AI assistant answers questions again."))
        dialogue.say(_("Thank you, I have added that for my colleague. They will be with you as soon as one is free."))
    return dialogue.reply()


def _is_about_the_danger(dialogue: Dialogue) -> bool:
    """Whether a question may be about what was told of a danger: nothing else was recognised in it."""
    about, context = dialogue.context.understanding.reason, dialogue.context
    return about is None or (context.reason is not None and about == context.reason.code)


def _is_in_danger(dialogue: Dialogue) -> bool:
    """Whether a danger is told in another language than the one in which they were told what to do."""
    warned = dialogue.context.form_state.get("warned")
    return dialogue.context.understanding.urgency == "emergency" and warned != dialogue.context.language.partition("-")[0]
