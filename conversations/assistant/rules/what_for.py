"""What a visit is for, where that is said later than that there be one: “book an appointment”, “it's for my boiler”."""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext as _

from conversations.assistant import acts
from conversations.assistant.brain import Form
from conversations.assistant.rules import booking
from conversations.assistant.rules.dialogue import Dialogue
from conversations.understanding import needs

UNSAID: Final = "unsaid"
"""Stands in the state of a booking while nobody has said what it is for."""
BOOKS: Final = re.compile(r"(?<!not )(?<!n't )(?<!never )\b(?:book|arrange|schedule|reserve)\b")
BEGINS_A_REQUEST: Final = re.compile(r"^(?:\w+,? ){0,3}?(?:can|could|will|would) (?:you|i|we|someone|somebody)\b")
WORK: Final = re.compile(
    r"\b(?P<asks>can|could|will|would|do) (?:you|u|ya|someone|somebody|anyone)(?: guys)?(?: please| also)*"
    r" (?P<work>fix|repair|mend|sort(?: out)?|unblock|clear|replace|service|look at|check|fit|install)"
    r"(?P<what>(?: [a-z]+){1,4})"
)
"""Work that is wished for, or asked about."""


def only_asks_for_it(dialogue: Dialogue) -> bool:
    """Whether words ask for a visit, and say at most when and where: “book that for next Wednesday”."""
    words = acts.plain(dialogue.context.words)
    is_asked = acts.wants_visit(words) or (BOOKS.search(words) is not None and not (acts.MOVE.search(words) or acts.GIVE_UP.search(words)))
    is_question = acts.is_question(dialogue.context.words) and BEGINS_A_REQUEST.search(words) is None
    return is_asked and not is_question and not booking.telling_of_the_need(dialogue)


def named_before(dialogue: Dialogue) -> str:
    """The service that was asked about before, where words only ask for a visit and point back to it; empty when they do not."""
    named = dialogue.state.get("named") or []
    points_back = needs.points_back(acts.plain(dialogue.context.words))
    return str(named[-1]) if named and points_back and only_asks_for_it(dialogue) else ""


def is_asked_about(dialogue: Dialogue) -> bool:
    """Whether it is asked if some work is done, and nothing to be done: “do you repair boilers”."""
    work = WORK.search(acts.plain(dialogue.context.words))
    return work is not None and work["asks"] == "do"


async def work_on_the_list(dialogue: Dialogue) -> str:
    """The service on the price list by which some work is done that words ask for, on something that is there; empty when they do not."""
    work = WORK.search(acts.plain(dialogue.context.words))
    return await booking.service_on(dialogue, work["work"], work["what"]) if work else ""


async def told(dialogue: Dialogue, form: Form) -> bool:
    """Takes what a visit is for from words in the middle of its form, where nobody has said it yet; says whether they tell it."""
    context = dialogue.context
    if not dialogue.state.get(UNSAID) or not booking.telling_of_the_need(dialogue) or acts.asks_only(context.words):
        return False
    meant = context.behaviour.form_for_reason(context.understanding.reason or "")
    if not (meant and meant.code == form.code) and not await booking.service_named(dialogue):
        return False
    service = await booking.service_wanted(dialogue)
    if service != dialogue.state.get("service"):
        dialogue.say(_("I can arrange a visit for that."))
    dialogue.state["service"] = service
    dialogue.state.pop(UNSAID)
    return True
