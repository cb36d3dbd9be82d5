"""Keeps that the customer says they will pay an invoice by a day."""

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant import wording
from conversations.assistant.tools.base import Event, Tool, ToolContext, ToolOutcome, amount, arguments_schema, day, text
from conversations.assistant.tools.own_record import known_as, money
from conversations.assistant.tools.words import for_both as _
from conversations.connectors.accounts import InvoicesOf, NoSuchInvoice, NotOwed, PromiseToPay
from conversations.connectors.registry import accounts
from conversations.models import ActionItem, Conversation
from conversations.models.identifier import Assurance
from conversations.services import action_items

END_OF_DAY = time(18, 0)


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `invoice`, `amount`, `currency`, `pay_by`. Without an amount it is about all that is left to pay.

    Somebody looks on that day whether the money came: it is noted as something to do.
    """
    reference = str(arguments["invoice"]).strip().upper()
    wanted = PromiseToPay(
        known_as=known_as(context),
        invoice=reference,
        amount=_amount(context, reference, str(arguments.get("amount", ""))),
        pay_by=date.fromisoformat(arguments["pay_by"]),
        conversation=context.conversation,
        made_by=context.by.name,
        idempotency_key=context.idempotency_key,
    )
    try:
        promised = accounts().promise(wanted)
    except NotOwed as problem:
        raise NotOwed(problem.left, context.currency) from problem
    values = {
        "amount": f"{context.currency}{money(promised.amount)}",
        "invoice": promised.invoice,
        "day": wording.date_of(promised.pay_by),
    }
    sentence = _("Promised to pay %(amount)s of invoice %(invoice)s by %(day)s.") % values
    action_items.add(
        Conversation.objects.select_related("customer").get(public_id=context.conversation),
        title=_("Look whether %(amount)s of invoice %(invoice)s came.") % values,
        by=context.by,
        key=context.idempotency_key,
        kind=ActionItem.Kind.PAYMENT,
        due_at=datetime.combine(promised.pay_by, END_OF_DAY, context.now.tzinfo),
    )
    result = {
        "invoice": promised.invoice, "amount": money(promised.amount), "currency": context.currency,
        "pay_by": promised.pay_by.isoformat(),
    }  # fmt: skip
    return ToolOutcome(result, sentence, (Event("payment.promised", sentence, dict(result), audience="staff"),))


def _amount(context: ToolContext, reference: str, said: str) -> Decimal:
    """What was said, or all that is left to pay. Raises NoSuchInvoice."""
    if said:
        return Decimal(said)
    mine = accounts().invoices_of(InvoicesOf(known_as(context)))
    found = next((each for each in mine if each.reference == reference), None)
    if found is None:
        raise NoSuchInvoice(reference)
    return found.left_to_pay


def _invoices_to_pay(context: ToolContext) -> list[tuple[str, str]]:
    mine = accounts().invoices_of(InvoicesOf(known_as(context)))
    owed = [each for each in mine if each.left_to_pay]
    return [(each.reference, f"{each.reference} · {each.what} · {context.currency}{money(each.left_to_pay)}") for each in owed]


TOOL = Tool(
    "promise_to_pay",
    "Keeps that the customer promised to pay an invoice, or an amount of it, by a day. Only for a customer who has proven who they"
    " are, with the amount and the day that they said, after they have confirmed both.",
    arguments_schema(
        ["invoice", "pay_by"],
        invoice=text("The reference of the invoice, as find_invoices returned it.", 12),
        amount=amount("The amount that the customer said. Leave it out when they pay all that is left."),
        pay_by=day("The day by which they said they would pay."),
    ),
    run,
    changes=True,
    begun=gettext_lazy("Began to note a promise to pay."),
    needs=Assurance.VERIFIED,
    most=5,
    title=gettext_lazy("Note a promise to pay"),
    labels={"invoice": gettext_lazy("Invoice"), "amount": gettext_lazy("Amount"), "pay_by": gettext_lazy("Paid by")},
    choices={"invoice": _invoices_to_pay},
)
