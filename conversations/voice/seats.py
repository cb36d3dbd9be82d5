"""People's phones on a live call: rung, told privately what it is about, put into the room with the caller; and what follows when they go.

What became of a phone is one of `CallSeat.Outcome`, an entry for staff, and, where picking up would have accepted an offer, work
for the next agent.
"""

import logging
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from conversations.flows import takeover
from conversations.models import CallSeat, Interaction, OutsideNumber
from conversations.services import call_seats, call_state
from conversations.services.call_seats import Outcome, Purpose, State
from conversations.services.delivery import CannotConnect
from conversations.voice import briefing, gateway, leaving, ncco, placing, rooms
from conversations.voice.gateway import CallGone, GatewayError, PlacedCall
from conversations.voice.ncco import Ncco
from conversations.voice.protocol import CallEvent, CallInput
from routing.compiled import CompiledOnce, Given
from routing.models import AgentProfile, Reservation
from routing.services import reservations

logger = logging.getLogger(__name__)
ACCEPT_KEY: Final = "1"
DECLINE_KEY: Final = "2"
ANSWERING_SECONDS: Final = 60
"""After the ringing: for the briefing, for the key, and for the platform's word that it is over."""
BEEP: Final = "beep_start"
"""What the platform says of a machine after whose greeting it heard a beep. Source: Vonage, "Advanced machine detection"."""
RINGS_FOR: Final = ncco.RING_SECONDS + ANSWERING_SECONDS
NOT_DONE: Final = gettext_lazy("The phone platform did not place the call. Try again, or answer by message.")
OUTCOME_OF: Final = {
    "rejected": Outcome.DECLINED,
    "completed": Outcome.DECLINED,
    "busy": Outcome.BUSY,
    "timeout": Outcome.NO_ANSWER,
    "unanswered": Outcome.NO_ANSWER,
    "cancelled": Outcome.NO_ANSWER,
    "failed": Outcome.FAILED,
}
"""What the platform's last word on a leg means that nobody accepted on; `completed`: hung up while the briefing was said."""
READ: Final = CompiledOnce(
    lambda: Interaction.objects.filter(pk=Given("call")).select_related("conversation__reason", "conversation__customer", "entry_point")
)


def connect(call: Interaction, agent: AgentProfile) -> None:
    """Ring the person's phone and let the caller wait for it with music. Raises CannotConnect with a sentence for the person."""
    call = _read(call)
    before = call_state.place_of(call)
    seat = reserve(call, agent, purpose=Purpose.ANSWER)
    dial(call, seat)
    if call_state.is_unplaced(call):
        # The customer is rung when the person has pressed the key.
        return
    with override(call.language):
        words = _("I am putting you through to %(name)s. Please stay on the line.") % {"name": agent.display_name}
    try:
        rooms.move_caller(call, call_state.WAITING, words=words, seen=before.number)
    except CallGone as error:
        leaving.end(call)
        raise CannotConnect(_("The caller has hung up.")) from error
    except GatewayError as error:
        if leaving.over(call, seat, Outcome.CANCELLED):
            rooms.hang_up(call, _leg_of(seat))
        raise CannotConnect(str(NOT_DONE)) from error
    # The phone may have been declined before the caller was moved.
    leaving.settle(call.pk, leaving.not_picked_up(call, seat))


def answer_offer(reservation_id: int, agent: AgentProfile) -> Interaction:
    """Rings the person's phone for an offer, which the key accepts; returns the call, whose caller stays where they are until then.

    The offer stands for as long as the phone may ring, once a place is kept on the call. Raises CannotConnect, and
    reservations.ReservationGone.
    """
    call = takeover.call_offered(reservation_id, agent)
    seat = reserve(call, agent, purpose=Purpose.ANSWER, offer=Reservation.objects.get(pk=reservation_id, agent=agent))
    try:
        reservations.stay_open(reservation_id, agent, seconds=RINGS_FOR)
    except reservations.ReservationGone:
        call_seats.end(seat)
        raise
    dial(call, seat)
    return call


