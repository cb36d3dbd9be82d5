"""A caller is passed on, with or without talking to the colleague first, or a colleague is added. Raises as `controls`.

While somebody is asked in private the caller is on hold and the two are in the call's room: so handing over is that the one leaves
and the caller comes, bringing in is that the caller comes, and ending it is that the colleague goes.
"""

from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.flows import takeover
from conversations.flows.outbound import NotYours
from conversations.models import CallSeat, Conversation, Interaction, OutsideNumber
from conversations.selectors import call_seats as seats_of
from conversations.services import call_seats, call_state
from conversations.services.call_seats import Outcome, Purpose, SeatRefused, State
from conversations.services.delivery import CannotConnect
from conversations.voice import controls, leaving, rooms, seats
from conversations.voice.controls import NotDone
from conversations.voice.gateway import GatewayError
from routing.models import AgentProfile
from routing.services.reservations import NoCapacity

Colleague = AgentProfile | OutsideNumber


def consult(conversation: Conversation, agent: AgentProfile, colleague: Colleague) -> None:
    """Rings a colleague, or a number outside, to talk to in private; the caller hears music until that is over.

    The agent, who is alone in the room meanwhile, hears whom they wait for.
    """
    call, seat = controls.with_caller(conversation, agent)
    if call_state.place_of(call).at not in (call_state.ROOM, call_state.HOLD):
        raise NotDone(_("The caller is not with you."))
    asked = _reserved(call, agent, colleague, Purpose.CONSULT)
    with override(call.language):
        words = _("One moment, please. You will hear music until we are back.")
    try:
        controls.done(call, lambda: rooms.try_to_move_caller(call, call_state.HOLD, words=words, for_consult=True))
    except NotDone:
        call_seats.end(asked, Outcome.FAILED)
        raise
    _ring(call, asked, agent)
    with override(call.entry_point.language):
        text = _("Ringing %(name)s. The caller hears music and not you.") % {"name": asked.name}
    rooms.say(call, seat.leg_id, text)


def complete(conversation: Conversation, agent: AgentProfile) -> None:
    """Whom the agent asked in private has the caller from now on, a colleague with conversation and work; the agent leaves."""
    call, _seat = controls.with_caller(conversation, agent)
    asked = _asked(call, must_talk=True)
    try:
        left = takeover.hand_over(call, agent, asked)
    except (NotYours, SeatRefused) as refused:
        raise NotDone(str(refused)) from None
    except NoCapacity:
        sentence = _("%(name)s has no room for this now, or does not do this kind of work. Bring them in instead.")
        raise NotDone(sentence % {"name": asked.name}) from None
    leaving.settle(call.pk)
    leaving.part_with(call, left)
    rooms.whisper_to_who_is_there(call)


def bring_in(conversation: Conversation, agent: AgentProfile) -> None:
    """The caller comes to the agent and whom they asked: all three talk."""
    call, _seat = controls.with_caller(conversation, agent)
    asked = _asked(call, must_talk=True)
    if call_seats.change(asked, purpose=Purpose.JOIN):
        asked.purpose = Purpose.JOIN
        seats.note_coming(call, asked)
    leaving.settle(call.pk)


def cancel(conversation: Conversation, agent: AgentProfile) -> None:
    """Whoever was asked in private goes, or is rung no longer; the caller is back."""
    call, _seat = controls.with_caller(conversation, agent)
    leaving.leave(call, _asked(call, must_talk=False))


def add(conversation: Conversation, agent: AgentProfile, colleague: Colleague) -> None:
    """Rings a colleague, or a number outside, to join the talk; the caller stays in it."""
    call, _seat = controls.with_caller(conversation, agent)
    _ring(call, _reserved(call, agent, colleague, Purpose.JOIN), agent)


def remove(conversation: Conversation, agent: AgentProfile, public_id: UUID) -> None:
    """Somebody who was added goes, or is rung no longer."""
    call, _seat = controls.with_caller(conversation, agent)
    for seat in seats_of.live(call):
        if seat.public_id == public_id and seat.purpose in (Purpose.JOIN, Purpose.CONSULT):
            leaving.leave(call, seat)
            return


def put_through(conversation: Conversation, agent: AgentProfile, number: OutsideNumber) -> None:
    """The caller is put through to a number outside, hearing music until it is picked up; the agent leaves, and writes up.

    When nobody picks up there, the caller is taken back to the voice.
    """
    call, _seat = controls.with_caller(conversation, agent)
    rung = _reserved(call, agent, number, Purpose.CONSULT)
    place = call_state.place_of(call)
    _ring(call, rung, agent)
    try:
        left = call_seats.give_the_caller(call, rung)
    except SeatRefused as refused:
        raise NotDone(str(refused)) from None
    with override(call.language):
        words = _("I am putting you through to %(name)s. Please stay on the line.") % {"name": number.name}
    try:
        rooms.move_caller(call, call_state.WAITING, words=words, seen=place.number)
    except GatewayError:
        # The sweep moves the caller, who hears what they heard until then.
        rooms.logger.warning("caller_not_moved")
    leaving.settle(call.pk, leaving.not_picked_up(call, rung))
    leaving.part_with(call, left)


def _reserved(call: Interaction, agent: AgentProfile, colleague: Colleague, purpose: str) -> CallSeat:
    if isinstance(colleague, AgentProfile) and colleague.pk == agent.pk:
        raise NotDone(_("Choose somebody else than yourself."))
    try:
        return seats.reserve(call, colleague, purpose=purpose)
    except CannotConnect as refused:
        raise NotDone(str(refused)) from None


def _ring(call: Interaction, seat: CallSeat, agent: AgentProfile) -> None:
    try:
        seats.dial(call, seat, asked_by=agent.display_name)
    except CannotConnect as refused:
        raise NotDone(str(refused)) from None


def _asked(call: Interaction, *, must_talk: bool) -> CallSeat:
    """Who is asked in private on a call. Raises NotDone when nobody is, or their phone still rings and they `must_talk`."""
    for seat in seats_of.live(call):
        if seat.purpose == Purpose.CONSULT:
            if must_talk and seat.state != State.CONNECTED:
                raise NotDone(_("%(name)s’s phone is still ringing.") % {"name": seat.name})
            return seat
    raise NotDone(_("Nobody is being asked in private."))
