"""Sends one of the company's links, as far as the playbook lists them, by text message or email."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema, text
from conversations.assistant.tools.verify_identity import claim_of
from conversations.assistant.tools.words import for_both as _
from conversations.connectors.base import ConnectorError
from conversations.models import Identifier, Interaction
from conversations.services import company_links, identity


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `label`, and `way`, which is `phone` or `email`."""
    line = Interaction.objects.select_related("entry_point").get(pk=context.interaction)
    link = context.links[arguments["link"]]
    try:
        to = claim_of(str(arguments["to"]), line.entry_point.default_region)
        sent = company_links.send(
            line, code=link.code, label=link.label, address=link.address, to=to, made_by=context.by.name or context.company,
            key=context.idempotency_key, tells=context.by.kind == "agent",
        )  # fmt: skip
    except identity.InvalidIdentifier as problem:
        raise ConnectorError(_("No link can go there."), code="bad_address", permanent=True) from problem
    except company_links.NotSendable as problem:
        # Trying again could send two.
        raise ConnectorError(problem.sentence, code=problem.code, permanent=True) from problem
    way = _("by email") if sent.kind == Identifier.Kind.EMAIL else _("by text message")
    return ToolOutcome({"label": link.label, "way": sent.kind}, _("Sent %(link)s %(way)s.") % {"link": link.label, "way": way})


def _links(context: ToolContext) -> list[tuple[str, str]]:
    return [(link.code, link.label) for link in context.links.values()]


TOOL = Tool(
    "send_link",
    "Sends the customer one of the company's own links by text message or email, to a number or address that they gave here.",
    arguments_schema(
        ["link", "to"],
        link=text("The code of one of the links that may be sent.", 40),
        to=text("A number as E.164 or an email address that the customer gave in this conversation.", 320),
    ),
    run,
    changes=True,
    begun=gettext_lazy("Began to send a link."),
    hidden=frozenset({"to"}),
    most=4,
    title=gettext_lazy("Send a link"),
    labels={"link": gettext_lazy("Link"), "to": gettext_lazy("Number or email address")},
    choices={"link": _links},
)
