"""What follows when somebody's place on a call ends: who goes on with the caller, who is told, and that nobody is left alone.

One rule, `settle`, looks at who is on the call and where the caller is, and sets right what does not fit; whatever ends a place
calls it, so the order in which caller, person and colleague hang up does not matter.
"""

import logging
from datetime import timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.flows import takeover, waiting
from conversations.flows.outbound import NotYours
from conversations.models import CallLeg, CallSeat, Interaction
from conversations.selectors import call_seats as seats_of
from conversations.selectors.limbo import LONGEST_CALL
from conversations.services import call_seats, call_state, threads
from conversations.services.call_seats import Outcome, Purpose, State
from conversations.voice import gateway, ncco, rooms, survey
from conversations.voice.gateway import CallGone, GatewayError
from routing.compiled import CompiledOnce, Given
from routing.services import reservations
from routing.services.reservations import NoCapacity, ReservationGone

logger = logging.getLogger(__name__)
PARKED_TOLD_EVERY: Final = timedelta(minutes=1)
"""How often a caller who is parked hears that they are waited for, and where they stand in the line."""
LONGEST_PARKED: Final = timedelta(minutes=10)
"""After so long parked the caller is with the voice again, and may say what they want instead."""
ENDS_WITHIN: Final = (timedelta(seconds=10), timedelta(minutes=2))
"""From when, and until when, a leg is ended once more that should have ended with its place."""
SETTLED: Final = timedelta(seconds=10)
"""So long after somebody has come, the platform's list has their leg."""
MOST_ASKED_ABOUT: Final = 20
"""How many legs that the list lacks are asked about in one sweep, each by a request of its own."""
HAS_CALLER: Final = (Purpose.ANSWER, Purpose.JOIN)
READ: Final = CompiledOnce(
    lambda: Interaction.objects.filter(pk=Given("call")).select_related("conversation__owner_agent", "entry_point")
)


def over(call: Interaction, seat: CallSeat, outcome: str) -> bool:
    """Somebody's place has ended: noted, with what follows from it, once. Says whether it was this call that ended it.

    `outcome` is why they never came; who was on the call has left it.
    """
    ended = call_seats.end(seat, outcome)
    if ended is None:
        return False
    call = _read(call.pk)
    _note(call, ended)
    if ended.offer_id and ended.agent and ended.outcome != Outcome.LEFT:
        _offer_to_the_next(ended)
    if call.state != Interaction.State.ENDED:
        if ended.purpose == Purpose.ANSWER and ended.outcome == Outcome.LEFT:
            _let_somebody_go_on(call, ended)
        _tell_who_asked(call, ended)
        rooms.whisper_to_who_is_there(call)
        had_caller = ended.purpose == Purpose.ANSWER and ended.outcome == Outcome.LEFT
        settle(call.pk, _words_for_caller(call, ended), left=ended if had_caller else None)
    return True


def leave(call: Interaction, seat: CallSeat, outcome: str = Outcome.CANCELLED) -> bool:
    """The same, with the end of their leg, which nobody has ended yet."""
    is_over = over(call, seat, outcome)
    if is_over:
        rooms.hang_up(call, str(CallSeat.objects.values_list("leg_id", flat=True).get(pk=seat.pk)))
    return is_over


def stop_ringing_for(offer_id: int) -> None:
    """The offer that a ringing phone would have accepted has ended: taken back, taken by another, declined on the screen, run out."""
    seat = CallSeat.objects.filter(offer=offer_id, state=State.RINGING).select_related("interaction").first()
    if seat is not None:
        leave(seat.interaction, seat)


def part_with(call: Interaction, left: list[CallSeat]) -> None:
    """Notes that people have left, whose places have ended, and ends their legs."""
    for seat in left:
        _note(call, seat)
        rooms.hang_up(call, seat.leg_id)


