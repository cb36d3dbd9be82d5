"""Which tool may run with what. The guard looks at who is on the line and at the record, never at what a text asks for.

Anybody may book for the facts that they gave themselves. A booking may be known and changed only by a party that is known to
be the one that made it, a line of the same party (the same call, the same visitor's chat, a call into which a code from that
chat was keyed), or by one that has proven to be the customer, as far as that proof opens.

Anybody may say that they want no calls, messages, offers or recordings; a yes needs a party that has shown who it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jsonschema
from django.utils.translation import gettext as _

from conversations.assistant.brain import Behaviour
from conversations.assistant.tools import ALWAYS_THERE, COMES_WITH
from conversations.assistant.tools.base import Tool
from conversations.models import Entry, Interaction
from conversations.models.consent import Purpose
from conversations.models.identifier import Assurance
from conversations.selectors.access import lines_of_party

MOST_VISITS = 3
CHANGES_A_VISIT = frozenset({"reschedule", "cancel", "correct"})


@dataclass(frozen=True, slots=True)
class Standing:
    """What the guard knows in one turn. `facts` are the conversation's values by name; `live` is off for drafts.

    `level` is how well the party has proven to be the customer (`access.proven_level`); `reachable` are the addresses and
    numbers that it gave itself or calls from; `may_agree_to` are the purposes of consent that it may say yes to; `visits` are
    the references that it may know of, `own_visits` those of them that it booked itself, `story` the conversations whose
    visits it may ask about.
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
    try:
        jsonschema.validate(dict(arguments), tool.schema)
    except jsonschema.ValidationError as problem:
        return Verdict(False, "bad_arguments", problem.message[:200])
    if (tool.changes or tool.live_only) and not standing.live:
        return Verdict(False, "draft_only", _("A draft changes nothing."))
    if tool.needs and not opens(tool.name, standing.level, standing.behaviour):
        return Verdict(False, "not_proven", _("The customer has to show first who they are."))
    if tool.name == "verify_identity" and "to" in arguments and arguments["to"] not in standing.reachable:
        return Verdict(False, "not_what_was_given", _("A code goes only to an address or number that the customer gave here."))
    if tool.name == "verify_identity" and "answers" in arguments and not standing.behaviour.knowledge_check:
        return Verdict(False, "not_in_playbook", _("Answers prove nothing here."))
    if tool.name == "book":
        return _judge_booking(arguments, standing)
    if tool.name in CHANGES_A_VISIT:
        return _judge_change(tool, arguments, standing)
    if tool.name == "set_consent":
        return _judge_consent(arguments, standing)
    return ALLOWED


def opens(tool: str, level: str, behaviour: Behaviour) -> bool:
    """Whether a party that is proven at `level` (`access.proven_level`) to be the customer may use what needs that proof.

    Answers to questions open what the playbook names; everything else opens the rest.
    """
    return level == Assurance.VERIFIED or (level == Assurance.KNOWLEDGE and tool in behaviour.opens_with_answers)


def _judge_booking(arguments: Mapping[str, Any], standing: Standing) -> Verdict:
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


def _judge_consent(arguments: Mapping[str, Any], standing: Standing) -> Verdict:
    if arguments["agrees"] and arguments["purpose"] not in standing.may_agree_to:
        return Verdict(False, "not_shown", _("I cannot note that here, since I do not know who you are. A colleague can do it with you."))
    if "way" in arguments and arguments["purpose"] != Purpose.MARKETING:
        return Verdict(False, "bad_arguments", _("Only offers come in several ways."))
    return ALLOWED


def references_made_by(interaction: Interaction) -> frozenset[str]:
    """The references booked by the party of this interaction, on whichever of its lines, as the history has them."""
    made = Entry.objects.filter(interaction__in=lines_of_party(interaction), kind="booking.made")
    return frozenset(str(data.get("reference", "")) for data in made.values_list("data", flat=True))
