"""Which invoice is meant by who has proven whose it is: the account says it, so nobody has to look for a reference."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext as _

from conversations.assistant import acts, choosing, wording
from conversations.assistant.brain import Form, Reply
from conversations.assistant.recognising import BILLS, OVERDUE
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.tools import find_invoices
from conversations.models.identifier import Assurance

Invoice = Mapping[str, Any]
REFERENCE: Final = "order_number"
TOLD_BY_INVOICE: Final = (REFERENCE, "amount")
"""What a form needs not ask for where it is known which invoice is meant."""
MOST: Final = 3
PAID: Final = re.compile(r"\b(?:refund\w*|reimburs\w*|money back|(?:have |had |already |'ve |i |we )paid|paid (?:it )?(?:twice|already))\b")
"""What is said of an invoice that is paid, whatever else is left to pay."""
NUMBER: Final = re.compile(r"(?<![\w-])\d+(?:\.\d\d)?(?![\w-])")


async def settle(dialogue: Dialogue, form: Form) -> Reply | None:
    """Finds out which invoice a form is about, and keeps it as `bill`; returns the question where it may be several.

    Only for who has proven to be the customer: anybody else is asked for the reference.
    """
    state, context = dialogue.state, dialogue.context
    asks = {field.fact for field in form.fields} - {*state.get("skipped", [])}
    state.pop(BILLS, None)
    if REFERENCE not in asks or state.get("bill") or not (found := await _found(dialogue)):
        return None
    named = context.value(REFERENCE)
    bill = next((each for each in found if each["reference"] == named), None) if named else _meant(dialogue, found)
    if bill:
        _take(dialogue, bill)
    if bill or named:
        return None
    state[BILLS] = [{name: str(each[name]) for name in ("reference", "what")} for each in found[:MOST]]
    dialogue.note_asked(REFERENCE)
    each_one = [_("%(reference)s (%(what)s)") % each for each in found[:MOST]]
    dialogue.say(_("Which invoice is it: %(references)s?") % {"references": wording.listed(each_one, _("or"))})
    dialogue.suggest([each["reference"] for each in state[BILLS]])
    return dialogue.reply()


async def chosen(dialogue: Dialogue) -> bool:
    """Takes the one of the invoices that were asked about which the words choose, by its place or what it is for; says whether they do."""
    shown = [str(each["reference"]) for each in dialogue.state.get(BILLS) or []]
    if not shown or acts.is_question(dialogue.context.words):
        return False
    words, found = acts.plain(dialogue.context.words), [each for each in await _found(dialogue) if each["reference"] in shown]
    index = choosing.chosen_name(dialogue.context.text, [str(each["reference"]) for each in found])
    late = [each for each in found if is_overdue(each, dialogue)] if OVERDUE.search(words) else []
    named = [each for each in found if choosing.shares_a_word(words, each["what"])]
    bill = found[index] if index is not None else _one(named) or _one(late)
    if bill:
        _take(dialogue, bill)
    return bill is not None


async def _found(dialogue: Dialogue) -> list[Invoice]:
    """The invoices of who has proven whose they are; none of anybody else."""
    tool, context = find_invoices.TOOL.name, dialogue.context
    if context.assurance != Assurance.VERIFIED or tool not in context.behaviour.tools:
        return []
    found = await dialogue.tools.call(tool, {})
    return list(found.result["invoices"]) if found.worked else []


def _take(dialogue: Dialogue, bill: Invoice) -> None:
    """Keeps which invoice is meant, and says it."""
    state = dialogue.state
    state.update({"bill": str(bill["reference"]), BILLS: [], "skipped": [*state.get("skipped", []), *TOLD_BY_INVOICE]})
    dialogue.say(_("It is about this invoice: %(invoice)s") % {"invoice": sentence_of(bill, dialogue)})


def with_amount(words: str, found: Sequence[Invoice]) -> list[Invoice]:
    """The invoices over an amount that words name, or with that much left to pay: “why have I been charged 85”."""
    named = {number.removesuffix(".00") for number in NUMBER.findall(words)}
    return [each for each in found if named & {str(each[amount]).removesuffix(".00") for amount in ("total", "left_to_pay")}]


def is_overdue(bill: Invoice, dialogue: Dialogue) -> bool:
    """Whether an invoice ought to have been paid by now."""
    return bill["left_to_pay"] != "0.00" and date.fromisoformat(bill["due_on"]) < dialogue.context.now.date()


def sentence_of(bill: Invoice, dialogue: Dialogue) -> str:
    """An invoice in a sentence: what for, what is left to pay, and until when."""
    language = dialogue.context.language
    values = {
        "what": bill["what"],
        "reference": bill["reference"],
        "total": wording.money(bill["total"], language),
        "left": wording.money(bill["left_to_pay"], language),
        "due": wording.date_of(date.fromisoformat(bill["due_on"])),
    }
    if bill["left_to_pay"] == "0.00":
        return _("%(what)s, invoice %(reference)s: %(total)s, paid.") % values
    if bill["promised_by"]:
        promised = wording.date_of(date.fromisoformat(bill["promised_by"]))
        sentence = _("%(what)s, invoice %(reference)s: %(left)s left to pay, which you said you would pay by %(promised)s.")
        return sentence % {**values, "promised": promised}
    if is_overdue(bill, dialogue):
        return _("%(what)s, invoice %(reference)s: %(left)s left to pay, overdue since %(due)s.") % values
    return _("%(what)s, invoice %(reference)s: %(left)s left to pay, due on %(due)s.") % values


def _meant(dialogue: Dialogue, found: Sequence[Invoice]) -> Invoice | None:
    """The only one that words can mean: by its amount; what is left to pay, unless one that is paid may be meant; or the only one."""
    words = acts.plain(dialogue.context.words)
    if of_amount := with_amount(words, found):
        return _one(of_amount)
    unpaid = [] if PAID.search(words) else [each for each in found if each["left_to_pay"] != "0.00"]
    return _one(unpaid) or _one(found)


def _one(found: Sequence[Invoice]) -> Invoice | None:
    return found[0] if len(found) == 1 else None
