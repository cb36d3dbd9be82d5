"""“Where is my order?”"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from conversations.assistant import orders_asked, wording
from conversations.assistant.brain import Reply, ToolResult
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.rules.errands.engine import Errand, done, not_done
from conversations.assistant.tools import find_orders

MOST_TOLD: Final = 3
MOST_SAID: Final = 2


class OrderStatus(Errand):
    """Tells how far the customer's orders are."""

    action = find_orders.TOOL.name
    called = _lazy("the question about your order")
    noun = r"(?:order|search)"
    needs_proof = True

    def is_wanted(self, dialogue: Dialogue) -> bool:
        """By the words, and of orders that were told of just now; an order of services is a visit, and asks otherwise."""
        words = dialogue.context.words
        return orders_asked.asks(words) or (dialogue.orders_were_told and orders_asked.asks_on(words))

    def first(self, dialogue: Dialogue) -> Mapping[str, object]:
        """The reference, when one was named; whether only what is still to come is asked for."""
        named = next((fact.value for fact in dialogue.context.understanding.facts if fact.name == "order_number"), "")
        return {"reference": named} if named else {} if orders_asked.asks(dialogue.context.words) else {"is_to_come": True}

    async def do(self, dialogue: Dialogue) -> Reply:
        """Looks up and tells."""
        named = str(dialogue.state.get("reference") or "")
        return self.told(dialogue, await dialogue.tools.call(self.action, {"reference": named} if named else {}))

    def told(self, dialogue: Dialogue, result: ToolResult) -> Reply:
        """Each order in a sentence, those on their way first."""
        if not result.worked:
            return not_done(dialogue, result)
        orders = sorted(result.result["orders"], key=_is_over)
        coming = [each for each in orders if not _is_over(each)] if dialogue.state.get("is_to_come") else []
        for order in (coming or orders)[: MOST_SAID if dialogue.context.spoken else MOST_TOLD]:
            dialogue.say(_sentence(order, dialogue))
        if not orders:
            dialogue.say(_("I find no such order."))
        told = done(dialogue)
        return replace(told, form_state={**told.form_state, orders_asked.TOLD: bool(orders)})


def _is_over(order: Mapping[str, Any]) -> bool:
    return order["state"] in ("delivered", "cancelled")


def _sentence(order: Mapping[str, Any], dialogue: Dialogue) -> str:
    values = {"what": order["what"], "reference": order["reference"], "state": str(order["state_name"]).lower()}
    if order["expected_on"] and not _is_over(order):
        now = dialogue.context.now
        when = datetime.combine(date.fromisoformat(order["expected_on"]), time(12), now.tzinfo)
        return _("%(what)s, order %(reference)s: %(state)s, expected %(day)s.") % {**values, "day": wording.day(when, now)}
    return _("%(what)s, order %(reference)s: %(state)s.") % values
