"""The calls that this party was promised and that are still to come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema
from conversations.assistant.tools.words import for_both as _
from conversations.assistant.wording import moment_of
from conversations.models import ActionItem, Interaction
from conversations.selectors.access import lines_of_party
from conversations.services import action_items, facts


def run(context: ToolContext, _arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `calls`, soonest first, each with `call` (what it is known by), `phone` and `at`."""
    rows = [
        {"call": str(item.public_id), "phone": item.phone, "at": item.due_at.astimezone(context.now.tzinfo).isoformat()}
        for item in promised_calls(context)
        if item.due_at
    ]
    return ToolOutcome({"calls": rows}, _("Looked up the calls promised here: %(count)d.") % {"count": len(rows)})


def promised_calls(context: ToolContext) -> QuerySet[ActionItem]:
    """What this party was promised on its lines; for a person of the company, what was promised in the conversation."""
    line = Interaction.objects.get(pk=context.interaction)
    whole = Interaction.objects.filter(conversation__public_id=context.conversation)
    return action_items.call_backs_of(whole if context.is_for_agent else lines_of_party(line))


def call_choices(context: ToolContext) -> list[tuple[str, str]]:
    """The promised calls as choices of a form."""
    zone = context.now.tzinfo
    return [
        (str(item.public_id), f"{facts.phone(item.phone)} · {moment_of(item.due_at.astimezone(zone), context.now)}")
        for item in promised_calls(context)
        if item.due_at
    ]


TOOL = Tool(
    "find_callbacks",
    "Lists the calls back that were promised to this customer here and that are still to come.",
    arguments_schema([]),
    run,
    recorded=False,
    title=gettext_lazy("Look up promised calls"),
)
