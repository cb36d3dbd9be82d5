"""What the company holds about the customer who has proven to be one: coming visits and what is owed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema
from conversations.assistant.tools.own_record import known_as, money
from conversations.assistant.tools.visits import visit_json
from conversations.assistant.tools.words import for_both as _
from conversations.connectors.accounts import InvoicesOf
from conversations.connectors.base import ConnectorError
from conversations.connectors.registry import accounts, schedule
from conversations.connectors.schedule import VisitsOfConversations
from conversations.models import Conversation, Customer
from conversations.models.identifier import Assurance


def run(context: ToolContext, _arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `visits`, soonest first, and `open_balance`: what is owed as text (“0.00” is nothing), empty when it is not known now."""
    visits = [visit_json(row) for row in schedule().visits_of_conversations(VisitsOfConversations(context.conversations, context.now))]
    return ToolOutcome({"visits": visits, "open_balance": _owed(context)}, _("Looked up the account."))


def _owed(context: ToolContext) -> str:
    """What is left to pay of the invoices that the sales system has; where it has none, the balance that the record was given."""
    try:
        invoices = accounts().invoices_of(InvoicesOf(known_as(context)))
    except ConnectorError:
        return ""
    if invoices:
        return money(sum((each.left_to_pay for each in invoices), Decimal(0)))
    customer = Customer.objects.get(conversations=Conversation.objects.get(public_id=context.conversation))
    return money(max(customer.open_balance, Decimal(0)))


TOOL = Tool(
    "show_account",
    "What the company holds about the customer: all coming visits and the open balance. Only for a customer who has proven who they are.",
    arguments_schema([]),
    run,
    needs=Assurance.VERIFIED,
    title=gettext_lazy("Show visits and open balance"),
)
