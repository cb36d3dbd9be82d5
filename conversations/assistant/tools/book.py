"""Books a visit for the facts that were given."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema, moment, phone, text
from conversations.assistant.tools.visits import visit_event, visit_json
from conversations.assistant.tools.words import for_both as _
from conversations.connectors.base import ConnectorError
from conversations.connectors.registry import schedule
from conversations.connectors.schedule import BookVisit, VisitsOfConversations


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result is the visit. The same service at the same time and address is booked once in a conversation."""
    start = datetime.fromisoformat(arguments["start"])
    if start <= context.now:
        raise ConnectorError(_("That time is over already."), code="over", permanent=True)
    mine = schedule().visits_of_conversations(VisitsOfConversations((context.conversation,), context.now))
    wanted = (start, arguments["service"], arguments["postcode"])
    same = [visit for visit in mine if (visit.start, visit.service, visit.postcode) == wanted]
    visit = same[0] if same else schedule().book(
        BookVisit(
            conversation=context.conversation,
            service=arguments["service"],
            name=arguments["name"],
            phone=arguments["phone"],
            postcode=arguments["postcode"],
            start=start,
            idempotency_key=context.idempotency_key,
        )
    )
    event = visit_event("booking.made", visit, context)
    return ToolOutcome(visit_json(visit), event.sentence, (event,))


TOOL = Tool(
    "book",
    "Books a visit in a window that find_slots returned and the customer chose.",
    arguments_schema(
        ["service", "name", "phone", "postcode", "start"],
        service=text("What the visit is for.", 120),
        name=text("The customer's name."),
        phone=phone("The phone number, E.164."),
        postcode=text("The postcode of the visit.", 10),
        start=moment("The start of the chosen window, exactly as find_slots returned it."),
    ),
    run,
    changes=True,
    begun=gettext_lazy("Began to book the visit."),
    title=gettext_lazy("Book a visit"),
    labels={
        "service": gettext_lazy("What for"),
        "name": gettext_lazy("Name on the visit"),
        "phone": gettext_lazy("Phone the engineer can ring"),
        "postcode": gettext_lazy("Postcode"),
        "start": gettext_lazy("Start"),
    },
)