def end(call: Interaction) -> None:
    """The caller is gone: everybody's place ends, and their legs; who called a customer that did not answer is told so.

    An offer that a ringing phone would have accepted is free at once, and not when the phone would have stopped.
    """
    call = _read(call.pk)
    if call_state.is_ringing_out(call):
        say_goodbye(call, _("The customer did not answer. What happens next is in the inbox. Goodbye."))
        return
    left = call_seats.end_all(call)
    part_with(call, left)
    for seat in left:
        if seat.offer_id and seat.outcome != Outcome.LEFT:
            reservations.take_back(seat.offer_id)


def say_goodbye(call: Interaction, text: str) -> None:
    """Tells the people on the call something last, and ends their legs."""
    for seat in call_seats.end_all(call):
        _note(call, seat)
        goodbye, leg_id = ncco.goodbye(text, language=call.entry_point.language), seat.leg_id
        if leg_id and not rooms.attempt(lambda leg_id=leg_id, goodbye=goodbye: rooms.transfer(call, leg_id, goodbye)):  # type: ignore[misc]
            rooms.hang_up(call, leg_id)


def bring_the_caller(call: Interaction) -> None:
    """Has the platform put the caller where they are to be, now that somebody has come; what fails is done by the sweep."""
    try:
        rooms.follow(call.pk)
    except CallGone:
        end(call)
    except GatewayError as error:
        logger.warning("caller_not_moved: %s", error)
    rooms.whisper_to_who_is_there(call)


def take_off(interaction_id: int, agent_id: int) -> None:
    """The person has the work no longer: their leg ends, and the caller is taken back when nobody else is there. Others stay."""
    call, words = _read(interaction_id), ""
    for seat in seats_of.live(call):
        if seat.agent_id == agent_id and (ended := call_seats.end(seat)):
            _note(call, ended)
            rooms.hang_up(call, ended.leg_id)
            with override(call.language):
                words = _("%(name)s is not on the call any more. I am finding somebody else for you; please stay on the line.")
                words %= {"name": ended.name}
    settle(call.pk, words)


def settle(call_id: int, words: str = "", *, left: CallSeat | None = None) -> None:
    """Sets right what does not fit together on a call; when that takes the caller back to the voice, they hear `words`.

    Or they are asked how it was (`survey`) with `left`, who had them and hung up.
    Nobody talks with the caller or is rung for them: back to the voice. Nobody is asked in private any more: back from hold.
    Somebody has come: out of the music. Doing it twice changes nothing.
    """
    call = _read(call_id)
    if call.state == Interaction.State.ENDED:
        end(call)
        return
    place, live = call_state.place_of(call), seats_of.live(call)
    if call_state.is_ringing_out(call):
        if not live:
            _stop_ringing(call)
        return
    has_caller = any(seat.is_heard and (seat.purpose in HAS_CALLER or seat.manner == CallSeat.Manner.BARGE) for seat in live)
    is_rung_for = any(seat.purpose == Purpose.ANSWER and seat.state == State.RINGING for seat in live)
    is_asked = any(seat.purpose == Purpose.CONSULT for seat in live)
    try:
        if place.at in call_state.IN_ROOMS and not has_caller and not is_rung_for:
            with override(call.language):
                asked = (survey.ask(call, left) if left else "") or words or _("Is there anything else? Please tell me.")
            if rooms.move_caller(call, call_state.VOICE, words=asked, seen=place.number):
                end(call)
        elif (place.at == call_state.HOLD and place.for_consult and not is_asked) or (place.at == call_state.WAITING and has_caller):
            rooms.move_caller(call, call_state.ROOM, seen=place.number)
    except CallGone:
        end(call)
    except GatewayError as error:
        logger.warning("caller_not_moved: %s", error)


def look_after(call: Interaction) -> int:
    """Ends places that were lost: a phone that rang too long, a leg that the platform says is over. Returns how many."""
    lost = 0
    for seat in seats_of.live(call):
        if seat.until > timezone.now():
            continue
        if seat.state == State.CONNECTED and _is_still_there(call, seat):
            call_seats.look_again_later(seat)
        else:
            lost += leave(call, seat, Outcome.NO_ANSWER)
    return lost


