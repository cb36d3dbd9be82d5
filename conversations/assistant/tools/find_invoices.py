"""The customer's invoices and what is left to pay."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Json, Tool, ToolContext, ToolOutcome, arguments_schema, text
from conversations.assistant.tools.own_record import known_as, money
from conversations.assistant.tools.words import for_both as _
from conversations.connectors.accounts import FoundInvoice, InvoicesOf
from conversations.connectors.registry import accounts
from conversations.models.identifier import Assurance


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `invoices`, newest first, only that of the reference when one is given; `left_to_pay` of all of them; `currency`."""
    named = str(arguments.get("reference", "")).strip().upper()
    found = [
        each for each in accounts().invoices_of(InvoicesOf(known_as(context))) if not named or each.reference == named
    ]
    left = sum(each.left_to_pay for each in found)
    result: Json = {"invoices": [_invoice_json(each) for each in found]}
    if not found:
        return ToolOutcome(result, _("Looked up invoices: none was found that is proven to be theirs."))
    result |= {"left_to_pay": f"{left:.2f}", "currency": context.currency}
    return ToolOutcome(result, _("Looked up invoices: %(count)d found.") % {"count": len(found)})


def _invoice_json(invoice: FoundInvoice) -> Json:
    return {
        "reference": invoice.reference,
        "what": invoice.what,
        "issued_on": invoice.issued_on.isoformat(),
        "due_on": invoice.due_on.isoformat(),
        "total": money(invoice.total),
        "left_to_pay": money(invoice.left_to_pay),
        "promised_by": invoice.promised_by.isoformat() if invoice.promised_by else "",
    }


TOOL = Tool(
    "find_invoices",
    "Looks up the customer's invoices: what for, due when, how much is left to pay. Only for a customer who has proven who they are.",
    arguments_schema([], reference=text("The reference of an invoice, when the customer named one, such as HH-4F7K2Q.", 12)),
    run,
    needs=Assurance.VERIFIED,
    most=20,
    title=gettext_lazy("Look up invoices"),
    labels={"reference": gettext_lazy("Reference")},
)
