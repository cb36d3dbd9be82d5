"""Puts a detail on the customer's record right: name, number, email, postcode, address."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema, text
from conversations.assistant.tools.words import for_both as _
from conversations.connectors.base import ConnectorError
from conversations.models import Interaction
from conversations.models.identifier import Assurance
from conversations.services import details
from conversations.services.facts import FACT_LABELS, written


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `fact` and `value` as it reads now. What stood before is told to nobody."""
    line = Interaction.objects.get(pk=context.interaction)
    try:
        changed = details.change(line, arguments["fact"], arguments["value"], by=context.by, key=context.idempotency_key)
    except details.NotChangeable as problem:
        raise ConnectorError(str(problem), code="not_changeable", permanent=True) from problem
    values = {"label": FACT_LABELS.get(changed.fact, changed.fact), "value": written(changed.fact, changed.after)}
    return ToolOutcome({"fact": changed.fact, "value": changed.after}, _("%(label)s is now %(value)s.") % values)


def _facts(_context: ToolContext) -> list[tuple[str, str]]:
    return [(fact, str(FACT_LABELS.get(fact, fact))) for fact in details.CHANGEABLE]


TOOL = Tool(
    "update_fact",
    "Changes a detail on the customer's record. Only for a customer who has proven who they are, to what they said here, after"
    " reading it back and hearing yes.",
    arguments_schema(
        ["fact", "value"],
        fact={"type": "string", "enum": list(details.CHANGEABLE), "description": "Which detail."},
        value=text("How it should read. A phone number as E.164.", 320),
    ),
    run,
    changes=True,
    begun=gettext_lazy("Began to change a detail of the record."),
    needs=Assurance.VERIFIED,
    most=10,
    title=gettext_lazy("Change a detail of the record"),
    labels={"fact": gettext_lazy("Which detail"), "value": gettext_lazy("How it should read")},
    choices={"fact": _facts},
)
