"""Which tool may run with what. The guard looks at who is on the line and at the record, never at what a text asks for.

Anybody may book for the facts that they gave themselves. A booking may be known and changed only by a party that is known to
be the one that made it, a line of the same party (the same call, the same visitor's chat, a call into which a code from that
chat was keyed), or by one that has proven to be the customer, as far as that proof opens.

Anybody may say that they want no calls, messages, offers or recordings; a yes needs a party that has shown who it is.

What is said of a promise, a call back, a link or a detail of the record must be what the party said; and no conversation uses
tools without end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

import jsonschema
from django.conf import settings

from conversations.assistant.brain import Behaviour
from conversations.assistant.tools import (
    ALWAYS_THERE,
    COMES_WITH,
    TOOLS,
    book,
    cancel,
    change_callback,
    correct,
    hand_off,
    promise_to_pay,
    reschedule,
    schedule_callback,
    send_link,
    set_consent,
    update_fact,
    verify_identity,
)
from conversations.assistant.tools.base import Tool, ToolContext
from conversations.assistant.tools.words import for_both as _
from conversations.models import Entry, Interaction
from conversations.models.consent import Purpose
from conversations.models.identifier import Assurance
from conversations.selectors.access import lines_of_party

MOST_VISITS = 3
NEVER_TOO_OFTEN = frozenset({hand_off.TOOL.name, set_consent.TOOL.name})
"""Nobody is kept from a person, or from saying no."""
FORMATS = jsonschema.FormatChecker(formats=["date"])
FORMATS.checks("date-time", raises=ValueError)(lambda value: bool(datetime.fromisoformat(value)))
CHANGES_A_VISIT = frozenset({reschedule.TOOL.name, cancel.TOOL.name, correct.TOOL.name})


@dataclass(frozen=True, slots=True)
class Standing:
    """What the guard knows in one turn. `facts` are the conversation's values by name; `live` is off for drafts.

    `level` is how well the party has proven to be the customer (`access.proven_level`); `reachable` are the addresses and
    numbers that it gave itself or calls from; `may_agree_to` are the purposes of consent that it may say yes to; `visits` are
    the references that it may know of, `own_visits` those of them that it booked itself, `story` the conversations whose
    visits it may ask about. `said` is what was said of the errand that is going on, whatever was said of the same since. `used` is how
    often each tool has run in the conversation, `zone` the one in which days and hours are meant.
    """

    behaviour: Behaviour
    live: bool
    reachable: frozenset[str]
    facts: Mapping[str, str]
    level: str = ""
    visits: frozenset[str] = frozenset()
    own_visits: frozenset[str] = frozenset()
    story: tuple[UUID, ...] = ()
    may_agree_to: frozenset[str] = frozenset()
    used: Mapping[str, int] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    zone: tzinfo = UTC

    def with_use(self, tool: str) -> Standing:
        """The same after one more call of a tool."""
        return replace(self, used={**self.used, tool: self.used.get(tool, 0) + 1})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call may run; when not, a word for programs and a sentence that gives nothing away."""

    allowed: bool
    code: str = ""
    sentence: str = ""


ALLOWED = Verdict(True)


def judge(tool: Tool, arguments: Mapping[str, Any], standing: Standing) -> Verdict:
    """Decides over one call."""
    named = standing.behaviour.tools | ALWAYS_THERE
    if tool.name not in named and COMES_WITH.get(tool.name) not in named:
        return Verdict(False, "not_in_playbook", _("The AI agent may not do that here."))
    wrong = judge_arguments(tool, arguments)
    if wrong is not None:
        return wrong
    if is_used_up(tool, standing):
        return Verdict(False, "too_often", _("That was done as often as it may be in one conversation. A colleague can go on."))
    if (tool.changes or tool.live_only) and not standing.live:
        return Verdict(False, "draft_only", _("A draft changes nothing."))
    if tool.needs and not opens(tool.name, standing.level, standing.behaviour):
        return Verdict(False, "not_proven", _("The customer has to show first who they are."))
    rule = RULES.get(tool.name)
    return rule(tool, arguments, standing) if rule else ALLOWED


