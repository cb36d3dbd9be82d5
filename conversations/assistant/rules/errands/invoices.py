"""“How much is my bill?”, “has my invoice been paid?”"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from conversations.assistant import acts, wording
from conversations.assistant.brain import Reply, ToolResult
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.rules.errands.engine import Errand, not_done
from conversations.assistant.tools import find_invoices, promise_to_pay

BILL: Final = r"(?:invoices?|bills?)"
ASKS: Final = re.compile(
    rf"\b(?:how much|when|is|are|was|were|has|have|do i have|what is|what are|what's|which)\b.{{0,30}}"
    rf"\b(?:my|our|any|an|the last|the latest) (?:(?:last|latest|open|unpaid|new|next) )?{BILL}\b"
    rf"(?!.{{0,20}}\b(?:wrong|high|twice|higher|mistake|explain|for)\b)"
    rf"|^(?:check|look up|show me|tell me about|read me) my (?:\w+ )?{BILL}\b|\bopen {BILL}\b"
)
DISPUTES: Final = re.compile(r"\b(?:why|wrong|mistake|dispute|overcharg\w+|twice|explain|breakdown|copy|how do i|how can i)\b")
MOST_TOLD: Final = 3
MOST_SAID: Final = 2


class InvoiceQuestion(Errand):
    """Tells what is left to pay, and how to pay it."""

    action = find_invoices.TOOL.name
    called = _lazy("the question about your invoice")
    noun = r"invoice"
    needs_proof = True

    def is_wanted(self, dialogue: Dialogue) -> bool:
        """A question for what the record says; what somebody doubts is for the billing team."""
        words = acts.plain(dialogue.context.words)
        return ASKS.search(words) is not None and DISPUTES.search(words) is None

    def first(self, dialogue: Dialogue) -> Mapping[str, object]:
        """The reference, when one was named."""
        named = next((fact.value for fact in dialogue.context.understanding.facts if fact.name == "order_number"), "")
        return {"reference": named} if named else {}

    async def do(self, dialogue: Dialogue) -> Reply:
        """Looks up and tells."""
        named = str(dialogue.state.get("reference") or "")
        return self.told(dialogue, await dialogue.tools.call(self.action, {"reference": named} if named else {}))

    def told(self, dialogue: Dialogue, result: ToolResult) -> Reply:
        """Each invoice in a sentence, unpaid ones first, and the ways to pay."""
        if not result.worked:
            return not_done(dialogue, result)
        invoices = sorted(result.result["invoices"], key=lambda each: each["left_to_pay"] == "0.00")
        unpaid = [each for each in invoices if each["left_to_pay"] != "0.00"]
        dialogue.leave_form()
        shown = (unpaid or invoices)[: MOST_SAID if dialogue.context.spoken else MOST_TOLD]
        for invoice in shown:
            dialogue.say(_sentence(invoice, dialogue))
        if not invoices:
            dialogue.say(_("I find no invoice."))
        elif not unpaid:
            dialogue.say(_("Nothing is left to pay."))
        elif promise_to_pay.TOOL.name in dialogue.context.behaviour.tools:
            dialogue.say(_("If you want to pay later, tell me by which day."))
        dialogue.say(_("Is there anything else I can do?"))
        return dialogue.reply()


def _sentence(invoice: Mapping[str, Any], dialogue: Dialogue) -> str:
    language = dialogue.context.language
    values = {
        "what": invoice["what"],
        "reference": invoice["reference"],
        "total": wording.money(invoice["total"], language),
        "left": wording.money(invoice["left_to_pay"], language),
        "due": wording.date_of(date.fromisoformat(invoice["due_on"])),
    }
    if invoice["left_to_pay"] == "0.00":
        return _("%(what)s, invoice %(reference)s: %(total)s, paid.") % values
    if invoice["promised_by"]:
        promised = wording.date_of(date.fromisoformat(invoice["promised_by"]))
        sentence = _("%(what)s, invoice %(reference)s: %(left)s left to pay, which you said you would pay by %(promised)s.")
        return sentence % {**values, "promised": promised}
    return _("%(what)s, invoice %(reference)s: %(left)s left to pay, due on %(due)s.") % values
