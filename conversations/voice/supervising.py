"""A supervisor over a call: listens, speaks to colleagues alone, or to everybody. Who may is checked at the door.

Who hears a leg is fixed when it joins a room, so to change it the supervisor's leg joins the same room anew. Source: Vonage,
"NCCO reference", `canSpeak`.
"""

from django.utils.translation import gettext as _

from conversations.models import CallSeat, Conversation
from conversations.selectors import call_seats as seats_of
from conversations.services import call_seats
from conversations.services.call_seats import Purpose, State
from conversations.services.delivery import CannotConnect
from conversations.voice import controls, leaving, rooms, seats
from conversations.voice.controls import NotDone
from conversations.voice.gateway import CallGone, GatewayError
from routing.models import AgentProfile


def supervise(conversation: Conversation, supervisor: AgentProfile, manner: str) -> None:
    """Rings the supervisor's phone to listen, whisper or barge, or changes between them; an entry for staff says so and since when.

    Raises controls.NotDone with a sentence.
    """
    call = controls.call_of(conversation)
    there = [seat for seat in seats_of.heard(call) if seat.agent_id and seat.purpose != Purpose.SUPERVISE]
    if not there:
        raise NotDone(_("No colleague is on this call now."))
    own = next((seat for seat in seats_of.live(call) if seat.agent_id == supervisor.pk), None)
    if own is None:
        try:
            seat = seats.reserve(call, supervisor, purpose=Purpose.SUPERVISE, manner=manner)
            seats.dial(call, seat, asked_by=there[0].name)
        except CannotConnect as refused:
            raise NotDone(str(refused)) from None
        return
    if own.purpose != Purpose.SUPERVISE:
        raise NotDone(_("You are on this call yourself."))
    if own.state != State.CONNECTED:
        raise NotDone(_("Your phone is still ringing."))
    _change(own, manner)


def _change(own: CallSeat, manner: str) -> None:
    before, call = own.manner, own.interaction
    if not call_seats.change(own, manner=manner):
        return
    own.manner = manner
    try:
        rooms.put_again(call, own)
    except CallGone as error:
        leaving.over(call, own, call_seats.Outcome.CANCELLED)
        raise NotDone(_("You are not on this call.")) from error
    except GatewayError as error:
        call_seats.change(own, manner=before)
        raise NotDone(_("The phone platform did not do it. Try again in a moment.")) from error
    seats.note_coming(call, own)
