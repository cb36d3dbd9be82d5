"""Opens a ticket for something that somebody has to look into."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Event, Tool, ToolContext, ToolOutcome, arguments_schema, text
from conversations.assistant.tools.words import for_both as _
from conversations.connectors.desk import OpenTicket
from conversations.connectors.registry import desk
from conversations.models import Conversation
from conversations.services.timeline import storable

CONTACT = ("name", "phone", "email")


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `reference` and `subject`. How to reach the customer is what they told here."""
    conversation = Conversation.objects.select_related("customer").get(public_id=context.conversation)
    opened = desk().open_ticket(
        OpenTicket(
            customer=conversation.customer.public_id,
            conversation=context.conversation,
            subject=storable(str(arguments["subject"])),
            details=storable(str(arguments.get("details", ""))),
            contact={fact: context.facts[fact] for fact in CONTACT if fact in context.facts},
            idempotency_key=context.idempotency_key,
        )
    )
    sentence = _("Opened ticket %(reference)s: %(subject)s") % {"reference": opened.reference, "subject": opened.subject}
    result = {"reference": opened.reference, "subject": opened.subject}
    return ToolOutcome(result, sentence, (Event("ticket.opened", sentence, dict(result), audience="staff"),))


TOOL = Tool(
    "open_ticket",
    "Opens a ticket, so that somebody looks into it and answers later. Use it when nothing else helps and the customer wants that.",
    arguments_schema(
        ["subject"],
        subject=text("What it is about, in a few words.", 200),
        details=text("Everything that was told of it.", 4000),
    ),
    run,
    changes=True,
    begun=gettext_lazy("Began to open a ticket."),
    most=3,
    title=gettext_lazy("Open a ticket"),
    labels={"subject": gettext_lazy("Subject"), "details": gettext_lazy("Details")},
)
