"""Notes something that people of the company have to do after the conversation."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema, moment, text
from conversations.assistant.tools.words import for_both as _
from conversations.connectors.base import ConnectorError
from conversations.models import Conversation, Interaction
from conversations.services import action_items
from routing.models import AgentProfile


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `title`, `owner` by name, `due_at` when there is one."""
    owner = None
    if "owner" in arguments:
        owner = AgentProfile.objects.filter(pk=int(arguments["owner"]), active=True).first()
        if owner is None:
            raise ConnectorError(_("There is nobody of that number."), code="no_such_person", permanent=True)
    due_at = datetime.fromisoformat(arguments["due_at"]) if "due_at" in arguments else None
    if due_at is not None and due_at <= context.now:
        raise ConnectorError(_("That time is over already."), code="over", permanent=True)
    item = action_items.add(
        Conversation.objects.select_related("customer").get(public_id=context.conversation),
        title=str(arguments["title"]),
        by=context.by,
        key=context.idempotency_key,
        interaction=Interaction.objects.get(pk=context.interaction),
        due_at=due_at,
        owner=owner,
    )
    result = {
        "title": item.title,
        "owner": owner.display_name if owner else "",
        "due_at": item.due_at.isoformat() if item.due_at else "",
    }
    return ToolOutcome(result, _("To do: %(title)s") % {"title": item.title})


def _people(_context: ToolContext) -> list[tuple[str, str]]:
    rows = AgentProfile.objects.filter(active=True).order_by("display_name").values_list("pk", "display_name")
    return [(str(number), name) for number, name in rows]


TOOL = Tool(
    "add_action_item",
    "Notes something that people of the company have to do after this conversation, such as sending a document.",
    arguments_schema(
        ["title"],
        title=text("What is to be done, as an instruction.", 300),
        due_at=moment("Until when, if that was said."),
        owner={"type": "string", "pattern": r"^\d{1,12}$", "description": "The number of the person who does it, if it is known."},
    ),
    run,
    changes=True,
    begun=gettext_lazy("Began to note something to do."),
    most=8,
    title=gettext_lazy("Add something to do"),
    labels={"title": gettext_lazy("What is to be done"), "due_at": gettext_lazy("Until"), "owner": gettext_lazy("Who does it")},
    choices={"owner": _people},
)
