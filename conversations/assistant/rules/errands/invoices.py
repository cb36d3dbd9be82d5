"""“How much is my bill?”, “has my invoice been paid?”"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from conversations.assistant import acts, recognising
from conversations.assistant.brain import Reply, ToolResult
from conversations.assistant.rules import bills
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.rules.errands.engine import Errand, not_done
from conversations.assistant.rules.errands.promise import LATER
from conversations.assistant.tools import find_invoices, promise_to_pay, send_link
from conversations.models.identifier import Assurance

BILL: Final = r"(?:invoices?|bills?)"
ASKS: Final = re.compile(
    rf"\b(?:how much|when|is|are|was|were|has|have|do i have|what is|what are|what's|which)\b.{{0,30}}"
    rf"\b(?:my|our|any|an|the last|the latest) (?:(?:last|latest|open|unpaid|new|next) )?{BILL}\b"
    rf"(?!.{{0,20}}\b(?:wrong|high|twice|higher|mistake|explain|for)\b)"
    rf"|^(?:check|look up|show me|tell me about|read me) my (?:\w+ )?{BILL}\b|\bopen {BILL}\b"
    r"|\b(?:did|have|has|was)\b.{0,20}\bmy (?:\w+ )?payment\b"
    r".{0,15}(?:\b(?:got|get|received?|gone|go|come|came|arrived?|been|of|through)\b|$)"
    r"|\b(?:did|have|has) (?:you|they) (?:\w+ ){0,2}(?:get|got|receive|received|had) (?:my|our|the) (?:\w+ )?payment\b"
    r"|\b(?:what|when|how much|which)\b.{0,15}\b(?:did|have) i (?:just )?(?:agree|agreed|promise|promised|say|said)\b.{0,20}\bpay\b"
)
DISPUTES: Final = re.compile(r"\b(?:why|wrong|mistake|dispute|overcharg\w+|twice|explain|breakdown|copy|how do i|how can i)\b")
OF_THEIR_OWN: Final = re.compile(
    rf"\b(?:tell me|hear|look at|see|show me)\b.{{0,20}}\b(?:my|our|the) (?:\w+ )?{BILL}\b"
    r"|\b(?:which|what|any|anything|is|are|something)\b.{0,25}\b(?:overdue|outstanding|unpaid|still open|not paid)\b"
    r"|\bhow much\b.{0,15}\b(?:left to pay|still (?:have )?to pay)$|\bwhen\b.{0,10}\b(?:my|the) payment due\b"
)
WISHES_TO_PAY: Final = re.compile(
    rf"\b(?:pay|settle)\b.{{0,10}}\b(?:my|our|the|this|that|an?) (?:\w+ ){{0,2}}(?:{BILL}|balance)\b"
    r"(?!.*\b(?:by|with|via|card|cash|cheque|transfer|debit|online|phone|app|instal\w+)\b)"
)
ASKS_WHY: Final = re.compile(
    r"(?:\bwhy\b.{0,25}\b(?:charged|billed|invoiced)\b"
    r"|\bwhat (?:have|was|were) (?:i|we|you)(?: been)? (?:charged|billed|invoiced|charging)\b"
    r"|\bwhat(?:'?s| is| was) (?:this|that|the)(?: \S+){0,2} charge\b)(?!.{0,30}\b(?:twice|again|too|more|extra|double|wrong)\b)"
)
"""What an amount is for, which the account says to who has proven whose it is."""
ASKS_HOW: Final = re.compile(r"\b(?:how (?:do|can|could|may|should|to)|where (?:do|can))\b")
MOST_TOLD: Final = 3
MOST_SAID: Final = 2


class InvoiceQuestion(Errand):
    """Tells what is left to pay, and how to pay it."""

    action = find_invoices.TOOL.name
    called = _lazy("the question about your invoice")
    noun = r"invoice"
    needs_proof = True

    def is_wanted(self, dialogue: Dialogue) -> bool:
        """A question for what the record says; what somebody doubts is for the billing team.

        Of who has proven whose account it is, more is taken for one: nobody has to be asked for anything first.
        """
        words = acts.plain(dialogue.context.words)
        if dialogue.context.assurance == Assurance.VERIFIED and _is_told_by_account(words):
            return True
        return ASKS.search(words) is not None and DISPUTES.search(words) is None

    def first(self, dialogue: Dialogue) -> Mapping[str, object]:
        """The reference, when one was named."""
        named = next((fact.value for fact in dialogue.context.understanding.facts if fact.name == "order_number"), "")
        return {"reference": named} if named else {}

    async def do(self, dialogue: Dialogue) -> Reply:
        """Looks up and tells."""
        return self.told(dialogue, await self._found(dialogue, str(dialogue.state.get("reference") or "")))

    def told(self, dialogue: Dialogue, result: ToolResult) -> Reply:
        """Each invoice in a sentence, unpaid ones first, and the ways to pay."""
        if not result.worked:
            return not_done(dialogue, result)
        dialogue.leave_form()
        if _say(dialogue, result):
            _say_how_to_pay(dialogue)
        dialogue.say(_("Is there anything else I can do?"))
        return dialogue.reply()

    async def tell_in_between(self, dialogue: Dialogue) -> bool:
        """Tells the invoices in the middle of something else, to who has proven whose they are; says whether it did."""
        if dialogue.context.assurance != Assurance.VERIFIED or self.action not in dialogue.context.behaviour.tools:
            return False
        found = await self._found(dialogue, "")
        if found.worked:
            _say(dialogue, found)
        return found.worked

    async def _found(self, dialogue: Dialogue, named: str) -> ToolResult:
        return await dialogue.tools.call(self.action, {"reference": named} if named else {})


def _is_told_by_account(words: str) -> bool:
    is_asked = OF_THEIR_OWN.search(words) and DISPUTES.search(words) is None
    is_for_later = ASKS_HOW.search(words) or LATER.search(words)
    return bool(is_asked or WISHES_TO_PAY.search(words) or ASKS_WHY.search(words)) and not is_for_later


def _say(dialogue: Dialogue, result: ToolResult) -> bool:
    """Says each invoice that is asked about in a sentence; says whether anything is left to pay of them."""
    words, found = acts.plain(dialogue.context.words), list(result.result["invoices"])
    late = [each for each in found if bills.is_overdue(each, dialogue)] if recognising.OVERDUE.search(words) else []
    invoices = sorted(bills.with_amount(words, found) or late or found, key=lambda each: bool(each["left_to_pay"] == "0.00"))
    unpaid = [each for each in invoices if each["left_to_pay"] != "0.00"]
    for invoice in (unpaid or invoices)[: MOST_SAID if dialogue.context.spoken else MOST_TOLD]:
        dialogue.say(bills.sentence_of(invoice, dialogue))
    if not invoices:
        dialogue.say(_("I find no invoice."))
    elif not unpaid:
        dialogue.say(_("Nothing is left to pay."))
    elif ASKS_WHY.search(words):
        dialogue.say(_("If something looks wrong, tell me what, and the billing team looks at it."))
    return bool(unpaid)


def _say_how_to_pay(dialogue: Dialogue) -> None:
    """That it can be paid later and, to who wishes to pay, that there is a link to do so."""
    context = dialogue.context
    has_link = send_link.TOOL.name in context.behaviour.tools and any("pay" in each.code for each in context.behaviour.links)
    if has_link and WISHES_TO_PAY.search(acts.plain(context.words)):
        dialogue.say(_("To pay online, say “send me the link to pay”."))
        dialogue.suggest([_("Send me the link to pay")])
    if promise_to_pay.TOOL.name in context.behaviour.tools and not ASKS_WHY.search(acts.plain(context.words)):
        dialogue.say(_("If you want to pay later, tell me by which day."))
