"""A question in the middle of something: answered, and what was going on goes on with the same question."""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from conversations.assistant import acts, own_record
from conversations.assistant.rules import area, identifying, knowledge
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.rules.errands.invoices import InvoiceQuestion

WHAT_FOR: Final = re.compile(
    r"^(?:but |and |sorry |ok )?(?:why (?:do|would|should|are|is)\b.*\b(?:need|want|ask|asking|give|tell|necessary)|what .{0,30}\bfor$)"
)
REASONS_TO_ASK: Final = {
    "postcode": _lazy("By the postcode I see whether we come to you, and who is free there."),
    "name": _lazy("The engineer asks for that name at the door."),
    "phone": _lazy("The engineer rings it on the way, and if anything changes."),
    "email": _lazy("What we send you in writing goes there."),
    "order_number": _lazy("With it a colleague finds what it is about at once."),
}


async def answers(dialogue: Dialogue) -> bool:
    """Answers a question from articles and prices, or says what a fact is asked for; says whether it did."""
    context = dialogue.context
    asks = acts.is_question(context.words) or (dialogue.form is None and knowledge.asks_for_price(dialogue))
    if not asks or context.understanding.affirmative is not None or asks_of_own_record(dialogue):
        return False
    told = REASONS_TO_ASK.get(str(dialogue.state.get("asked") or ""))
    if told and WHAT_FOR.search(acts.plain(context.words)):
        dialogue.say(str(told))
        return True
    if await area.says(dialogue) is not None:
        return True
    return await knowledge.answer(dialogue)


def has_no_answer(dialogue: Dialogue) -> bool:
    """Says that it has no answer to a question in the middle of something, which counts as no wrong answer; says whether one was asked.

    It is kept for whoever writes articles.
    """
    context = dialogue.context
    if not acts.wants_to_know(context.words) or context.understanding.affirmative is not None or acts.is_request(context.words):
        return False
    dialogue.does_not_know = True
    dialogue.say(_("I have no answer to that; a colleague can tell you."))
    return True


def asks_of_own_record(dialogue: Dialogue) -> bool:
    """Whether something is asked that only the customer's own record says, where it can be found out who this is."""
    asks = own_record.OWN_RECORD.search(acts.plain(dialogue.context.words)) or InvoiceQuestion().is_wanted(dialogue)
    return bool(asks) and identifying.is_possible(dialogue)
