"""Click-to-call: a person rings a customer who waits for a call back, or whose number is known, and what follows when nobody answers.

The person's own phone rings first, and the customer's once they have said yes on it: nobody who is called back picks up to silence, and
the permission to ring a customer is used when they are rung. See docs/decisions/the-person-is-rung-before-the-customer.md.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.flows import takeover, wrapping_up
from conversations.flows.outbound import NotYours, live_call, require_owner
from conversations.models import (
    ActionItem,
    CallingPolicy,
    CallSeat,
    Conversation,
    DialAttempt,
    EntryPoint,
    Interaction,
    SentText,
)
from conversations.models.calling_rules import CallPurpose
from conversations.models.consent import Purpose
from conversations.selectors import calling_hours, website
from conversations.services import (
    action_items,
    call_state,
    callbacks,
    consent,
    delivery,
    dial_attempts,
    dialing,
    facts,
    messengers,
    numbers,
    ownership,
    promises,
    records,
    sent_texts,
    threads,
    timeline,
)
from conversations.services.action_items import By
from conversations.services.call_state import NOT_PLACED
from conversations.services.delivery import CannotConnect
from conversations.services.dialing import DialRefused, Wanted
from conversations.services.timeline import Appended, NewEntry
from routing.models import AgentProfile, Reservation
from routing.services import reservations

logger = logging.getLogger(__name__)
LOOKED_BACK = timedelta(days=2)


def call_now(conversation: Conversation, agent: AgentProfile) -> Interaction:
    """Rings the agent's phone for a call to the customer, who is rung once the agent has pressed 1 (`permit`); returns the call's line.

    Whether the customer may be rung is asked before anybody is disturbed, and again when they are rung. Must not run in a transaction.
    Locks the conversation with its work. Raises NotYours, and CannotConnect with a sentence for the agent.
    """
    number = number_to_call(conversation)
    if not agent.phone:
        raise CannotConnect(_("Your profile has no phone yet. A manager can add one in the admin."))
    if not number:
        raise CannotConnect(_("No phone number of the customer is known yet. Ask for one first."))
    with transaction.atomic():
        row = require_owner(conversation, agent)
        if live_call(row) is not None:
            raise CannotConnect(_("A call with the customer is going on or being made already."))
        door = _door_of(row)
        if door is None:
            raise CannotConnect(_("There is no number of ours to call from."))
        _refuse_early(row, number)
        call = _begin(row, door, number, agent)
        wrapping_up.talk_again_after_commit(row)
    try:
        delivery.connect(call, agent)
    except CannotConnect:
        # Not by way of `wrapping_up`: the customer is still to be called.
        threads.end_interaction(call, reason=NOT_PLACED)
        raise
    return call


def accept(reservation_id: int, agent: AgentProfile) -> Conversation:
    """Accepts an offer; that of a call back rings the agent's phone at once. Accepting twice is accepting once.

    That it could not be rung is told in the history, and the agent may try again. Raises reservations.ReservationGone.
    """
    taken = takeover.accept(reservation_id, agent)
    is_to_be_called = Reservation.objects.filter(pk=reservation_id, work_item__kind=callbacks.KIND_OF_WORK).exists()
    if is_to_be_called and agent.phone and live_call(taken) is None:
        try:
            call_now(taken, agent)
        except (CannotConnect, NotYours) as problem:
            logger.info("call_back_not_begun", extra={"conversation": taken.pk})
            why = NewEntry(kind="call.problem", actor_kind="system", audience="staff", body=str(problem))
            timeline.append(taken.pk, why)
    return taken


def number_to_call(conversation: Conversation) -> str:
    """The number that the customer is to be called back on, else one that they told or call from; empty when none is known."""
    if promised := promises.number_promised(conversation):
        return promised
    known = facts.known(conversation).get("phone")
    if known is not None:
        return str(known.value)
    lines = conversation.interactions.filter(party__startswith="+").order_by("-pk")
    return lines.values_list("party", flat=True).first() or ""


def is_call_back(conversation: Conversation) -> bool:
    """Whether the customer is to be called back."""
    return bool(promises.number_promised(conversation))


def permit(call: Interaction) -> bool:
    """The permission to ring the customer of a call whose agent is ready, once; False when it was asked for already.

    Raises DialRefused, which the gate tells of in the history. Locks the call's row, then what the gate locks.
    """
    mine = False

    def claim(data: dict[str, Any]) -> None:
        nonlocal mine
        mine = not data["call_back"].get("asked_gate")
        data["call_back"] = data["call_back"] | {"asked_gate": True}

    call_state.change_data(call.pk, claim)
    if not mine:
        return False
    line = Interaction.objects.select_related("conversation__customer", "entry_point").get(pk=call.pk)
    dialing.permit(Wanted(line.conversation.customer, line.party, line.entry_point, line.data["call_back"]["purpose"]), call=line)
    return True


def give_up(call: Interaction, why: str) -> None:
    """Ends a call whose customer is not rung after all, and says why to staff; the work stays with the agent."""
    if threads.end_interaction(call, reason=NOT_PLACED):
        _note(call, "call.problem", why, key="not-rung")


def settle(call: Interaction) -> bool:
    """What follows from a call that is over, once: reached, or tried again later, or written to after the last try.

    Says whether this call did it. One transaction; locks the customer, then the conversation with its work. A text leaves after that.
    """
    call = Interaction.objects.select_related("conversation__customer", "entry_point").get(pk=call.pk)
    attempt = DialAttempt.objects.filter(interaction=call).first()
    if call.state != Interaction.State.ENDED or not _claim_settling(call) or attempt is None:
        return False
    if attempt.outcome in dial_attempts.TALKED:
        _note(call, "call.outcome", _("Call back: %(outcome)s.") % {"outcome": attempt.get_outcome_display()}, key="outcome")
        by = By("agent", str(call.data["call_back"]["name"]))
        for item in _open_items(attempt):
            action_items.finish(item, by=by)
        return True
    if _try_again(call, attempt):
        return True
    _write_instead(call, attempt)
    return True


def settle_what_was_missed() -> int:
    """The sweep: settles calls that ended without their event; returns how many."""
    recent = Interaction.objects.filter(data__has_key="call_back", state=Interaction.State.ENDED, ended_at__gt=timezone.now() - LOOKED_BACK)
    return sum(settle(call) for call in recent.exclude(data__call_back__has_key="settled"))


def waiting_to_be_rung() -> QuerySet[Interaction]:
    """Calls whose agent said yes, and whose customer nobody has asked the gate about, as when a process died in between."""
    ready = CallSeat.objects.filter(state=CallSeat.State.CONNECTED).values("interaction")
    calls = Interaction.objects.filter(pk__in=ready, provider_id__startswith=call_state.UNPLACED)
    return calls.exclude(state=Interaction.State.ENDED).exclude(data__call_back__has_key="asked_gate").filter(data__has_key="call_back")


def _begin(conversation: Conversation, door: EntryPoint, number: str, agent: AgentProfile) -> Interaction:
    may_at_any_time = consent.may_we(conversation.customer, Purpose.OUTBOUND_CALL, identifier=("phone", number), by_request=False).allowed
    purpose = CallPurpose.FOLLOW_UP if may_at_any_time and not is_call_back(conversation) else CallPurpose.CALLBACK
    asked = {"call_back": {"agent": agent.pk, "name": agent.display_name, "purpose": purpose}}
    return threads.start_call_to(conversation, number, entry_point=door, data=asked)


def _door_of(conversation: Conversation) -> EntryPoint | None:
    """The number of ours that the customer knows: that of their last line."""
    line = conversation.interactions.select_related("entry_point").order_by("-pk").first()
    return website.phone_door(line.entry_point) if line else None


def _refuse_early(conversation: Conversation, number: str) -> None:
    """Raises CannotConnect where the gate would refuse now, so that nobody's phone rings for nothing."""
    answer = consent.may_we(conversation.customer, Purpose.OUTBOUND_CALL, identifier=("phone", number))
    code = "" if answer.allowed else answer.code
    policy = CallingPolicy.objects.filter(purpose=CallPurpose.CALLBACK).first()
    if not code and (policy is None or policy.keeps_hours):
        code = calling_hours.refusal_at(number, calling_hours.zones_of(number, conversation.customer), timezone.now())
    if code:
        raise CannotConnect(str(DialRefused(code if code in dialing.REFUSALS else "no_consent")))


