"""The visits that this party may ask about."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema
from conversations.assistant.tools.visits import visit_json
from conversations.connectors.registry import schedule
from conversations.connectors.schedule import VisitsOfConversation


def run(context: ToolContext, _arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `visits`, soonest first: of this conversation, and of the whole record for who has proven to be the customer.

    Of a visit that this party may know of, but not change, it tells only that it is there, and whether proving is still possible.
    """
    found = [row for each in context.conversations for row in schedule().visits_of_conversation(VisitsOfConversation(each, context.now))]
    visits = sorted(found, key=lambda visit: visit.start)
    rows = [
        {**visit_json(visit), "may_change": True}
        if visit.reference in context.changeable
        else {"may_change": False, "no_more_tries": not context.may_prove}
        for visit in visits
        if visit.reference in context.known_visits
    ]
    sentence = _("Looked up the visits booked here: %(count)d.") % {"count": len(rows)}
    return ToolOutcome({"visits": rows}, sentence)


TOOL = Tool(
    "find_visits",
    "Lists the coming visits that were booked in this conversation. Those with may_change false need the postcode first.",
    arguments_schema([]),
    run,
    recorded=False,
)
