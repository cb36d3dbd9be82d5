"""What the company holds about the customer who has proven to be one: coming visits and what is owed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema
from conversations.assistant.tools.visits import visit_json
from conversations.assistant.tools.words import for_both as _
from conversations.connectors.registry import schedule
from conversations.connectors.schedule import VisitsOfConversations
from conversations.models import Conversation, Customer
from conversations.models.identifier import Assurance


def run(context: ToolContext, _arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `visits`, soonest first, and `open_balance` as text, empty when nothing is owed."""
    customer = Customer.objects.get(conversations=Conversation.objects.get(public_id=context.conversation))
    visits = [visit_json(row) for row in schedule().visits_of_conversations(VisitsOfConversations(context.conversations, context.now))]
    owed = f"{customer.open_balance:.2f}" if customer.open_balance > 0 else ""
    return ToolOutcome({"visits": visits, "open_balance": owed}, _("Looked up the account."))


TOOL = Tool(
    "show_account",
    "What the company holds about the customer: all coming visits and the open balance. Only for a customer who has proven who they are.",
    arguments_schema([]),
    run,
    needs=Assurance.VERIFIED,
    title=gettext_lazy("Show visits and open balance"),
)
