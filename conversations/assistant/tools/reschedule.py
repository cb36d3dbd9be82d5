"""Moves a booked visit to another window."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema, moment, text
from conversations.assistant.tools.visits import visit_choices, visit_event, visit_json
from conversations.assistant.tools.words import for_both as _
from conversations.connectors.base import ConnectorError
from conversations.connectors.registry import schedule
from conversations.connectors.schedule import MoveVisit


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result is the visit in its new window."""
    start = datetime.fromisoformat(arguments["start"])
    if start <= context.now:
        raise ConnectorError(_("That time is over already."), code="over", permanent=True)
    visit = schedule().reschedule(MoveVisit(arguments["reference"], start))
    event = visit_event("booking.changed", visit, context)
    return ToolOutcome(visit_json(visit), event.sentence, (event,))


TOOL = Tool(
    "reschedule",
    "Moves a visit that was booked in this conversation to a window that find_slots returned and the customer chose.",
    arguments_schema(
        ["reference", "start"],
        reference=text("The reference of the visit, such as HH-4F7K2Q.", 12),
        start=moment("The start of the new window."),
    ),
    run,
    changes=True,
    begun=gettext_lazy("Began to move the visit."),
    title=gettext_lazy("Move a visit"),
    labels={
        "reference": gettext_lazy("Visit"),
        "start": gettext_lazy("New start"),
    },
    choices={"reference": visit_choices},
)