def _claim_settling(call: Interaction) -> bool:
    mine = False

    def claim(data: dict[str, Any]) -> None:
        nonlocal mine
        mine = "settled" not in data["call_back"]
        data["call_back"] = data["call_back"] | {"settled": True}

    call_state.change_data(call.pk, claim)
    return mine


def _try_again(call: Interaction, attempt: DialAttempt) -> bool:
    """Has the customer called again after the policy's pause, by whoever is free then; False after the last try."""
    policy = CallingPolicy.objects.filter(purpose=attempt.purpose).first()
    with transaction.atomic():
        customer = records.lock_root(call.conversation.customer)
        row = ownership.lock_with_work(call.conversation)
        tries = _tries(attempt)
        outcome = {"outcome": attempt.get_outcome_display(), "tries": tries}
        is_again = policy is not None and tries < policy.tries
        if is_again and policy is not None:
            earliest = timezone.now() + timedelta(minutes=policy.pause_minutes)
            due = calling_hours.next_time(attempt.number, attempt.zones, earliest) if policy.keeps_hours else earliest
            due = due or earliest
            said = {**outcome, "time": date_format(timezone.localtime(due), "j M, H:i")}
            _note(call, "call.outcome", _("Call back: %(outcome)s. Try %(tries)d; tried again from %(time)s on.") % said, key="outcome")
            action_items.add(
                row,
                title=_("Call %(number)s back again.") % {"number": facts.phone(attempt.number)},
                by=By("system", call.entry_point.company_name),
                key=f"call-back:{call.public_id.hex}",
                kind=ActionItem.Kind.CALL_BACK,
                interaction=call,
                due_at=due,
                phone=attempt.number,
                owner=AgentProfile.objects.filter(pk=call.data["call_back"]["agent"], active=True).first(),
            )
        else:
            words = _("Call back: %(outcome)s. Tries: %(tries)d, so they are not called again.") % outcome
            _note(call, "call.outcome", words, key="outcome")
            for item in _open_items(attempt):
                action_items.finish(item, by=By("system", call.entry_point.company_name))
        if row.owner_agent_id == call.data["call_back"]["agent"]:
            ownership.let_go(row)
            reservations.complete(row.public_id.hex)
        logger.info("call_back_not_reached", extra={"customer": customer.pk, "tries": tries, "again": is_again})
    return is_again


