"""The visits that this party may ask about."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema
from conversations.assistant.tools.visits import visit_json
from conversations.assistant.tools.words import for_both as _
from conversations.connectors.registry import schedule
from conversations.connectors.schedule import VisitsOfConversations


def run(context: ToolContext, _arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `visits`, soonest first: those that this party booked, or of the whole record for who has proven to be the customer."""
    found = schedule().visits_of_conversations(VisitsOfConversations(context.conversations, context.now))
    rows = [visit_json(visit) for visit in found if visit.reference in context.visits]
    return ToolOutcome({"visits": rows}, _("Looked up the visits booked here: %(count)d.") % {"count": len(rows)})


TOOL = Tool(
    "find_visits",
    "Lists the coming visits that the customer booked here, or all of theirs once they have proven who they are.",
    arguments_schema([]),
    run,
    recorded=False,
    title=gettext_lazy("Look up visits"),
)
