"""A question in the middle of something: answered, and what was going on goes on with the same question."""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from conversations.assistant import acts, own_record
from conversations.assistant.rules import area, aside, identifying, knowledge
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.rules.errands.invoices import InvoiceQuestion
from conversations.models.identifier import Assurance

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
    words = acts.plain(dialogue.context.words)
    is_shown = dialogue.context.assurance == Assurance.VERIFIED and not (acts.GIVE_UP.search(words) or acts.MOVE.search(words))
    asks = (own_record.OWN_ACCOUNT if is_shown else own_record.OWN_RECORD).search(words) or InvoiceQuestion().is_wanted(dialogue)
    return bool(asks) and identifying.is_possible(dialogue)


async def is_answered(dialogue: Dialogue) -> bool:
    """Answers a question in the middle of a form, or says that it waits or has no answer; says whether one was asked."""
    if not asks_of_own_record(dialogue):
        return await answers(dialogue) or has_no_answer(dialogue)
    if not await _tells_of_own_record(dialogue):
        aside.keep_words(dialogue)
    return True


async def is_told_of_own_record(dialogue: Dialogue) -> bool:
    """Tells what of their own record is asked to who has proven whose it is, whatever need it sounds like; says whether it was asked."""
    is_shown = dialogue.context.assurance == Assurance.VERIFIED and not dialogue.context.new_facts
    return is_shown and asks_of_own_record(dialogue) and await _tells_of_own_record(dialogue)


async def _tells_of_own_record(dialogue: Dialogue) -> bool:
    """Tells what the own record says, to who has proven whose it is; says whether it did, otherwise that it has to wait."""
    invoices = InvoiceQuestion()
    if invoices.is_wanted(dialogue) and await invoices.tell_in_between(dialogue):
        return True
    return await identifying.tell_in_between(dialogue)
