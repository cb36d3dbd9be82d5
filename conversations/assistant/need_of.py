"""From a conversation to the need that routing may know. The channel stays behind here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from conversations.connectors.registry import schedule
from conversations.connectors.schedule import CheckArea
from conversations.models import Conversation
from conversations.services.facts import ABOUT_THE_PERSON, KnownFact, readable
from routing.models import ServiceHours
from routing.need import Need
from routing.services import hours

URGENCIES = ("normal", "high", "emergency")


def need_of(
    conversation: Conversation,
    known: Mapping[str, KnownFact],
    *,
    opening: ServiceHours | None,
    now: datetime,
    asked_for_human: bool,
    assistant_answers: bool = True,
) -> Need:
    """The need of a conversation as it stands, not scored yet, by what is known to the party that is answered.

    Facts that name a person are left out: routing does not need them. `now` decides whether it is in the `opening` hours;
    without any, it is always open. A system check reads this file: nothing in it may name how the customer came.
    """
    postcode = str(known["postcode"].value) if "postcode" in known else ""
    area = schedule().check_area(CheckArea(postcode)) if postcode else None
    reason = conversation.reason
    return Need(
        reason=reason.code if reason else "unknown",
        urgency=conversation.urgency if conversation.urgency in URGENCIES else "normal",  # type: ignore[arg-type]
        sentiment=round(conversation.sentiment, 3),
        language=conversation.language or conversation.customer.language,
        tier=conversation.customer.tier,
        territory=area.territory if area and area.served else "unknown",
        line_of_business=(reason.line_of_business if reason else "") or "unknown",
        asked_for_human=asked_for_human,
        failed_turns=conversation.failed_turns,
        open_balance=float(conversation.customer.open_balance),
        in_hours=hours.is_open(opening, now),
        assistant_answers=assistant_answers,
        facts={name: readable(fact.value)[:200] for name, fact in known.items() if name not in ABOUT_THE_PERSON},
    )


def higher_urgency(one: str, other: str) -> str:
    """The more pressing of two urgencies."""
    return max(one, other, key=lambda each: URGENCIES.index(each) if each in URGENCIES else 0)
