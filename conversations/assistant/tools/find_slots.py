"""Free windows for a visit."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema, moment, text
from conversations.assistant.tools.visits import slot_json
from conversations.assistant.tools.words import for_both as _
from conversations.connectors.base import ConnectorError
from conversations.connectors.registry import schedule
from conversations.connectors.schedule import FindSlots

WITHOUT_A_WISH = timedelta(days=14)


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `slots`, each with ISO `start` and `end`, earliest first."""
    start = datetime.fromisoformat(arguments["from"]) if "from" in arguments else context.now
    end = datetime.fromisoformat(arguments["to"]) if "to" in arguments else start + WITHOUT_A_WISH
    if end < start:
        raise ConnectorError(_("The latest time is before the earliest one."), code="bad_times", permanent=True)
    found = schedule().find_slots(FindSlots(arguments["postcode"], start, end, arguments.get("limit", 3)))
    sentence = _("Looked for free times in %(postcode)s: %(count)d found.")
    return ToolOutcome(
        {"slots": [slot_json(slot) for slot in found]},
        sentence % {"postcode": arguments["postcode"], "count": len(found)},
    )


TOOL = Tool(
    "find_slots",
    "Finds free two-hour windows for a visit at a postcode, earliest first. Offer only what it returns.",
    arguments_schema(
        ["postcode"],
        **{
            "postcode": text("The postcode of the visit.", 12),
            "from": moment("The earliest start that suits."),
            "to": moment("The latest start that suits."),
            "limit": {"type": "integer", "minimum": 1, "maximum": 60},
        },
    ),
    run,
    title=gettext_lazy("Find free time windows"),
    labels={
        "postcode": gettext_lazy("Postcode"),
        "from": gettext_lazy("Not before"),
        "to": gettext_lazy("Not after"),
        "limit": gettext_lazy("How many"),
    },
)