def reserve(
    call: Interaction,
    who: AgentProfile | OutsideNumber,
    *,
    purpose: str,
    manner: str = CallSeat.Manner.TALK,
    offer: Reservation | None = None,
) -> CallSeat:
    """Keeps a place on the call for somebody who is about to be rung. Raises CannotConnect with a sentence for whoever asked."""
    leaving.look_after(call)
    if isinstance(who, AgentProfile) and not who.phone:
        raise CannotConnect(_("%(name)s has no phone in their profile.") % {"name": who.display_name})
    try:
        return call_seats.reserve(call, who, purpose=purpose, manner=manner, seconds=RINGS_FOR, offer=offer)
    except call_seats.SeatRefused as refused:
        raise CannotConnect(str(refused)) from None


def dial(call: Interaction, seat: CallSeat, *, asked_by: str = "") -> None:
    """Rings the phone of somebody for whom a place is kept, once. Raises CannotConnect: then their place has ended.

    An agent hears what it is about and accepts with a key, so that no answering machine takes a caller; a number outside comes
    into the room as it picks up.
    """
    call = _read(call)
    caller, language = call.entry_point.address, call.entry_point.language
    if seat.agent is not None:
        to = seat.agent.phone
        actions = ncco.consult(
            briefing.words(call, seat, asked_by=asked_by),
            briefing.key(call, seat),
            listening_url=_url("voice:seat-listening", call, seat),
            answer_url=_url("voice:seat-input", call, seat),
            language=language,
        )
    else:
        to = seat.outside.number if seat.outside else ""
        actions = rooms.for_person(call, seat, "")

    def ring() -> PlacedCall:
        return gateway.create_call(
            to=to,
            caller=caller,
            ncco=actions,
            event_url=_url("voice:seat-event", call, seat),
            ring_seconds=ncco.RING_SECONDS,
            region_url=rooms.region_of(call),
            finds_machines=seat.agent is None,
        )

    try:
        placed = placing.place(ring, to=to, caller=caller)
    except GatewayError as error:
        leaving.over(call, seat, Outcome.FAILED)
        raise CannotConnect(str(NOT_DONE)) from error
    if not call_seats.name_leg(seat, placed.call_id):
        rooms.hang_up(call, placed.call_id)
        leaving.over(call, seat, Outcome.CANCELLED)
        raise CannotConnect(_("The phone did not answer, or the caller has hung up."))
    rooms.note(call, "call.ringing", _("Ringing %(name)s’s phone.") % {"name": seat.name}, key=placed.call_id)


def is_ready_to_call(call: Interaction) -> bool:
    """Whether a person is on the phone for a customer who was not rung yet."""
    call = Interaction.objects.get(pk=call.pk)
    return call_state.is_unplaced(call) and call.state != Interaction.State.ENDED and call_state.person_is_on(call)


def without_a_phone() -> str:
    """For somebody whose profile names nothing that could be rung, or who has none."""
    return _("Your profile has no phone yet. A manager can add one in the admin.")


def decide(call: Interaction, seat: CallSeat | None, given: CallInput) -> Ncco:
    """The person's answer to the briefing: on to the call with 1; anything else ends their leg, and says what became of it."""
    language = call.entry_point.language
    if call.state == Interaction.State.ENDED:
        return ncco.goodbye(_("The caller has hung up. Goodbye."), language=language)
    if seat is not None and seat.is_live and given.digits == ACCEPT_KEY:
        return _accepted(call, seat)
    if seat is not None and seat.state == State.RINGING:
        leaving.over(call, seat, Outcome.DECLINED if given.digits else Outcome.MACHINE)
    return ncco.goodbye(_("The call is not connected. Goodbye."), language=language)


def note_event(call: Interaction, seat: CallSeat | None, event: CallEvent) -> None:
    """What happens to the person's leg: a number outside has picked up, a machine has, or it is over.

    A recorded greeting may be that of a switchboard, which puts people through; what beeps is a machine that records, and takes no
    caller.
    """
    if seat is None:
        return
    if event.is_terminal:
        leaving.over(call, seat, OUTCOME_OF.get(event.status, Outcome.FAILED))
    elif event.status == "machine" and seat.agent_id:
        if leaving.over(call, seat, Outcome.MACHINE):
            rooms.hang_up(call, seat.leg_id)
    elif event.status == "answered" and seat.outside_id:
        _came_on(call, seat)
        leaving.bring_the_caller(call)
    elif event.status == "machine" and seat.outside_id:
        _machine_outside(call, seat, beeps=event.detail == BEEP)