def _tries(attempt: DialAttempt) -> int:
    """How often the number was rung for a call back since somebody was last talked with on it."""
    theirs = DialAttempt.objects.filter(
        customer=attempt.customer_id, number_hash=attempt.number_hash, interaction__data__has_key="call_back", dialled_at__isnull=False
    ).order_by("-pk")
    count = 0
    for outcome in theirs.values_list("outcome", flat=True)[:20]:
        if outcome in dial_attempts.TALKED:
            break
        count += 1
    return count


def _open_items(attempt: DialAttempt) -> QuerySet[ActionItem]:
    """The calls back on the number that are still to be made."""
    items = ActionItem.objects.filter(customer=attempt.customer_id, kind=ActionItem.Kind.CALL_BACK, done_at__isnull=True)
    return items.filter(Q(phone=attempt.number))


def _write_instead(call: Interaction, attempt: DialAttempt) -> None:
    """A last text message to somebody who could not be reached and has agreed to texts; says in the history what became of it."""
    answer = consent.may_we(attempt.customer, Purpose.SMS, identifier=("phone", attempt.number))
    if not answer.allowed or not numbers.takes_texts(attempt.number):
        return
    with override(call.language):
        text = _("%(company)s: we tried to call you back and could not reach you. Call us on %(number)s when it suits you.")
        text %= {"company": call.entry_point.company_name, "number": call.entry_point.address}
    try:
        sent = sent_texts.send_one(call, what=SentText.What.NOTICE, to=attempt.number, text=text)
    except messengers.NotSent as problem:
        _note(call, "call.problem", str(problem), key="not-written")
    else:
        told = _note(call, "text.sent", _("They were written to: %(text)s") % {"text": text}, key="written")
        sent_texts.tell_of(sent, told)


def _note(call: Interaction, kind: str, body: str, *, key: str) -> Appended:
    place = Interaction.objects.values_list("conversation", flat=True).get(pk=call.pk)
    source_id = f"call-back:{call.public_id.hex}:{key}"
    return timeline.append(
        place, NewEntry(kind=kind, actor_kind="system", audience="staff", body=body, interaction=call, source_id=source_id)
    )
