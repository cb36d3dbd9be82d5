"""Cancels a booked visit."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema, text
from conversations.assistant.tools.visits import visit_choices, visit_event, visit_json
from conversations.connectors.registry import schedule
from conversations.connectors.schedule import CancelVisit


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result is the visit that was given up."""
    visit = schedule().cancel(CancelVisit(arguments["reference"]))
    event = visit_event("booking.cancelled", visit, context)
    return ToolOutcome(visit_json(visit), event.sentence, (event,))


TOOL = Tool(
    "cancel",
    "Cancels a visit that was booked in this conversation, after the customer has confirmed it.",
    arguments_schema(["reference"], reference=text("The reference of the visit, such as HH-4F7K2Q.", 12)),
    run,
    changes=True,
    begun=gettext_lazy("Began to cancel the visit."),
    title=gettext_lazy("Cancel a visit"),
    labels={
        "reference": gettext_lazy("Visit"),
    },
    choices={"reference": visit_choices},
)
