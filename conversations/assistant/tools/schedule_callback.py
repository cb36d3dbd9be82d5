"""Promises a call at a time that the customer chose."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema, moment, phone, text
from conversations.assistant.tools.words import for_both as _
from conversations.assistant.wording import moment_of
from conversations.connectors.base import ConnectorError
from conversations.models import Interaction
from conversations.services import action_items, facts, numbers
from routing.services import hours

FARTHEST = timedelta(days=14)


class NotThen(ConnectorError):
    """Nobody is there at that time; `next_at` is when somebody is, ISO, if that is known."""

    def __init__(self, sentence: str, next_at: datetime | None = None) -> None:
        super().__init__(sentence, code="not_then", permanent=True)
        self.next_at = next_at


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `phone` and `at`. At that time the conversation goes into the line, so that a person calls."""
    line = Interaction.objects.select_related("conversation__customer", "entry_point__hours").get(pk=context.interaction)
    require_ordinary(arguments["phone"])
    at = checked_moment(line, datetime.fromisoformat(arguments["at"]), context)
    words = _("We will call you on %(number)s %(when)s.")
    values = {"number": facts.phone(arguments["phone"]), "when": moment_of(at, context.now)}
    action_items.add_call_back(
        line,
        phone=arguments["phone"],
        at=at,
        by=context.by,
        key=context.idempotency_key,
        asked_with=words % values,
        about=str(arguments.get("about", "")),
    )
    told = _("They are called on %(number)s %(when)s.") if context.is_for_agent else words
    return ToolOutcome({"phone": arguments["phone"], "at": at.isoformat()}, told % values)


def require_ordinary(number: str) -> None:
    """Raises ConnectorError for a number in E.164 that costs whoever rings it, or that is a service's."""
    if numbers.costs_who_rings(number):
        words = _("That number costs whoever rings it, so we cannot call it. Please give us another one.")
        raise ConnectorError(words, code="not_to_be_rung", permanent=True)


def checked_moment(line: Interaction, wanted: datetime, context: ToolContext) -> datetime:
    """A wanted time in the zone of the line's entry point. Raises NotThen when no call can be promised for it."""
    at = wanted.astimezone(context.now.tzinfo)
    if at <= context.now or at > context.now + FARTHEST:
        raise NotThen(_("A call can be promised for a time within the next two weeks."))
    if not hours.is_open(line.entry_point.hours, at):
        opening = hours.next_opening(line.entry_point.hours, at)
        when = opening.astimezone(context.now.tzinfo) if opening else None
        sentence = _("Nobody is there at that time.")
        if when:
            sentence = _("Nobody is there at that time; somebody is %(when)s.") % {"when": moment_of(when, context.now)}
        raise NotThen(sentence, when)
    return at


TOOL = Tool(
    "schedule_callback",
    "Promises that a person calls the customer at a time that they chose, on a number that they gave.",
    arguments_schema(
        ["phone", "at"],
        phone=phone("The number to call, as the customer gave it, E.164."),
        at=moment("When, as the customer said it."),
        about=text("What about, in a few words.", 200),
    ),
    run,
    changes=True,
    begun=gettext_lazy("Began to note a call back."),
    most=4,
    title=gettext_lazy("Schedule a call back"),
    labels={"phone": gettext_lazy("Number to call"), "at": gettext_lazy("When"), "about": gettext_lazy("What about")},
)
