"""What somebody who is on a call does with it from their screen: hold, mute, park, leave, end it.

Every function takes the conversation and the agent, checks that they are on its live call, and raises NotDone with a sentence for
them when it cannot be done. Doing what is done already changes nothing.
"""

from collections.abc import Callable

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.flows import takeover
from conversations.flows.outbound import NotYours, live_call, require_owner
from conversations.models import CallSeat, Conversation, Interaction
from conversations.selectors import call_seats as seats_of
from conversations.services import call_seats, call_state
from conversations.services.call_seats import Purpose, State
from conversations.voice import gateway, leaving, rooms
from conversations.voice.gateway import CallGone, GatewayError
from routing.models import AgentProfile


class NotDone(Exception):
    """It was not done; the message says why, in a sentence for whoever asked."""


def hold(conversation: Conversation, agent: AgentProfile) -> None:
    """The caller hears music; those on the call may talk without them."""
    call, _seat = with_caller(conversation, agent)
    place = call_state.place_of(call)
    if place.at == call_state.HOLD:
        return
    if place.at != call_state.ROOM:
        raise NotDone(_("The caller is not with you."))
    with override(call.language):
        words = _("One moment, please. You will hear music until we are back.")
    done(call, lambda: rooms.try_to_move_caller(call, call_state.HOLD, words=words))
    rooms.note(
        call, "call.held", _("%(name)s put the caller on hold.") % {"name": agent.display_name}, key=_move_of(call), by=agent.display_name
    )


def resume(conversation: Conversation, agent: AgentProfile) -> None:
    """The caller is back with those on the call."""
    call, _seat = with_caller(conversation, agent)
    place = call_state.place_of(call)
    if place.at == call_state.ROOM and place.is_reached:
        return
    if any(seat.purpose == Purpose.CONSULT for seat in seats_of.live(call)):
        raise NotDone(_("You are asking somebody in private. Bring them in, hand over, or end that first."))
    if place.at not in (call_state.HOLD, call_state.ROOM):
        raise NotDone(_("The caller is not with you."))
    done(call, lambda: rooms.try_to_move_caller(call, call_state.ROOM))
    words = _("%(name)s took the caller back from hold.") % {"name": agent.display_name}
    rooms.note(call, "call.resumed", words, key=_move_of(call), by=agent.display_name)


def mute(conversation: Conversation, agent: AgentProfile) -> None:
    """Nobody hears the agent."""
    _mute(conversation, agent, on=True)


def unmute(conversation: Conversation, agent: AgentProfile) -> None:
    """Everybody hears the agent again."""
    _mute(conversation, agent, on=False)


def leave(conversation: Conversation, agent: AgentProfile) -> None:
    """The agent's own leg ends, also while it rings; who stays goes on, and a caller who would be alone is taken back to the voice."""
    call = call_of(conversation)
    for seat in seats_of.live(call):
        if seat.agent_id == agent.pk:
            leaving.leave(call, seat)
            return
    raise NotDone(_("You are not on this call."))


def park(conversation: Conversation, agent: AgentProfile) -> None:
    """The caller waits with music while the work goes back to the line, at its place; everybody leaves the call."""
    call, _seat = with_caller(conversation, agent)
    with override(call.language):
        words = _("Please stay on the line. You keep your place, and somebody will be with you.")
    try:
        left = takeover.park(call, agent, words=words)
    except NotYours as refused:
        raise NotDone(str(refused)) from None
    rooms.attempt(lambda: rooms.follow(call.pk))
    leaving.part_with(call, left)


def hang_up(conversation: Conversation, agent: AgentProfile) -> None:
    """Ends the call for everybody."""
    call = call_of(conversation)
    _must_own(conversation, agent)
    done(call, lambda: gateway.hang_up(call.provider_id, region_url=rooms.region_of(call)), is_over_well=True)


def give_back(conversation: Conversation, agent: AgentProfile) -> None:
    """The AI agent has the conversation again and asks the caller whether there is anything else; the agent's work is done."""
    call = call_of(conversation)
    try:
        left = takeover.give_back(call, agent)
    except NotYours as refused:
        raise NotDone(str(refused)) from None
    leaving.part_with(call, left)


def call_of(conversation: Conversation) -> Interaction:
    """The live call of a conversation. Raises NotDone without one."""
    call = live_call(conversation)
    if call is None:
        raise NotDone(_("There is no live call in this conversation."))
    return Interaction.objects.select_related("conversation", "entry_point").get(pk=call.pk)


def own_seat(call: Interaction, agent: AgentProfile) -> CallSeat:
    """The agent's place on a call that they are on. Raises NotDone."""
    for seat in seats_of.live(call):
        if seat.agent_id == agent.pk and seat.state == State.CONNECTED:
            return seat
    raise NotDone(_("You are not on this call."))


def with_caller(conversation: Conversation, agent: AgentProfile) -> tuple[Interaction, CallSeat]:
    """The call and the agent's place on it, when they have both the caller and the conversation. Raises NotDone."""
    call = call_of(conversation)
    seat = own_seat(call, agent)
    _must_own(conversation, agent)
    if seat.purpose != Purpose.ANSWER:
        raise NotDone(_("Somebody else has the caller."))
    return call, seat


def done(call: Interaction, request: Callable[[], object], *, is_over_well: bool = False) -> None:
    """Asks the platform for what somebody wants. Raises NotDone; not for a caller who is gone when that is what was wanted."""
    try:
        request()
    except CallGone as error:
        leaving.end(call)
        if not is_over_well:
            raise NotDone(_("The caller has hung up.")) from error
    except GatewayError as error:
        raise NotDone(_("The phone platform did not do it. Try again in a moment.")) from error


def _mute(conversation: Conversation, agent: AgentProfile, *, on: bool) -> None:
    call = call_of(conversation)
    seat = own_seat(call, agent)
    try:
        gateway.mute(seat.leg_id, on=on, region_url=rooms.region_of(call))
    except CallGone as error:
        leaving.over(call, seat, call_seats.Outcome.CANCELLED)
        raise NotDone(_("You are not on this call.")) from error
    except GatewayError as error:
        raise NotDone(_("The phone platform did not do it. Try again in a moment.")) from error
    call_seats.change(seat, muted=on)


def _must_own(conversation: Conversation, agent: AgentProfile) -> None:
    try:
        with transaction.atomic():
            require_owner(conversation, agent)
    except NotYours as refused:
        raise NotDone(str(refused)) from None


def _move_of(call: Interaction) -> str:
    return f"{call.public_id.hex}:{call_state.place_of(Interaction.objects.get(pk=call.pk)).number}"
