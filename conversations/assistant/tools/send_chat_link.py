"""Texts a link to the caller, by which the call goes on in the web chat."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema
from conversations.assistant.tools.words import for_both as _
from conversations.connectors.base import ConnectorError
from conversations.models import Interaction
from conversations.services import chat_links, numbers


def run(context: ToolContext, _arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `ending`, the last digits of the number. It takes no number: the link goes to the one that the call shows."""
    call = Interaction.objects.select_related("entry_point").get(pk=context.interaction)
    try:
        link = chat_links.send(call, made_by=call.entry_point.company_name)
    except chat_links.NoLink as problem:
        # Trying again could send two.
        raise ConnectorError(problem.sentence, code=problem.code, permanent=True) from problem
    ending = numbers.ending(link.value)
    return ToolOutcome({"ending": ending}, _("Sent a link to the chat to the number ending in %(ending)s.") % {"ending": ending})


TOOL = Tool(
    "send_chat_link",
    "Texts the caller a link that opens our web chat where the call is. Use it when a caller asks for it or would rather type.",
    arguments_schema([]),
    run,
    changes=True,
    begun=gettext_lazy("Began to send a link to the chat."),
    title=gettext_lazy("Text the caller a link to the web chat"),
)
