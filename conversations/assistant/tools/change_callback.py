"""Moves a call that was promised to this party, or calls it off."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema, moment, phone, text
from conversations.assistant.tools.find_callbacks import call_choices, promised_calls
from conversations.assistant.tools.schedule_callback import checked_moment
from conversations.assistant.tools.words import for_both as _
from conversations.assistant.wording import moment_of
from conversations.connectors.base import ConnectorError
from conversations.models import Interaction
from conversations.services import action_items, facts

MOVE: Final = "move"
CALL_OFF: Final = "call_off"


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `change`, and `phone` and `at` of the call as it is now, or as it was when it is called off."""
    line = Interaction.objects.select_related("conversation__customer", "entry_point__hours").get(pk=context.interaction)
    known = {str(item.public_id): item for item in promised_calls(context).select_related("customer")}
    item = known.get(_id(arguments["call"]))
    gone = ConnectorError(_("That call is not to come any more."), code="no_such_call", permanent=True)
    if item is None or item.due_at is None:
        raise gone
    change = str(arguments["change"])
    at, number = item.due_at.astimezone(context.now.tzinfo), item.phone
    if change == CALL_OFF:
        told = _("The call on %(number)s %(when)s is called off.")
        done = action_items.call_off(item, line, by=context.by, key=context.idempotency_key)
    else:
        number = str(arguments.get("phone") or number)
        at = checked_moment(line, datetime.fromisoformat(str(arguments.get("at") or at.isoformat())), context)
        told = _("We will call you on %(number)s %(when)s.")
        agreed = told % {"number": facts.phone(number), "when": moment_of(at, context.now)}
        done = action_items.move_call_back(
            item, line, phone=number, at=at, by=context.by, key=context.idempotency_key, asked_with=agreed
        )
    if not done:
        raise gone
    sentence = told % {"number": facts.phone(number), "when": moment_of(at, context.now)}
    return ToolOutcome({"change": change, "phone": number, "at": at.isoformat()}, sentence)


def _id(said: object) -> str:
    try:
        return str(UUID(str(said)))
    except ValueError:
        return ""


TOOL = Tool(
    "change_callback",
    "Moves a call back that was promised to this customer to another time or number, or calls it off.",
    arguments_schema(
        ["call", "change"],
        call=text("Which call, as find_callbacks lists it.", 36),
        change={"type": "string", "enum": [MOVE, CALL_OFF], "description": "Whether it is moved or called off."},
        phone=phone("The number to call from now on, as the customer gave it, E.164; when it is moved."),
        at=moment("When from now on, as the customer said it; when it is moved."),
    ),
    run,
    changes=True,
    begun=gettext_lazy("Began to change a call back."),
    most=6,
    title=gettext_lazy("Move or call off a call back"),
    labels={
        "call": gettext_lazy("Promised call"),
        "change": gettext_lazy("What becomes of it"),
        "phone": gettext_lazy("Number to call"),
        "at": gettext_lazy("When"),
    },
    choices={
        "call": call_choices,
        "change": lambda _context: [(MOVE, str(gettext_lazy("Moved"))), (CALL_OFF, str(gettext_lazy("Called off")))],
    },
)
