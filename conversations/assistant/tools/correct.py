"""Puts another name or phone number on a booked visit."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema, phone, text
from conversations.assistant.tools.visits import visit_choices, visit_event, visit_json
from conversations.assistant.tools.words import nothing_to_change
from conversations.connectors.registry import schedule
from conversations.connectors.schedule import CorrectVisit


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result is the visit as it reads now. What is left out stays as it is."""
    if not {"name", "phone"} & arguments.keys():
        raise nothing_to_change()
    visit = schedule().correct(
        CorrectVisit(arguments["reference"], arguments.get("name", ""), arguments.get("phone", ""))
    )
    event = visit_event("booking.changed", visit, context, corrected=[each for each in ("name", "phone") if arguments.get(each)])
    return ToolOutcome(visit_json(visit), event.sentence, (event,))


TOOL = Tool(
    "correct",
    "Corrects the name or the phone number on a visit that was booked in this conversation.",
    arguments_schema(
        ["reference"],
        reference=text("The reference of the visit, such as HH-4F7K2Q.", 12),
        name=text("The name as it should read."),
        phone=phone("The phone number as it should read, E.164."),
    ),
    run,
    changes=True,
    begun=gettext_lazy("Began to correct the visit."),
    title=gettext_lazy("Put details of a booking right"),
    labels={
        "reference": gettext_lazy("Visit"),
        "name": gettext_lazy("Name, where it changes"),
        "phone": gettext_lazy("Phone, where it changes"),
    },
    choices={"reference": visit_choices},
)