def look_after_calls() -> int:
    """The sweep over calls with people: lost places, moves that the platform has not done, legs that did not end, music without end.

    Returns how many places were ended.
    """
    _look_for_who_left()
    live = Interaction.objects.filter(channel="voice").exclude(state=Interaction.State.ENDED)
    now = timezone.now()
    seats = CallSeat.objects.filter(state__in=CallSeat.LIVE_STATES)
    overdue = Interaction.objects.filter(pk__in=seats.filter(until__lt=now).values("interaction"))
    lost = sum(look_after(call) for call in overdue)
    for call in Interaction.objects.filter(pk__in=seats.filter(interaction__state=Interaction.State.ENDED).values("interaction")):
        end(call)
    for call in live.filter(data__caller__is_reached=False):
        rooms.attempt(lambda call=call: rooms.follow(call.pk))  # type: ignore[misc]
    for call in live.filter(data__caller__at__in=[*call_state.IN_ROOMS, call_state.PARKED]):
        settle(call.pk)
        _interrupt_the_music(call, now.timestamp())
    _end_legs_again()
    return lost


def _look_for_who_left() -> None:
    """Has those looked at now who are on a call here and not in the platform's list: word of their end may be lost, and a caller alone."""
    now = timezone.now()
    here: dict[str, list[CallSeat]] = {}
    settled = CallSeat.objects.filter(state=State.CONNECTED, connected_at__lt=now - SETTLED, until__gt=now).order_by("until")
    for seat in settled.select_related("interaction"):
        here.setdefault(rooms.region_of(seat.interaction), []).append(seat)
    for region_url, seats in here.items():
        try:
            up = gateway.legs_up(since=now - LONGEST_CALL, region_url=region_url)
        except GatewayError as error:
            logger.warning("legs_not_listed: %s", error)
            continue
        call_seats.look_now([seat for seat in seats if seat.leg_id not in up][:MOST_ASKED_ABOUT])


def not_picked_up(call: Interaction, seat: CallSeat) -> str:
    """What the caller hears when the person whom they waited for did not pick up."""
    with override(call.language):
        if seat.outside_id:
            return _("%(name)s cannot be reached at the moment. Please tell me how I can help.") % {"name": seat.name}
        return _("%(name)s could not pick up the phone, and can answer you here. Please stay on the line.") % {"name": seat.name}


def _words_for_caller(call: Interaction, seat: CallSeat) -> str:
    if seat.purpose not in HAS_CALLER:
        return ""
    if seat.outcome != Outcome.LEFT:
        return not_picked_up(call, seat)
    with override(call.language):
        return _("%(name)s has left the call. Is there anything else? Please tell me.") % {"name": seat.name}


def _note(call: Interaction, seat: CallSeat) -> None:
    """The entry for staff: what became of ringing the phone, or that they have left."""
    named, key = {"name": seat.name}, seat.public_id.hex
    if seat.outcome != Outcome.LEFT:
        sentences = {
            Outcome.DECLINED: _("%(name)s declined on the phone."),
            Outcome.NO_ANSWER: _("%(name)s’s phone was not answered."),
            Outcome.BUSY: _("%(name)s’s phone was busy."),
            Outcome.FAILED: _("%(name)s’s phone could not be reached."),
            Outcome.MACHINE: _("A machine picked up %(name)s’s phone; nobody pressed the key.")
            if seat.agent_id
            else _("A machine picked up %(name)s’s phone; the caller was taken back."),
            Outcome.CANCELLED: _("%(name)s’s phone is rung no longer."),
        }
        rooms.note(call, "call.not_connected", sentences[Outcome(seat.outcome)] % named, key=key, outcome=seat.outcome)
    elif seat.purpose == Purpose.SUPERVISE:
        rooms.note(call, "call.supervised", _("%(name)s has stopped listening.") % named, key=f"{key}:end", by=seat.name)
    else:
        rooms.note(call, "call.left", _("%(name)s has left the call.") % named, key=key)


def _offer_to_the_next(seat: CallSeat) -> None:
    """The offer that picking up would have accepted goes back to the line, from which the next agent gets it."""
    if seat.agent is None or seat.offer_id is None:
        return
    try:
        reservations.reject(seat.offer_id, seat.agent)
    except ReservationGone as gone:
        logger.info("offer_gone: %s", gone)


