"""The customer's orders and how far they are."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Json, Tool, ToolContext, ToolOutcome, arguments_schema, text
from conversations.assistant.tools.own_record import known_as, money
from conversations.assistant.tools.words import for_both as _
from conversations.connectors.accounts import FoundOrder, OrdersOf
from conversations.connectors.registry import accounts
from conversations.models.identifier import Assurance


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `orders`, newest first, only that of the reference when one is given, and their `currency`."""
    named = str(arguments.get("reference", "")).strip().upper()
    found = accounts().orders_of(OrdersOf(known_as(context)))
    rows = [_order_json(each) for each in found if not named or each.reference == named]
    if not rows:
        return ToolOutcome({"orders": []}, _("Looked up orders: none was found that is proven to be theirs."))
    found_some = _("Looked up orders: %(count)d found.") % {"count": len(rows)}
    return ToolOutcome({"orders": rows, "currency": context.currency}, found_some)


def _order_json(order: FoundOrder) -> Json:
    return {
        "reference": order.reference,
        "what": order.what,
        "state": order.state,
        "state_name": order.state_name,
        "ordered_on": order.ordered_on.isoformat(),
        "expected_on": order.expected_on.isoformat() if order.expected_on else "",
        "total": money(order.total),
    }


TOOL = Tool(
    "find_orders",
    "Looks up the customer's orders: what, how far, expected when. Only for a customer who has proven who they are.",
    arguments_schema([], reference=text("The reference of an order, when the customer named one, such as HH-4F7K2Q.", 12)),
    run,
    needs=Assurance.VERIFIED,
    most=20,
    title=gettext_lazy("Look up orders"),
    labels={"reference": gettext_lazy("Reference")},
)