def _machine_outside(call: Interaction, seat: CallSeat, *, beeps: bool) -> None:
    """Staff read of it; whoever asked the number to the phone hears it and decides, and a caller who is alone with it is taken back."""
    seat.refresh_from_db()
    if not seat.is_live:
        return
    rooms.note(call, "call.machine", _("A machine picked up %(name)s’s phone.") % {"name": seat.name}, key=seat.leg_id)
    if beeps and seat.purpose == Purpose.ANSWER and leaving.over(call, seat, Outcome.MACHINE):
        rooms.hang_up(call, seat.leg_id)


def _accepted(call: Interaction, seat: CallSeat) -> Ncco:
    language = call.entry_point.language
    if seat.state == State.RINGING and seat.offer_id and seat.agent:
        try:
            _accept_offer(call, seat.offer_id, seat.agent)
        except reservations.ReservationGone as gone:
            leaving.over(call, seat, Outcome.CANCELLED)
            return ncco.goodbye(str(gone), language=language)
    here = _came_on(call, seat)
    if here is None:
        return ncco.goodbye(_("The call is not connected. Goodbye."), language=language)
    if call_state.is_unplaced(call):
        return rooms.for_person_who_waits(call, _("Calling the customer now."))
    return rooms.for_person(_read(call), here, _("Connected."))


def _accept_offer(call: Interaction, offer_id: int, agent: AgentProfile) -> None:
    """The offer is theirs, and the caller is with them: what was written until now need not be spoken any more."""
    before = call_state.place_of(call)
    moved = call_state.move(call.pk, call_state.WAITING, is_reached=True)
    try:
        takeover.accept(offer_id, agent)
    except reservations.ReservationGone:
        call_state.move(call.pk, before.at, is_reached=True, seen=moved.number if moved else None)
        raise
    call_state.claim_unspoken(call.pk, as_webhook=True)


def _came_on(call: Interaction, seat: CallSeat) -> CallSeat | None:
    """They are on the call: noted once, and the caller is to come to them (see `leaving.bring_the_caller`), unless kept on hold."""
    here = call_seats.connect(seat)
    if here is not None and seat.state == State.RINGING and not call_state.is_unplaced(call):
        note_coming(call, here)
        if here.purpose == Purpose.ANSWER:
            call_state.move(call.pk, call_state.ROOM)
    return here


def note_coming(call: Interaction, seat: CallSeat) -> None:
    """The entry that somebody has come on the call: for the customer too when they are to talk with them."""
    named = {"name": seat.name}
    if seat.purpose == Purpose.SUPERVISE:
        words = {
            CallSeat.Manner.LISTEN: _("%(name)s listens in. Nobody hears them.") % named,
            CallSeat.Manner.WHISPER: _("%(name)s listens in and speaks to colleagues alone.") % named,
            CallSeat.Manner.BARGE: _("%(name)s has joined the talk. Everybody hears them.") % named,
        }
        manner = CallSeat.Manner(seat.manner)
        rooms.note(call, "call.supervised", words[manner], key=f"{seat.leg_id}:{seat.manner}", by=seat.name, manner=seat.manner)
    elif seat.purpose == Purpose.CONSULT:
        words_of_consult = _("%(name)s is asked in private; the caller hears music.") % named
        rooms.note(call, "call.consulted", words_of_consult, key=seat.leg_id)
    else:
        rooms.note(call, "call.connected_to_agent", _("%(name)s is on the call.") % named, key=seat.leg_id, everyone=True)


def _leg_of(seat: CallSeat) -> str:
    return str(CallSeat.objects.values_list("leg_id", flat=True).get(pk=seat.pk))


def _read(call: Interaction) -> Interaction:
    return READ.get(call=call.pk)


def _url(name: str, call: Interaction, seat: CallSeat) -> str:
    return ncco.webhook_url(name, public_id=call.public_id, seat=seat.public_id)
