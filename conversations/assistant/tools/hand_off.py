"""Asks for a person. The turn does the rest: routing decides who, and the package is made."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema, text
from conversations.assistant.tools.words import for_both as _


def run(_context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result is empty: the brain ends its turn with a HandOff."""
    return ToolOutcome({}, _("Asked for a person: %(why)s") % {"why": arguments["reason"]})


TOOL = Tool(
    "hand_off",
    "Hands the conversation to a person. Use it when the customer asks for one or when you cannot help.",
    arguments_schema(["reason"], reason=text("Why, in one sentence.", 500)),
    run,
    title=gettext_lazy("Hand over to a person"),
)