def judge_arguments(tool: Tool, arguments: Mapping[str, Any]) -> Verdict | None:
    """What is wrong with arguments by the tool's schema; None when nothing is."""
    problem = jsonschema.exceptions.best_match(_validator(tool.name).iter_errors(dict(arguments)))
    return Verdict(False, "bad_arguments", problem.message[:200]) if problem else None


@cache
def _validator(tool: str) -> jsonschema.Draft202012Validator:
    """The checker of a tool's arguments, made once: the tools are part of the program."""
    return jsonschema.Draft202012Validator(TOOLS[tool].schema, format_checker=FORMATS)


def judge_for_agent(tool: Tool, arguments: Mapping[str, Any], context: ToolContext) -> Verdict:
    """Decides over a call that a person of the company makes in a conversation of theirs.

    They may do for the customer what the customer may ask of them, whatever the playbook lets the AI agent do; what is not of
    this customer, or not of the company's links, is nobody's to touch here.
    """
    wrong = judge_arguments(tool, arguments)
    if wrong is not None:
        return wrong
    if tool.name in CHANGES_A_VISIT and str(arguments["reference"]).strip().upper() not in context.visits:
        return Verdict(False, "other_booking", _("This customer has no such visit coming up."))
    if tool.name == send_link.TOOL.name and arguments["link"] not in context.links:
        return Verdict(False, "not_in_playbook", _("That link may not be sent."))
    return ALLOWED


def is_used_up(tool: Tool, standing: Standing) -> bool:
    """Whether a conversation has used a tool, or all of them together, as often as its playbook allows."""
    if tool.name in NEVER_TOO_OFTEN:
        return False
    behaviour = standing.behaviour
    most = behaviour.tool_limits.get(tool.name, tool.most)
    return standing.used.get(tool.name, 0) >= most or sum(standing.used.values()) >= most_tool_calls(behaviour)


def most_tool_calls(behaviour: Behaviour) -> int:
    """How often tools may be used in one conversation altogether: as its playbook says, or as the settings do where it says nothing."""
    return behaviour.most_tool_calls or settings.ASSISTANT_TOOLS_PER_CONVERSATION


def opens(tool: str, level: str, behaviour: Behaviour) -> bool:
    """Whether a party that is proven at `level` (`access.proven_level`) to be the customer may use what needs that proof.

    Answers to questions open what the playbook names; everything else opens the rest.
    """
    return level == Assurance.VERIFIED or (level == Assurance.KNOWLEDGE and tool in behaviour.opens_with_answers)


def _judge_verifying(_tool: Tool, arguments: Mapping[str, Any], standing: Standing) -> Verdict:
    if "to" in arguments and arguments["to"] not in standing.reachable:
        return Verdict(False, "not_what_was_given", _("A code goes only to an address or number that the customer gave here."))
    if "answers" in arguments and not standing.behaviour.knowledge_check:
        return Verdict(False, "not_in_playbook", _("Answers prove nothing here."))
    return ALLOWED


def _judge_booking(_tool: Tool, arguments: Mapping[str, Any], standing: Standing) -> Verdict:
    if any(arguments[fact] != standing.facts.get(fact) for fact in ("name", "phone", "postcode")):
        return Verdict(False, "not_what_was_given", _("A visit is booked only for the name, phone and postcode that were given."))
    if len(standing.visits) >= MOST_VISITS:
        return Verdict(False, "too_many_visits", _("There are several visits booked here already."))
    return ALLOWED


def _judge_change(tool: Tool, arguments: Mapping[str, Any], standing: Standing) -> Verdict:
    reference = str(arguments["reference"]).strip().upper()
    if reference not in standing.visits:
        return Verdict(False, "other_booking", _("Only a visit that the customer has booked can be changed here."))
    if reference not in standing.own_visits and not opens(tool.name, standing.level, standing.behaviour):
        return Verdict(False, "not_proven", _("The customer has to show first who they are."))
    if "phone" in arguments and arguments["phone"] != standing.facts.get("phone"):
        return Verdict(False, "not_what_was_given", _("Only what the customer gave can be noted."))
    return ALLOWED


def _judge_consent(_tool: Tool, arguments: Mapping[str, Any], standing: Standing) -> Verdict:
    if arguments["agrees"] and arguments["purpose"] not in standing.may_agree_to:
        return Verdict(False, "not_shown", _("I cannot note that here, since I do not know who you are. A colleague can do it with you."))
    if "way" in arguments and arguments["purpose"] != Purpose.MARKETING:
        return Verdict(False, "bad_arguments", _("Only offers come in several ways."))
    return ALLOWED


