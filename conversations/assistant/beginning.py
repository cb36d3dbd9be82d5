"""How a turn begins, in one go on one connection: it is claimed, prepared, and what a brain's words are judged by is read."""

from __future__ import annotations

import os
import socket
import uuid
from dataclasses import dataclass, replace
from datetime import timedelta

from django.utils.translation import override

from conversations.assistant import handing_over, number_awaited, pacing
from conversations.assistant.brain import HandOff
from conversations.assistant.finishing import Ending
from conversations.assistant.outgoing.gate import Judging, judging_of
from conversations.assistant.preparing import Prepared, prepare
from conversations.models.consent import Purpose
from conversations.selectors.pace import pace_of
from conversations.services import callbacks, turns
from conversations.services.turns import Claim
from routing.models import Decision


@dataclass(frozen=True, slots=True)
class Begun:
    """A turn that was claimed, and what came of preparing it.

    `prepared` is None when nothing waits for an answer, `problem` what went wrong. `stop` says why the AI agent says no more, `ending`
    how the turn ends when routing gives it to people; without either the brain is asked, and `judging` is what its words are judged by.
    """

    claim: Claim
    prepared: Prepared | None = None
    stop: pacing.Stop | None = None
    ending: Ending | None = None
    judging: Judging | None = None
    problem: Exception | None = None


def begin(conversation_id: int, *, lease: timedelta) -> Begun | None:
    """Claims the turn and prepares it; None when none is due or free. Raises what the claim does; the rest is in `problem`."""
    claim = turns.claim(conversation_id, worker=worker_name(), lease=lease)
    return prepared_for(claim) if claim else None


def prepared_for(claim: Claim) -> Begun:
    """Prepares a turn that is claimed. Raises nothing."""
    try:
        return _prepared(claim)
    except Exception as problem:
        return Begun(claim, problem=problem)


def _prepared(claim: Claim) -> Begun:
    prepared = prepare(claim)
    if prepared is None:
        return Begun(claim)
    if prepared.live:
        pace = pace_of(prepared.conversation.pk, prepared.interaction.pk)
        prepared = replace(prepared, standing=replace(prepared.standing, used=pace.used))
        if stop := pacing.stop_of(prepared, pace):
            return Begun(claim, prepared, stop)
    with override(prepared.context.language):
        ending = decided_ending(prepared, prepared.decision)
        return Begun(claim, prepared, ending=ending, judging=None if ending else judging_of(prepared))


def decided_ending(prepared: Prepared, decision: Decision) -> Ending | None:
    """How the turn ends when routing gives it to people; None when the brain is to answer."""
    live, asked = prepared.live, prepared.context.understanding.asked_for_human
    promised = prepared.state.get("callback") or {}
    handing = HandOff(form_state=handing_over.brains_part(prepared.state))
    agrees = _answer_to_call_back(prepared, decision)
    if agrees is not None:
        return Ending(handing, decision, agrees_to_call=agrees)
    is_number_awaited = awaits_number(prepared)
    if decision.handler == Decision.Handler.HUMAN:
        if not _waits_already(prepared, decision) or (live and asked):
            return Ending(handing, decision)
    elif decision.handler in (Decision.Handler.CALLBACK, Decision.Handler.AFTER_HOURS) and (not promised or asked):
        return Ending(handing, decision)
    if is_number_awaited and "phone" in prepared.standing.facts:
        return Ending(handing, decision, gave_number=True)
    if is_number_awaited and not promised.get("repeated") and number_awaited.may_be_meant_as_number(prepared):
        return Ending(handing, decision, repeats_question=True)
    if not live:
        return Ending(handing, decision, silent=prepared.handoff is not None)
    return None


def awaits_number(prepared: Prepared) -> bool:
    """Whether the last thing that was asked is the number for a call back that was promised."""
    promised = prepared.state.get("callback") or {}
    return bool(promised) and not promised["noted"] and prepared.state.get("step") == "callback"


def _answer_to_call_back(prepared: Prepared, decision: Decision) -> bool | None:
    """Yes or no to the call back that waiting work became; None for anything else, or when it is more urgent by now.

    Once something else was said, a question that was asked since has the next yes or no.
    """
    offer = (prepared.state.get("callback") or {}).get("offer")
    if not offer or prepared.handoff is None or prepared.handoff.work_item.kind != callbacks.KIND_OF_WORK:
        return None
    if decision.handler == Decision.Handler.HUMAN and not _waits_already(prepared, decision):
        return None
    understood = prepared.context.understanding
    if any(not wish.agrees and wish.purpose in (Purpose.CONTACT, Purpose.OUTBOUND_CALL) for wish in understood.wishes):
        return False
    is_asked_else = not offer["is_new"] and prepared.state.get("step") not in (*turns.OVER, "callback")
    answer = None if is_asked_else else understood.affirmative
    return answer if offer["number"] or answer is False else None


def _waits_already(prepared: Prepared, decision: Decision) -> bool:
    """Whether a person is being found already, at least as urgently as is decided now."""
    handoff = prepared.handoff
    return handoff is not None and handoff.work_item.priority_class <= decision.priority_class


def worker_name() -> str:
    """A name that no other claim has."""
    return f"{socket.gethostname()[:30]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
