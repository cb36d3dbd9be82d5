"""Moves a call that was promised to this party, or calls it off."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext_lazy

from conversations.assistant.tools.base import Tool, ToolContext, ToolOutcome, arguments_schema, moment, phone, text
from conversations.assistant.tools.find_callbacks import call_choices, promised_calls, promises_to_call
from conversations.assistant.tools.schedule_callback import checked_moment, require_ordinary
from conversations.assistant.tools.words import for_both as _
from conversations.assistant.tools.words import nothing_to_change
from conversations.assistant.wording import moment_of
from conversations.connectors.base import ConnectorError
from conversations.models import ActionItem, Interaction
from conversations.services import action_items, facts, promises
from conversations.services.promises import Promise

MOVE: Final = "move"
CALL_OFF: Final = "call_off"


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutcome:
    """The result: `change`, and `phone`, `at` and `by` of the call as it is now, or as it was when it is called off."""
    if arguments["change"] == MOVE and not {"phone", "at"} & arguments.keys():
        raise nothing_to_change()
    if "phone" in arguments:
        require_ordinary(arguments["phone"])
    line = Interaction.objects.select_related("conversation__customer", "entry_point__hours").get(pk=context.interaction)
    known = _id(arguments["call"])
    item = promised_calls(context).select_related("customer").filter(public_id=known, due_at__isnull=False).first() if known else None
    promise = next((each for each in promises_to_call(context) if str(each.conversation.public_id) == known), None)
    if item is not None:
        changed = _item_changed(item, line, context, arguments)
    elif promise is not None:
        changed = _promise_changed(promise, line, context, arguments)
    else:
        raise _gone()
    words = _("The call on %(number)s %(when)s is called off.") if changed.change == CALL_OFF else _told(changed, context)
    result = {"change": changed.change, "phone": changed.phone, "at": changed.at.isoformat(), "by": changed.by}
    return ToolOutcome(result, words % {"number": facts.phone(changed.phone), "when": moment_of(changed.at, context.now)})


@dataclass(frozen=True, slots=True)
class _Changed:
    """What becomes of a call; `by` says that it comes until `at` and not at it."""

    change: str
    phone: str
    at: datetime
    by: bool = False


def _told(changed: _Changed, context: ToolContext) -> str:
    """The change in words for whoever asked for it: the customer, or a person of the company."""
    if not context.is_for_agent:
        return _words(changed)
    return _("They are called on %(number)s by %(when)s.") if changed.by else _("They are called on %(number)s %(when)s.")


def _words(changed: _Changed) -> str:
    return _("We will call you back on %(number)s by %(when)s.") if changed.by else _("We will call you on %(number)s %(when)s.")


def _agreed(changed: _Changed, context: ToolContext) -> str:
    return _words(changed) % {"number": facts.phone(changed.phone), "when": moment_of(changed.at, context.now)}


def _item_changed(item: ActionItem, line: Interaction, context: ToolContext, arguments: Mapping[str, Any]) -> _Changed:
    """A call at a chosen time. Raises ConnectorError when it is not to come any more, NotThen."""
    zone = context.now.tzinfo
    now = _Changed(str(arguments["change"]), item.phone, (item.due_at or context.now).astimezone(zone))
    key = context.idempotency_key
    if now.change == CALL_OFF:
        done = action_items.call_off(item, line, by=context.by, key=key)
    else:
        wanted = _on_a_day_that_is_meant(datetime.fromisoformat(str(arguments.get("at") or now.at.isoformat())), now.at, context)
        now = replace(now, phone=str(arguments.get("phone") or now.phone), at=checked_moment(line, wanted, context))
        done = action_items.move_call_back(item, line, phone=now.phone, at=now.at, by=context.by, key=key, asked_with=_agreed(now, context))
    if not done:
        raise _gone()
    return now


def _promise_changed(promise: Promise, line: Interaction, context: ToolContext, arguments: Mapping[str, Any]) -> _Changed:
    """The call back that was promised when people were to take over. Raises ConnectorError when it is not to come any more, NotThen."""
    now = _Changed(str(arguments["change"]), promise.phone, promise.by.astimezone(context.now.tzinfo), by=True)
    key = context.idempotency_key
    if now.change == CALL_OFF:
        done = promises.call_off(promise, line, by=context.by, key=key)
    else:
        now = replace(now, phone=str(arguments.get("phone") or now.phone))
        if arguments.get("at"):
            wanted = _on_a_day_that_is_meant(datetime.fromisoformat(str(arguments["at"])), now.at, context)
            now = replace(now, at=checked_moment(line, wanted, context), by=False)
            done = promises.put_off(promise, line, phone=now.phone, at=now.at, by=context.by, key=key, asked_with=_agreed(now, context))
        else:
            done = promises.change_number(promise, line, phone=now.phone, by=context.by, key=key, asked_with=_agreed(now, context))
    if not done:
        raise _gone()
    return now


def _on_a_day_that_is_meant(wanted: datetime, before: datetime, context: ToolContext) -> datetime:
    """A wanted time, on the day that was said or on that of the call. Raises ConnectorError for one on any other, unless staff want it."""
    day = wanted.astimezone(context.now.tzinfo).date()
    if context.is_for_agent or day == before.date() or day.isoformat() == context.facts.get("date"):
        return wanted
    raise ConnectorError(_("Only the day that the customer said can be promised."), code="not_what_was_given", permanent=True)


def _gone() -> ConnectorError:
    return ConnectorError(_("That call is not to come any more."), code="no_such_call", permanent=True)


def _id(said: object) -> str:
    try:
        return str(UUID(str(said)))
    except ValueError:
        return ""


TOOL = Tool(
    "change_callback",
    "Moves a call back that was promised to this customer to another time or number, or calls it off.",
    arguments_schema(
        ["call", "change"],
        call=text("Which call, as find_callbacks lists it.", 36),
        change={"type": "string", "enum": [MOVE, CALL_OFF], "description": "Whether it is moved or called off."},
        phone=phone("The number to call from now on, as the customer gave it, E.164; when it is moved."),
        at=moment("When from now on, as the customer said it; when it is moved."),
    ),
    run,
    changes=True,
    begun=gettext_lazy("Began to change a call back."),
    most=6,
    unshown=frozenset({"change", "by"}),
    title=gettext_lazy("Move or call off a call back"),
    labels={
        "call": gettext_lazy("Promised call"),
        "change": gettext_lazy("What becomes of it"),
        "phone": gettext_lazy("Number to call, where it changes"),
        "at": gettext_lazy("When, where it changes"),
    },
    choices={
        "call": call_choices,
        "change": lambda _context: [(MOVE, str(gettext_lazy("Moved"))), (CALL_OFF, str(gettext_lazy("Called off")))],
    },
)
