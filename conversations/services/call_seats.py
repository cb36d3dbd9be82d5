"""Whose phones are rung for a call and who is on it: each change under the lock of the call's row, told apart from a repetition."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import CallSeat, Interaction, OutsideNumber
from conversations.selectors import call_seats
from conversations.services import call_state
from routing.models import AgentProfile, Reservation

LOOKED_AT: Final = timedelta(seconds=60)
"""How often the platform is asked whether somebody who is on a call is still on the line."""
Purpose, Manner, State, Outcome = CallSeat.Purpose, CallSeat.Manner, CallSeat.State, CallSeat.Outcome


class SeatRefused(Exception):
    """There is no place for them on the call; the message says why, in a sentence for the person who asked."""


def reserve(
    call: Interaction,
    who: AgentProfile | OutsideNumber,
    *,
    purpose: str,
    seconds: int,
    manner: str = Manner.TALK,
    offer: Reservation | None = None,
) -> CallSeat:
    """The place of somebody whose phone is about to be rung, for at most so many seconds. Raises SeatRefused.

    The database keeps it to one who has the caller, one who is asked in private, and one call for each person.
    """
    agent, outside = (who, None) if isinstance(who, AgentProfile) else (None, who)
    name = who.display_name if isinstance(who, AgentProfile) else who.name
    with transaction.atomic():
        row = call_state.lock(call.pk)
        if row.state == Interaction.State.ENDED:
            raise SeatRefused(_("The caller has hung up."))
        if any(seat.purpose == purpose for seat in call_seats.live(row)) and purpose in (Purpose.ANSWER, Purpose.CONSULT):
            raise SeatRefused(_("A phone is being connected to this call already."))
        try:
            with transaction.atomic():
                return CallSeat.objects.create(
                    interaction=row,
                    agent=agent,
                    outside=outside,
                    offer=offer,
                    name=name,
                    purpose=purpose,
                    manner=manner,
                    until=timezone.now() + timedelta(seconds=seconds),
                )
        except IntegrityError:
            raise SeatRefused(_("%(name)s is on a call already, or their phone is ringing.") % {"name": name}) from None


def name_leg(seat: CallSeat, leg_id: str) -> bool:
    """Keeps the id that the platform gave the leg; False when the place is gone already, or is another leg's."""
    CallSeat.objects.filter(pk=seat.pk, leg_id="").update(leg_id=leg_id)
    return CallSeat.objects.filter(pk=seat.pk, leg_id=leg_id, state__in=CallSeat.LIVE_STATES).exists()


def adopt(call: Interaction, public_id: UUID, leg_id: str) -> CallSeat | None:
    """The place on this call that a webhook about a leg names; None when the leg or the call is another one.

    Whoever hears of the leg first has it named: the answer to our request, or a webhook that overtook it.
    """
    own = CallSeat.objects.filter(public_id=public_id, interaction=call)
    try:
        with transaction.atomic():
            own.filter(leg_id="", state=State.RINGING).update(leg_id=leg_id)
    except IntegrityError:
        return None
    return own.filter(leg_id=leg_id).select_related("agent", "outside", "offer").first() if leg_id else None


def connect(seat: CallSeat) -> CallSeat | None:
    """They are on the call from now on; None when their place or the call is gone. Doing it twice changes nothing."""
    with transaction.atomic():
        row = call_state.lock(seat.interaction_id)
        here = CallSeat.objects.get(pk=seat.pk)
        if row.state == Interaction.State.ENDED or not here.is_live:
            return None
        if here.state == State.RINGING:
            here.state, here.outcome, here.connected_at, here.until = State.CONNECTED, Outcome.CONNECTED, timezone.now(), _next_look()
            here.save(update_fields=["state", "outcome", "connected_at", "until"])
    return here


def end(seat: CallSeat, outcome: str = Outcome.CANCELLED) -> CallSeat | None:
    """Ends a place, once: who was on the call has left it, else `outcome` says why not. None when it had ended.

    A machine that picked up a number outside was never anybody on the call.
    """
    with transaction.atomic():
        call_state.lock(seat.interaction_id)
        return _end(CallSeat.objects.select_related("agent", "outside", "offer").get(pk=seat.pk), outcome)


def end_all(call: Interaction, *, but: frozenset[int] = frozenset()) -> list[CallSeat]:
    """Ends every live place on a call, but for some; returns those that this call ended. May run in a transaction of its caller."""
    with transaction.atomic():
        call_state.lock(call.pk)
        return [ended for seat in call_seats.live(call) if seat.pk not in but and (ended := _end(seat, Outcome.CANCELLED))]


def give_the_caller(call: Interaction, to: CallSeat) -> list[CallSeat]:
    """Has somebody who is on the call, or rung for it, have the caller from now on; whoever had them leaves, and is returned.

    May run in a transaction of its caller. Raises SeatRefused when they are not there any more.
    """
    with transaction.atomic():
        row = call_state.lock(call.pk)
        here = CallSeat.objects.get(pk=to.pk)
        if row.state == Interaction.State.ENDED or not here.is_live or here.interaction_id != row.pk:
            raise SeatRefused(_("%(name)s is not on the call any more.") % {"name": here.name})
        before = [seat for seat in call_seats.live(row) if seat.purpose == Purpose.ANSWER and seat.pk != here.pk]
        left = [ended for seat in before if (ended := _end(seat, Outcome.CANCELLED))]
        here.purpose = Purpose.ANSWER
        here.save(update_fields=["purpose"])
    return left


def change(seat: CallSeat, **values: object) -> bool:
    """Changes the purpose, manner or muting of somebody who is on the call; False when they are not, or it was so already."""
    with transaction.atomic():
        call_state.lock(seat.interaction_id)
        here = CallSeat.objects.filter(pk=seat.pk, state=State.CONNECTED)
        return bool(here.exclude(**values).update(**values))


def look_again_later(seat: CallSeat) -> None:
    """Somebody is still on the line."""
    CallSeat.objects.filter(pk=seat.pk, state=State.CONNECTED).update(until=_next_look())


def look_now(seats: Iterable[CallSeat]) -> None:
    """These people may have left, so the next look at who is on the calls is at them."""
    CallSeat.objects.filter(pk__in=[seat.pk for seat in seats], state=State.CONNECTED).update(until=timezone.now())


def _end(seat: CallSeat, outcome: str) -> CallSeat | None:
    """The caller holds the lock of the call's row."""
    if not seat.is_live:
        return None
    if outcome == Outcome.MACHINE and seat.outside_id:
        seat.connected_at = None
    seat.outcome = Outcome.LEFT if seat.connected_at else outcome
    seat.state, seat.ended_at = State.ENDED, timezone.now()
    seat.save(update_fields=["state", "outcome", "connected_at", "ended_at"])
    return seat


def _next_look() -> datetime:
    return timezone.now() + LOOKED_AT
