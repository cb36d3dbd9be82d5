"""“I will pay on Friday”: which invoice, how much, by when; noted after a yes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from conversations.assistant import acts, choosing, later, wording
from conversations.assistant.brain import Reply, ToolResult
from conversations.assistant.rules.booking import offer_person
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.rules.errands.engine import Errand, done, not_done, said
from conversations.assistant.tools import find_invoices, promise_to_pay

DONE: Final = "payment"
PAYS: Final = re.compile(
    r"\bi(?:'?ll|l| will| can| could| want to| would like to|'d like to| am going to|'m going to) (?:only |just )?pay\b"
    r"|\b(?:can|could|may|might) i (?:only |just )?pay\b|\blet me pay\b|\b(?:promise|going) to pay\b"
    r"|\bpay (?:it|that|this|you|the rest|my)\b"
)
LATER: Final = re.compile(
    r"\b(?:pay(?:ing)?|settle)\b.{0,30}\b(?:later|next (?:week|month)|in instalments|a bit longer)\b"
    r"|\b(?:can'?t|cannot|can not|unable to|not able to) pay\b.{0,40}\b(?:until|till?|before)\b"
    r"|\b(?:can'?t|cannot|can not|unable to|not able to|struggl\w+ to) (?:afford to )?(?:pay|afford)\b"
    r"(?!.*\b(?:online|card|app|website|web ?site|page|link|machine|form)\b)"
    r"|\bmore time to pay\b|\b(?:payment|pay) extension\b|\bextend (?:the|my) (?:due date|payment)\b"
)
MORE: Final = re.compile(
    r"^(?:and|also|then|plus)\b"
    r"|\b(?:the (?:rest|remainder|remaining|other|second)|(?:the )?(?:rest|other|second) (?:one|half|part|invoice|bill)|what is left)\b"
)
"""How somebody goes on who promises a second payment."""


class PromiseToPay(Errand):
    """Keeps what the customer says they will pay, and by when."""

    action = promise_to_pay.TOOL.name
    called = _lazy("the payment")
    noun = r"(?:payment|promise)"
    facts = frozenset({"date", "amount"})
    needs_proof = True

    def is_wanted(self, dialogue: Dialogue) -> bool:
        """Paying with a day, or paying later; paying by card, and whether one may pay later, are questions of another kind."""
        words = acts.plain(dialogue.context.words)
        dated = any(fact.name == "date" for fact in dialogue.context.understanding.facts)
        if acts.asks_only(words) and not dated:
            # Whether one may pay later, or in parts, is answered from the help pages.
            return False
        is_next = dated and dialogue.done_here.get("kind") == DONE and MORE.search(words) is not None
        return LATER.search(words) is not None or (dated and PAYS.search(words) is not None) or is_next

    def keeps_for_later(self, dialogue: Dialogue) -> bool:
        """“The rest on 20 December”, before the first payment is noted."""
        context = dialogue.context
        dated = any(fact.name == "date" for fact in context.understanding.facts)
        has_first = bool((dialogue.state.get("said") or {}).get("date"))
        is_of_this = choosing.names_it(context.words, str(dialogue.state.get("invoice") or "-"))
        if not (dated and has_first and MORE.search(acts.plain(context.words))) or is_of_this:
            return False
        later.keep(dialogue.state, [context.understanding], context.language.partition("-")[0])
        return True

    async def missing(self, dialogue: Dialogue) -> Reply | None:
        """First which invoice, then by when."""
        state = dialogue.state
        unpaid = await self._unpaid(dialogue)
        if isinstance(unpaid, Reply):
            return unpaid
        chosen = _chosen(dialogue, unpaid)
        if chosen is None:
            references = [str(each["reference"]) for each in unpaid]
            state["choose_from"] = references
            dialogue.say(_("Which invoice is it: %(references)s?") % {"references": wording.listed(references, _("or"))})
            dialogue.suggest(references)
            return dialogue.reply()
        state.update(invoice=chosen["reference"], left=chosen["left_to_pay"], choose_from=[])
        if not said(dialogue, "date"):
            dialogue.ask("date", _("By which day will you pay?"))
            return dialogue.reply()
        return None

    def read_back(self, dialogue: Dialogue) -> str:
        """Amount, invoice and day."""
        amount = said(dialogue, "amount").partition(" ")[0] or str(dialogue.state["left"])
        values = {
            "amount": wording.money(amount, dialogue.context.language),
            "invoice": dialogue.state["invoice"],
            "day": wording.date_of(date.fromisoformat(said(dialogue, "date"))),
        }
        return _("You will pay %(amount)s of invoice %(invoice)s by %(day)s. Is that right?") % values

    async def do(self, dialogue: Dialogue) -> Reply:
        """Notes it."""
        amount = said(dialogue, "amount").partition(" ")[0]
        arguments: dict[str, Any] = {"invoice": dialogue.state["invoice"], "pay_by": said(dialogue, "date")}
        result = await dialogue.tools.call(self.action, arguments | ({"amount": amount} if amount else {}))
        if result.error in ("not_owed", "not_in_time"):
            dialogue.state.update(said={}, step="collect")
            dialogue.say(result.sentence)
            dialogue.ask("date", _("How much, and by which day, will you pay?"))
            return dialogue.reply()
        return self.told(dialogue, result)

    def told(self, dialogue: Dialogue, result: ToolResult) -> Reply:
        """Reads back what was noted."""
        if not result.worked:
            return not_done(dialogue, result)
        values = {
            "amount": wording.money(str(result.result["amount"]), dialogue.context.language),
            "invoice": result.result["invoice"],
            "day": wording.date_of(date.fromisoformat(str(result.result["pay_by"]))),
        }
        dialogue.say(_("Thank you, I have noted that you pay %(amount)s of invoice %(invoice)s by %(day)s.") % values)
        dialogue.note_done(DONE, invoice=str(result.result["invoice"]))
        return done(dialogue)

    async def _unpaid(self, dialogue: Dialogue) -> list[Mapping[str, Any]] | Reply:
        found = await dialogue.tools.call(find_invoices.TOOL.name, {})
        if not found.worked:
            return not_done(dialogue, found)
        unpaid = [each for each in found.result["invoices"] if each["left_to_pay"] != "0.00"]
        if unpaid:
            return unpaid
        dialogue.leave_form()
        return offer_person(dialogue, _("I find no invoice with anything left to pay."))


def _chosen(dialogue: Dialogue, unpaid: list[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The invoice that was named, or the only one."""
    named = {fact.value for fact in dialogue.context.understanding.facts if fact.name == "order_number"} | {dialogue.state.get("invoice")}
    found = next((each for each in unpaid if each["reference"] in named), None)
    told = said(dialogue, "amount").partition(" ")[0]
    if not found and len(of_amount := [each for each in unpaid if each["left_to_pay"] == told]) == 1:
        found = of_amount[0]
    if found or len(unpaid) == 1:
        return found or unpaid[0]
    if dialogue.done_here.get("kind") == DONE and len(others := [each for each in unpaid if not each["promised_by"]]) == 1:
        # Whoever promises once more means what they have not promised yet.
        return others[0]
    index = choosing.choice(dialogue.context.words, len(unpaid)) if dialogue.state.get("choose_from") else None
    return unpaid[index] if index is not None else None
