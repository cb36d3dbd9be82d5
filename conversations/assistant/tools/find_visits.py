"""The visits that were booked in this conversation."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema
from conversations.assistant.tools.visits import visit_json
from conversations.connectors.registry import schedule
from conversations.connectors.schedule import VisitsOfConversation


def run(context: ToolContext, _arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `visits`, soonest first. Visits of other conversations are never among them."""
    visits = schedule().visits_of_conversation(VisitsOfConversation(context.conversation, context.now))
    sentence = _("Looked up the visits booked here: %(count)d.") % {"count": len(visits)}
    return ToolOutcome({"visits": [visit_json(visit) for visit in visits]}, sentence)


TOOL = Tool(
    "find_visits",
    "Lists the coming visits that were booked in this conversation. Others cannot be seen or changed here.",
    arguments_schema([]),
    run,
    recorded=False,
)
