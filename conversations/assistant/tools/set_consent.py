"""Keeps that the customer agrees, or no longer agrees, to being contacted, called, texted, sent offers or recorded."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema
from conversations.assistant.tools.words import for_both as _
from conversations.models import Interaction
from conversations.models.consent import Purpose, Way
from conversations.services import consent_on_lines


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `told`, what the customer is told. It is the same whatever stood on the record before.

    For how much of the record it counts is decided by who is on the line, not by the arguments.
    """
    line = Interaction.objects.get(pk=context.interaction)
    kept = consent_on_lines.keep(
        line,
        purpose=arguments["purpose"],
        agrees=arguments["agrees"],
        way=arguments.get("way", ""),
        recorded_by=context.company,
        source_id=f"consent:{context.idempotency_key}",
    )
    noted = _("Noted for the whole record.") if kept.whole_record else _("Noted for this line only: it is not proven who asks.")
    return ToolOutcome({"told": kept.told}, noted)


TOOL = Tool(
    "set_consent",
    "Keeps a yes or a no of the customer: to contact at all, calls, text messages, offers, or recording. Use it as soon as they say so.",
    arguments_schema(
        ["purpose", "agrees"],
        purpose={"type": "string", "enum": list(Purpose.values), "description": "What it is about."},
        agrees={"type": "boolean", "description": "True when they agree, false when they do not want it or no longer."},
        way={"type": "string", "enum": list(Way.values), "description": "Only for offers: by which way, when they named one."},
    ),
    run,
    changes=True,
    begun=gettext_lazy("Noted what was said about consent."),
    title=gettext_lazy("Note what was said about consent"),
)
