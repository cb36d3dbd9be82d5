"""Finds out who the party is: sends a one-time code where it says, and tries the code that it gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema, text
from conversations.assistant.tools.words import for_both as _
from conversations.connectors.base import ConnectorError
from conversations.models import Identifier, Interaction
from conversations.services import identity, knowing, messengers, verifying
from conversations.services.parties import IdentifierClaim


class NotVerified(ConnectorError):
    """The code could not be sent or tried."""


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """With `to`: the result is `way` and `to`. With `code`: `right`, and `tries_left` when it was wrong. With `answers`: `ask`, the
    fact to ask for next, or else `right`.

    Says nothing about whether there is a record of the address or number: the same happens for every one.
    """
    line = Interaction.objects.select_related("entry_point").get(pk=context.interaction)
    if "to" in arguments:
        return _send(line, str(arguments["to"]))
    if "answers" in arguments:
        return _weigh(line, arguments["answers"], context.knowledge_check)
    return _check(line, str(arguments["code"]))


def claim_of(to: str, region: str) -> IdentifierClaim:
    """An address or number as it was given, in normal form. Raises identity.InvalidIdentifier."""
    kind = Identifier.Kind.EMAIL if "@" in to else Identifier.Kind.PHONE
    return IdentifierClaim(kind, identity.normalise(kind, to, region), "verified")


def _send(line: Interaction, to: str) -> ToolOutcome:
    try:
        claim = claim_of(to, line.entry_point.default_region)
        code = verifying.send(line, claim, made_by=line.entry_point.company_name)
    except identity.InvalidIdentifier as problem:
        raise NotVerified(_("That is not an address or number that a code can go to."), code="bad_address", permanent=True) from problem
    except verifying.TooManyCodes as problem:
        sentence = _("No further code is sent: too many were asked for.")
        raise NotVerified(sentence, code="too_many_codes", permanent=True) from problem
    except messengers.NotSent as problem:
        raise NotVerified(_("The code could not be sent."), code="not_sent", permanent=True) from problem
    return ToolOutcome({"way": code.way, "to": code.value}, _("Sent a one-time code by %(way)s.") % {"way": code.get_way_display()})


def _check(line: Interaction, code: str) -> ToolOutcome:
    try:
        tried = verifying.check(line, code, made_by=line.entry_point.company_name)
    except verifying.NoLiveCode as problem:
        raise NotVerified(_("There is no code that could be tried."), code="no_code", permanent=True) from problem
    sentence = _("The one-time code was right.") if tried.is_right else _("The one-time code was wrong.")
    return ToolOutcome({"right": tried.is_right, "tries_left": tried.tries_left}, sentence)


def _weigh(line: Interaction, answers: Mapping[str, list[str]], needed: tuple[str, ...]) -> ToolOutcome:
    try:
        ask = knowing.next_question(line, answers, needed)
        if ask:
            return ToolOutcome({"ask": ask, "right": False}, _("Asks questions to find out who this is."))
        right = knowing.check(line, answers, needed, made_by=line.entry_point.company_name)
    except knowing.TooManyChecks as problem:
        raise NotVerified(_("No further answers are weighed here."), code="too_many_checks", permanent=True) from problem
    sentence = _("The answers were right.") if right else _("The answers did not show who this is.")
    return ToolOutcome({"ask": "", "right": right}, sentence)


TOOL = Tool(
    "verify_identity",
    "Finds out who the customer is. With `to` it sends a one-time code to an email address or phone number that the customer gave"
    " here; with `code` it tries the code that the customer says back; with `answers`, empty at first, it says which fact to"
    " ask for next, and weighs them when it has all. Never say whether an address or number is known.",
    {
        **arguments_schema(
            [],
            to=text("An email address or phone number that the customer gave in this conversation.", 320),
            code=text("The code as the customer gave it.", 20),
            answers={
                "type": "object",
                "description": "Answers by the name of the fact, each as one or more readings of what was said, likeliest first.",
                "additionalProperties": {"type": "array", "items": {"type": "string", "maxLength": 500}, "maxItems": 20},
            },
        ),
        "oneOf": [{"required": ["to"]}, {"required": ["code"]}, {"required": ["answers"]}],
    },
    run,
    live_only=True,
    hidden=frozenset({"code", "to", "answers"}),
    title=gettext_lazy("Find out who the customer is"),
)
