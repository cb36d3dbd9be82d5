"""Whether a postcode is in the area that the company serves."""

import re
from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema, text
from conversations.assistant.tools.words import for_both as _
from conversations.connectors.base import ConnectorError
from conversations.connectors.registry import schedule
from conversations.connectors.schedule import CheckArea

A_POSTCODE: Final = re.compile(r"(?=.*\d)[A-Za-z0-9][A-Za-z0-9 -]*")


def run(_context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `served`, `territory`, `territory_name`. Raises ConnectorError for what is no postcode anywhere."""
    if not A_POSTCODE.fullmatch(arguments["postcode"].strip()):
        raise ConnectorError(_("That is not a postcode."), code="no_postcode", permanent=True)
    area = schedule().check_area(CheckArea(arguments["postcode"]))
    sentence = _("Checked %(postcode)s: served.") if area.served else _("Checked %(postcode)s: not served.")
    result = {"served": area.served, "territory": area.territory, "territory_name": area.territory_name}
    return ToolOutcome(result, sentence % {"postcode": area.postcode})


TOOL = Tool(
    "check_area",
    "Says whether a postcode lies in the area that is served. Use it as soon as a postcode is known.",
    arguments_schema(["postcode"], postcode=text("The postcode, such as HB1 4QT.", 12)),
    run,
    title=gettext_lazy("Check the service area of a postcode"),
    labels={
        "postcode": gettext_lazy("Postcode"),
    },
    unshown=frozenset({"territory"}),
)
