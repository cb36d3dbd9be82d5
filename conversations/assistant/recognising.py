"""Which reason the customer's words give their conversation, and which others it may be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext as _

from conversations.assistant import acts, choosing, orders_asked, own_record, what_was_done
from conversations.assistant.brain import Reason
from conversations.assistant.need_of import higher_urgency
from conversations.models import Conversation, Handoff, Interaction
from conversations.services import timeline
from conversations.services.timeline import NewEntry
from conversations.understanding.danger import read_at_risk, read_urgency
from conversations.understanding.normalise import meaning
from conversations.understanding.read import PERSON_REASON, Understanding
from routing.compiled import CompiledOnce, Given
from routing.configuration import kept
from routing.models import ReasonCode, WorkItem

REASONS: Final = CompiledOnce(lambda: ReasonCode.objects.filter(code__any_of=Given("codes"), active=True))
SURE_CHANGE_OF_SUBJECT: Final = 0.6
LIKELY_GUESS: Final = 0.2
LIKELY_NEED: Final = 0.04
"""Below these, the likeliest of the reasons that a question or a need may have is a mere guess. Of the demo's unrelated questions nine
in ten stay below the first; “it is broken” is just above the second."""
OVERDUE: Final = re.compile(r"\b(?:overdue|late one|past due)\b")
"""Which of several bills is meant."""
FEW_WORDS: Final = 6
MOST_WORDS_OF_SOMEBODY: Final = 12
EMERGENCY: Final = "emergency"
PLACES: Final = frozenset({"postcode", "address"})
BILLS: Final = "bills"
"""In the state of a dialogue: the invoices, by `reference` and `what` they are for, of which it was asked which one is meant."""
BUSY_STEPS: Final = frozenset({"collect", "choose", "confirm", "where", "code", "answers"})


def keep_reason(
    understood: Understanding, text: str, conversation: Conversation, interaction: Interaction
) -> tuple[bool, tuple[Reason, ...], Reason | None]:
    """Sets the reason, urgency and sentiment that the words give on `conversation`, without saving it, and notes a change.

    Returns whether the reason is new, the likely reasons to ask about, and the reason of these words alone.
    """
    before = conversation.reason
    options = conversation.form_state.get("clarify") or []
    agreed = str(options[0]["code"]) if len(options) == 1 and understood.affirmative else None
    clarified = _clarified(text, options) or _clarified(understood.gloss, options) or agreed
    code = clarified or _new_reason_code(understood, understood.gloss or text, conversation)
    if conversation.urgency == EMERGENCY != understood.urgency and _waits_for_people(conversation):
        # Until somebody has looked after it, whatever else is said is beside the danger.
        code, clarified = None, None
    guesses = _guesses(understood, asks=acts.wants_to_know(understood.gloss or text))
    rows = {before.code: before} if before and before.active else {}
    wanted = {code, understood.reason, *guesses} - {None, *rows}
    rows |= {row.code: row for row in _reasons(frozenset(wanted))} if wanted else {}
    reason = rows.get(code or "", before)
    is_new = reason is not None and reason != before
    urgency = higher_urgency(understood.urgency, reason.urgency if reason else "normal")
    if not is_new:
        urgency = higher_urgency(urgency, conversation.urgency)
    sentiment = min(understood.sentiment, (understood.sentiment + conversation.sentiment) / 2)
    changed = is_new or urgency != conversation.urgency
    conversation.reason, conversation.urgency, conversation.sentiment = reason, urgency, sentiment
    if changed:
        _note_recognised(understood, conversation, interaction, clarified)
    names = tuple(Reason(guess, rows[guess].name) for guess in guesses if guess in rows)
    about = rows.get(understood.reason or "")
    return is_new or (clarified is not None), names, Reason(about.code, about.name) if about else None


def without_lateness(understood: Understanding, today: date) -> Understanding:
    """The same without a reason where it asks when somebody comes on a day ahead, who cannot be late: “when is he coming tomorrow?”"""
    words = understood.gloss or understood.text
    day = next((fact.value for fact in understood.facts if fact.name == "date"), "")
    if day <= today.isoformat() or understood.urgency == EMERGENCY or not own_record.WHEN_THEY_COME.search(acts.plain(words)):
        return understood
    return replace(understood, reason=None, urgency=read_urgency(meaning(words)))


def without_need(understood: Understanding, state: Mapping[str, Any]) -> Understanding:
    """What was understood, without the need that words only sound like: they are about a visit that was or is booked, an order, a bill."""
    words = understood.gloss or understood.text
    names_one = any(choosing.shares_a_word(words, each["what"]) or OVERDUE.search(words) for each in state.get(BILLS) or [])
    is_bill = len(words.split()) <= FEW_WORDS and names_one
    if (is_bill or orders_asked.is_asked(words, state)) and understood.urgency != EMERGENCY:
        # “When will it arrive?” is in no hurry, though a missing engineer is; “the drain one” is an invoice.
        return replace(understood, reason=None, urgency=read_urgency(meaning(words)))
    is_of_a_visit = what_was_done.is_asked_of_a_visit(words, state) or is_of_the_form(understood, state)
    return replace(understood, reason=None) if is_of_a_visit else understood


def is_of_the_form(understood: Understanding, state: Mapping[str, Any]) -> bool:
    """Whether words change a time or a place of the visit that is being booked, and nothing that was there before: no reason is in them."""
    words = understood.gloss or understood.text
    is_of_a_record = what_was_done.OF_THE_RECORD.search(acts.plain(words)) is not None
    is_place = any(fact.name in PLACES for fact in understood.facts) and not is_of_a_record
    is_time = any(fact.name in ("date", "time_window") for fact in understood.facts) and acts.MOVE.search(acts.plain(words))
    is_moved = what_was_done.moves_it(words) or (is_time and not acts.OTHER_VISIT.search(acts.plain(words)))
    changes = bool(state.get("slot")) and bool(is_moved)
    return bool(state.get("form")) and state.get("step") in BUSY_STEPS and (changes or (is_place and acts.changes_place(words)))


def _waits_for_people(conversation: Conversation) -> bool:
    waiting = (WorkItem.State.QUEUED, WorkItem.State.RESERVED)
    return Handoff.objects.filter(conversation=conversation, work_item__state__in=waiting).exists()


@kept
def _reasons(codes: frozenset[str | None]) -> tuple[ReasonCode, ...]:
    """The reasons in use with these codes."""
    return tuple(REASONS.all(codes=codes))


def _guesses(understood: Understanding, *, asks: bool) -> list[str]:
    """The reasons that are likely enough to be asked about, likeliest first; none when even the first is a mere guess.

    Who asks something wants that answered or hears that it is not known. Who only tells something may have a need.
    """
    likely = LIKELY_GUESS if asks else LIKELY_NEED
    ranked = [(guess, chance) for guess, chance in understood.alternatives if guess != PERSON_REASON]
    return [guess for guess, chance in ranked if chance >= likely / 2] if ranked and ranked[0][1] >= likely else []


def _clarified(text: str, options: Sequence[Mapping[str, Any]]) -> str | None:
    index = choosing.chosen_name(text, [str(option["name"]) for option in options])
    return str(options[index]["code"]) if index is not None else None


def _new_reason_code(understood: Understanding, text: str, conversation: Conversation) -> str | None:
    """The reason that the words give, unless they only answer or ask something in the middle of a form."""
    if understood.reason is None or (understood.reason == PERSON_REASON and conversation.reason):
        return None
    in_a_form = conversation.form_state.get("step") in BUSY_STEPS and conversation.reason is not None
    if in_a_form and understood.urgency != "emergency":
        asks = acts.is_question(text) and not acts.is_request(text)
        is_answer = understood.affirmative is not None or asks or _tells_of_somebody_at_risk(text)
        return None if is_answer or understood.confidence < SURE_CHANGE_OF_SUBJECT else understood.reason
    return understood.reason


def _tells_of_somebody_at_risk(text: str) -> bool:
    """Whether a few words tell of somebody very young, old or ill: they are said of the need, and are none of their own."""
    return len(text.split()) <= MOST_WORDS_OF_SOMEBODY and bool(read_at_risk(meaning(text)))


def _note_recognised(understood: Understanding, conversation: Conversation, interaction: Interaction, clarified: str | None) -> None:
    reason = conversation.reason
    body = _("It is about: %(reason)s.") % {"reason": reason.name} if reason else _("What it is about is not known yet.")
    timeline.append(
        conversation.pk,
        NewEntry(
            kind="reason.recognised",
            actor_kind="system",
            audience="staff",
            body=body,
            interaction=interaction,
            data={
                "reason": reason.code if reason else "unknown",
                "confidence": 1.0 if clarified else round(understood.confidence, 3),
                "alternatives": [code for code, _chance in understood.alternatives],
                "urgency": conversation.urgency,
                "sentiment": round(conversation.sentiment, 3),
            },
        ),
    )
