"""Says why the customer came, when that is clearer now than it was."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema, text
from conversations.assistant.tools.words import for_both as _
from conversations.connectors.base import ConnectorError
from conversations.models import Conversation, Interaction
from conversations.services import reasons
from routing.models import ReasonCode


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `reason`, the code, and `name`."""
    conversation = Conversation.objects.get(public_id=context.conversation)
    line = Interaction.objects.get(pk=context.interaction)
    try:
        reason = reasons.set_reason(
            conversation, arguments["reason"], by=context.by, key=context.idempotency_key, interaction=line
        )
    except reasons.NoSuchReason as problem:
        raise ConnectorError(_("There is no such reason."), code="no_such_reason", permanent=True) from problem
    return ToolOutcome({"reason": reason.code, "name": reason.name}, _("It is about: %(reason)s.") % {"reason": reason.name})


def _reasons(_context: ToolContext) -> list[tuple[str, str]]:
    return list(ReasonCode.objects.filter(active=True).order_by("name").values_list("code", "name"))


TOOL = Tool(
    "set_reason",
    "Says why the customer came, by one of the company's reason codes, when it turns out to be another one than was thought.",
    arguments_schema(["reason"], reason=text("The code of the reason.", 40)),
    run,
    changes=True,
    begun=gettext_lazy("Began to set the reason."),
    most=10,
    title=gettext_lazy("Set the reason"),
    labels={"reason": gettext_lazy("Reason")},
    choices={"reason": _reasons},
)
