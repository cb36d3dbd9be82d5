"""“Where is my order?”"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from conversations.assistant import acts, wording
from conversations.assistant.brain import Reply, ToolResult
from conversations.assistant.rules.dialogue import Dialogue
from conversations.assistant.rules.errands.engine import Errand, done, not_done
from conversations.assistant.tools import find_orders

THING: Final = r"(?:orders?|parcels?|packages?|deliver(?:y|ies)|shipments?)"
ASKS: Final = re.compile(
    rf"\b(?:where|when|what|which|how|has|have|is|are|did|track|check|look up|status)\b.{{0,60}}\b(?:my|our|the|an?) (?:\w+ )?{THING}\b"
    rf"|\b{THING} (?:status|number)\b|^(?:track|check|look up)\b.{{0,20}}\b{THING}\b"
    rf"|\b{THING}\b.{{0,30}}\b(?:not|never) (?:come|arrived?)\b"
)
MOST_TOLD: Final = 3
MOST_SAID: Final = 2


class OrderStatus(Errand):
    """Tells how far the customer's orders are."""

    action = find_orders.TOOL.name
    called = _lazy("the question about your order")
    noun = r"(?:order|search)"
    needs_proof = True

    def is_wanted(self, dialogue: Dialogue) -> bool:
        """By the words alone; an order of services is a visit, and asks otherwise."""
        return ASKS.search(acts.plain(dialogue.context.words)) is not None

    def first(self, dialogue: Dialogue) -> Mapping[str, object]:
        """The reference, when one was named."""
        named = next((fact.value for fact in dialogue.context.understanding.facts if fact.name == "order_number"), "")
        return {"reference": named} if named else {}

    async def do(self, dialogue: Dialogue) -> Reply:
        """Looks up and tells."""
        named = str(dialogue.state.get("reference") or "")
        return self.told(dialogue, await dialogue.tools.call(self.action, {"reference": named} if named else {}))

    def told(self, dialogue: Dialogue, result: ToolResult) -> Reply:
        """Each order in a sentence, those on their way first."""
        if not result.worked:
            return not_done(dialogue, result)
        orders = sorted(result.result["orders"], key=lambda each: each["state"] in ("delivered", "cancelled"))
        for order in orders[: MOST_SAID if dialogue.context.spoken else MOST_TOLD]:
            dialogue.say(_sentence(order, dialogue))
        if not orders:
            dialogue.say(_("I find no such order."))
        return done(dialogue)


def _sentence(order: Mapping[str, Any], dialogue: Dialogue) -> str:
    values = {"what": order["what"], "reference": order["reference"], "state": str(order["state_name"]).lower()}
    if order["expected_on"] and order["state"] not in ("delivered", "cancelled"):
        now = dialogue.context.now
        when = datetime.combine(date.fromisoformat(order["expected_on"]), time(12), now.tzinfo)
        return _("%(what)s, order %(reference)s: %(state)s, expected %(day)s.") % {**values, "day": wording.day(when, now)}
    return _("%(what)s, order %(reference)s: %(state)s.") % values
