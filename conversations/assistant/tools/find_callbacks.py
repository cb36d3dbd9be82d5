"""The calls that this party was promised and that are still to come."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema
from conversations.assistant.tools.words import for_both as _
from conversations.assistant.wording import moment_of
from conversations.models import ActionItem, Interaction
from conversations.selectors.access import lines_of_party
from conversations.services import action_items, facts, promises
from conversations.services.promises import Promise


def run(context: ToolContext, _arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `calls`, soonest first, each with `call` (what it is known by), `phone`, `at`, and `by` where it comes until then."""
    calls = [
        (item.due_at.astimezone(context.now.tzinfo), {"call": str(item.public_id), "phone": item.phone, "by": False})
        for item in promised_calls(context)
        if item.due_at
    ]
    calls += [
        (each.by.astimezone(context.now.tzinfo), {"call": str(each.conversation.public_id), "phone": each.phone, "by": True})
        for each in promises_to_call(context)
    ]
    rows = [{**call, "at": at.isoformat()} for at, call in sorted(calls, key=lambda found: found[0])]
    return ToolOutcome({"calls": rows}, _("Looked up the calls promised here: %(count)d.") % {"count": len(rows)})


def promised_calls(context: ToolContext) -> QuerySet[ActionItem]:
    """The calls at a chosen time that this party was promised on its lines; for a person of the company, in the conversation."""
    return action_items.call_backs_of(_lines(context))


def promises_to_call(context: ToolContext) -> list[Promise]:
    """The calls back that were promised there when people were to take over."""
    return promises.promised_on(_lines(context))


def _lines(context: ToolContext) -> QuerySet[Interaction]:
    if context.is_for_agent:
        return Interaction.objects.filter(conversation__public_id=context.conversation)
    return lines_of_party(Interaction.objects.get(pk=context.interaction))


def call_choices(context: ToolContext) -> list[tuple[str, str]]:
    """The promised calls as choices of a form."""
    return [
        (str(call["call"]), f"{facts.phone(str(call['phone']))} · {moment_of(datetime.fromisoformat(str(call['at'])), context.now)}")
        for call in run(context, {}).result["calls"]
    ]


TOOL = Tool(
    "find_callbacks",
    "Lists the calls back that were promised to this customer here and that are still to come.",
    arguments_schema([]),
    run,
    recorded=False,
    title=gettext_lazy("Look up promised calls"),
    unshown=frozenset({"call", "by"}),
)