def _judge_promise(_tool: Tool, arguments: Mapping[str, Any], standing: Standing) -> Verdict:
    given = (standing.facts, standing.said)
    amounts = {Decimal(said) for each in given if (said := each.get("amount", "").partition(" ")[0])}
    amount = arguments.get("amount")
    is_said = amount is None or Decimal(amount) in amounts
    if not is_said or arguments["pay_by"] not in {each.get("date") for each in given}:
        return Verdict(False, "not_what_was_given", _("Only the amount and the day that the customer said can be promised."))
    return ALLOWED


def _not_that_call() -> Verdict:
    return Verdict(False, "not_what_was_given", _("A call is promised only on the number and at the time that the customer said."))


def _judge_callback(_tool: Tool, arguments: Mapping[str, Any], standing: Standing) -> Verdict:
    at = datetime.fromisoformat(arguments["at"]).astimezone(standing.zone)
    is_day = at.date().isoformat() == standing.facts.get("date")
    return ALLOWED if is_day and _is_number_and_hour(arguments, standing, at) else _not_that_call()


def _is_number_and_hour(arguments: Mapping[str, Any], standing: Standing, at: datetime) -> bool:
    """Whether the number of a call is one that was given, and its hour the one that was said, if one was."""
    first, _to, last = standing.facts.get("time_window", "").partition("-")
    return arguments["phone"] in standing.reachable and (not last or first <= f"{at:%H:%M}" <= last)


def _judge_call_change(_tool: Tool, arguments: Mapping[str, Any], standing: Standing) -> Verdict:
    """Which calls are this party's, the tool looks up itself, and whether one that is given another hour stays on its day."""
    if arguments["change"] == change_callback.CALL_OFF:
        return ALLOWED
    if "phone" not in arguments:
        return Verdict(False, "bad_arguments", _("A call is moved to a number and a time."))
    if "at" not in arguments:
        said = arguments["phone"] in standing.reachable
        return ALLOWED if said else Verdict(False, "not_what_was_given", _("Only what the customer gave can be noted."))
    at = datetime.fromisoformat(arguments["at"]).astimezone(standing.zone)
    is_said = _is_number_and_hour(arguments, standing, at) and {"date", "time_window"} & standing.facts.keys()
    return ALLOWED if is_said else _not_that_call()


def _judge_link(_tool: Tool, arguments: Mapping[str, Any], standing: Standing) -> Verdict:
    if arguments["link"] not in {link.code for link in standing.behaviour.links}:
        return Verdict(False, "not_in_playbook", _("That link may not be sent."))
    if arguments["to"] not in standing.reachable:
        return Verdict(False, "not_what_was_given", _("A link goes only to an address or number that the customer gave here."))
    return ALLOWED


def _judge_detail(_tool: Tool, arguments: Mapping[str, Any], standing: Standing) -> Verdict:
    if arguments["value"] != standing.facts.get(arguments["fact"]):
        return Verdict(False, "not_what_was_given", _("Only what the customer said here can be noted."))
    return ALLOWED


RULES: Mapping[str, Callable[[Tool, Mapping[str, Any], Standing], Verdict]] = {
    verify_identity.TOOL.name: _judge_verifying,
    book.TOOL.name: _judge_booking,
    **dict.fromkeys(CHANGES_A_VISIT, _judge_change),
    set_consent.TOOL.name: _judge_consent,
    promise_to_pay.TOOL.name: _judge_promise,
    schedule_callback.TOOL.name: _judge_callback,
    change_callback.TOOL.name: _judge_call_change,
    send_link.TOOL.name: _judge_link,
    update_fact.TOOL.name: _judge_detail,
}
"""What a tool's arguments must be for the party on the line, beyond what its schema says."""


def references_made_by(interaction: Interaction) -> frozenset[str]:
    """The references booked by the party of this interaction, on whichever of its lines, as the history has them."""
    made = Entry.objects.filter(interaction__in=lines_of_party(interaction), kind="booking.made")
    return frozenset(str(data.get("reference", "")) for data in made.values_list("data", flat=True))