def _let_somebody_go_on(call: Interaction, left: CallSeat) -> None:
    """Whoever was asked in private or joined has the caller now that the one who had them has hung up."""
    there = [seat for seat in seats_of.heard(call) if seat.purpose in (Purpose.CONSULT, Purpose.JOIN)]
    for seat in sorted(there, key=lambda each: each.purpose != Purpose.CONSULT):
        try:
            if left.agent is None or not _handed_over(call, left, seat):
                call_seats.give_the_caller(call, seat)
        except call_seats.SeatRefused:
            continue
        return


def _handed_over(call: Interaction, left: CallSeat, to: CallSeat) -> bool:
    """Whether conversation and work could be given to them too; without room for it they stay with whoever left."""
    try:
        takeover.hand_over(call, left.agent, to)  # type: ignore[arg-type]  # asked by the caller
    except (NotYours, NoCapacity) as refused:
        logger.info("work_not_handed_over: %s", refused)
        return False
    return True


def _tell_who_asked(call: Interaction, ended: CallSeat) -> None:
    """Whoever asked somebody hears in private that they did not come."""
    if ended.purpose not in (Purpose.CONSULT, Purpose.JOIN) or ended.outcome in (Outcome.LEFT, Outcome.CANCELLED):
        return
    text = _("%(name)s did not come to the phone.") % {"name": ended.name}
    for seat in seats_of.live(call):
        if seat.purpose == Purpose.ANSWER and seat.state == State.CONNECTED:
            rooms.say(call, seat.leg_id, text)


def _stop_ringing(call: Interaction) -> None:
    """The person who was calling a customer is gone, so the customer is not rung on."""
    if not call_state.is_unplaced(call):
        rooms.hang_up(call, call.provider_id)
    elif threads.end_interaction(call, reason=call_state.NOT_PLACED):
        why = _("The call was not made: the phone of whoever was to make it was not answered, or hung up.")
        rooms.note(call, "call.problem", why, key=call.public_id.hex)


def _interrupt_the_music(call: Interaction, now: float) -> None:
    """Whoever is parked hears each minute how it stands, and after too long is with the voice again. On hold, somebody sees how long
    it takes."""
    call = _read(call.pk)
    place = call_state.place_of(call)
    if place.at != call_state.PARKED:
        return
    if now - place.since >= LONGEST_PARKED.total_seconds():
        with override(call.language):
            text = _("Thank you for your patience. You are still in the line; please stay on, or tell me how I can help.")
        rooms.attempt(lambda: bool(rooms.move_caller(call, call_state.VOICE, words=text, seen=place.number)))
        return
    told_at = max(place.since, float(call.data.get("parked_told_at", 0)))
    if now - told_at >= PARKED_TOLD_EVERY.total_seconds() and (work := waiting.work_of(call.conversation)):
        with override(call.language):
            text = waiting.standing(work)
        call_state.remember(call.pk, parked_told_at=now)
        rooms.attempt(lambda: bool(rooms.move_caller(call, call_state.PARKED, words=text, seen=place.number)))


def _end_legs_again() -> None:
    """Legs that should have ended with their place and of whose end the platform has not told."""
    now = timezone.now()
    over_since = (now - ENDS_WITHIN[1], now - ENDS_WITHIN[0])
    is_up = CallLeg.objects.filter(~Q(state=CallLeg.State.ENDED)).values("leg_id")
    for seat in CallSeat.objects.filter(ended_at__range=over_since, leg_id__in=is_up).select_related("interaction"):
        rooms.hang_up(seat.interaction, seat.leg_id)


def _is_still_there(call: Interaction, seat: CallSeat) -> bool:
    try:
        return gateway.is_live(seat.leg_id, region_url=rooms.region_of(call))
    except GatewayError as error:
        logger.warning("leg_not_looked_at: %s", error)
        return True


def _read(call_id: int) -> Interaction:
    return READ.get(call=call_id)
