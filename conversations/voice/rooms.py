"""Where the legs of a call are put: the caller to the voice, to music or to people, people to the room in which they talk.

A named room is used because a plain `connect` would end the caller's call when the person hangs up. Where the caller is to be is
kept first (`call_state.Place`) and done afterwards, until the platform has taken what is kept, so that two who press at once, or
a platform that is away for a moment, leave the caller where the record says.
"""

import logging
import time
from collections.abc import Callable
from typing import Any, Final

from django.utils.translation import override

from conversations.models import CallSeat, Interaction
from conversations.selectors import call_seats
from conversations.services import call_state, timeline
from conversations.services.call_state import Place
from conversations.services.timeline import NewEntry
from conversations.voice import gateway, ncco, recording, replies
from conversations.voice.gateway import CallGone, GatewayError
from conversations.voice.ncco import Ncco

logger = logging.getLogger(__name__)
TRIES: Final = 2
PAUSE_SECONDS: Final = 0.3
MOST_MOVES: Final = 5
"""How often one move is followed by another that came meanwhile; the sweep does the rest."""


def name_of(call: Interaction) -> str:
    """The room of the call in which people and the caller talk."""
    part = int(call.data.get("room_part", 0))
    return f"call-{call.public_id.hex}" + (f"-{part}" if part else "")


def move_caller(call: Interaction, at: str, *, words: str = "", for_consult: bool = False, seen: int | None = None) -> bool:
    """Moves the caller, saying `words` first; says whether it was this call that did. See `call_state.move` for `seen`.

    Raises CallGone when the caller has hung up, GatewayError when the platform did not do it: then the sweep tries again.
    """
    moved = call_state.move(call.pk, at, words=words, for_consult=for_consult, seen=seen)
    if moved is None:
        return False
    follow(call.pk)
    return True


def try_to_move_caller(call: Interaction, at: str, *, words: str = "", for_consult: bool = False) -> None:
    """The same on somebody's wish: when the platform does not do it, the caller stays where they were. Raises GatewayError."""
    before = call_state.place_of(Interaction.objects.get(pk=call.pk))
    moved = call_state.move(call.pk, at, words=words, for_consult=for_consult)
    try:
        if moved is not None:
            follow(call.pk)
    except CallGone:
        raise
    except GatewayError:
        # Nobody knows whether the caller was moved; the sweep has the platform do what the record says.
        call_state.move(call.pk, before.at, for_consult=before.for_consult, seen=moved.number if moved else None)
        raise


def follow(call_id: int) -> None:
    """Has the platform put the caller where they are to be, and again when that changed meanwhile. Raises as `move_caller`."""
    for _move in range(MOST_MOVES):
        call = Interaction.objects.select_related("conversation__owner_agent", "entry_point").get(pk=call_id)
        place = call_state.place_of(call)
        if place.is_reached or call.state == Interaction.State.ENDED:
            return
        actions = _for_caller(call, place)
        _tried(lambda: recording.transfer(call, actions, people=place.at == call_state.ROOM))  # noqa: B023  # asked at once
        if call_state.reach(call.pk, place.number):
            return


def for_person(call: Interaction, seat: CallSeat, text: str) -> Ncco:
    """What somebody's leg does who has come on the call: they hear `text`, and then the room as it is theirs to."""
    hearing: dict[str, Any] = {}
    if seat.manner == CallSeat.Manner.LISTEN:
        hearing = {"canSpeak": [], "startOnEnter": False}
    elif seat.manner == CallSeat.Manner.WHISPER:
        hearing = {"canSpeak": call_seats.colleagues_legs(call_seats.live(call)), "startOnEnter": False}
    return _room(call, text, language=call.entry_point.language, **hearing)


def for_customer(call: Interaction, text: str) -> Ncco:
    """What the customer's leg does who is put through as they pick up: they hear `text`, and then the room."""
    return _room(call, text, language=call.language)


def for_person_who_waits(call: Interaction, text: str) -> Ncco:
    """What the leg of somebody does whose customer is being rung: they hear `text`, and music until the customer is there."""
    music = ncco.music_of_room(call.entry_point.waiting_music)
    return _room(call, text, language=call.entry_point.language, startOnEnter=False, musicOnHoldUrl=[music])


def put_again(call: Interaction, seat: CallSeat, text: str = "") -> None:
    """Puts somebody who is on the call into its room anew, as it is theirs to be heard by now. Raises GatewayError.

    Who hears a leg is fixed when it joins. Source: Vonage, "NCCO reference", `canSpeak` and `canHear`.
    """
    transfer(call, seat.leg_id, for_person(call, seat, text))


def whisper_to_who_is_there(call: Interaction) -> None:
    """Those who whisper are heard by the colleagues who are on the call by now, and by nobody else."""
    for seat in call_seats.live(call):
        if seat.manner == CallSeat.Manner.WHISPER and seat.state == CallSeat.State.CONNECTED:
            attempt(lambda seat=seat: put_again(call, seat))  # type: ignore[misc]


def move_everybody(call: Interaction) -> None:
    """Puts everybody in the call's room into another room of it; who is elsewhere comes there later.

    A recording is of a room and ends with it; whether the next one is recorded is asked of `recording`, as at every move of the caller.
    Raises GatewayError when the caller could not be moved: the sweep tries again.
    """
    call_state.change_data(call.pk, lambda data: data.update(room_part=int(data.get("room_part", 0)) + 1))
    call = Interaction.objects.select_related("conversation", "entry_point").get(pk=call.pk)
    if call_state.place_of(call).at == call_state.ROOM:
        move_caller(call, call_state.ROOM)
    for seat in call_seats.live(call):
        if seat.state == CallSeat.State.CONNECTED:
            attempt(lambda seat=seat: put_again(call, seat))  # type: ignore[misc]


def transfer(call: Interaction, leg_id: str, actions: Ncco) -> None:
    """Replaces what a person's leg does. Raises GatewayError."""
    _tried(lambda: gateway.transfer(leg_id, actions, region_url=region_of(call)))


def hang_up(call: Interaction, leg_id: str) -> None:
    """Ends a leg that nobody waits for; what fails is done by the sweep."""
    if leg_id:
        attempt(lambda: gateway.hang_up(leg_id, region_url=region_of(call)))


def say(call: Interaction, leg_id: str, text: str) -> None:
    """Says something to one person's leg alone, in the language of the number; nobody waits for it."""
    attempt(lambda: gateway.say(leg_id, text, language=call.entry_point.language, region_url=region_of(call)))


def attempt(request: Callable[[], object]) -> bool:
    """Asks the platform for something that nobody waits for; says whether it did it."""
    try:
        request()
    except GatewayError as error:
        logger.warning("leg_not_changed: %s", error)
        return False
    return True


def region_of(call: Interaction) -> str:
    """The address that controls the call's legs, all of which are in its region; empty for the usual one."""
    return str(call.data.get("region_url", ""))


def note(call: Interaction, kind: str, body: str, *, key: str, everyone: bool = False, by: str = "", **data: Any) -> None:
    """Writes an entry about the call, once for each `key` and kind; `by` is the colleague who did it, empty for nobody."""
    timeline.append(
        Interaction.objects.values_list("conversation", flat=True).get(pk=call.pk),
        NewEntry(
            kind=kind,
            actor_kind="agent" if by else "system",
            actor_name=by,
            audience="everyone" if everyone else "staff",
            body=body,
            interaction=call,
            source_id=f"voice:{key}:{kind}",
            data=data,
        ),
    )


def _tried(request: Callable[[], None]) -> None:
    """Asks the platform for what does no harm when it is done twice, so it is tried again. Raises CallGone at once, GatewayError."""
    for number in range(1, TRIES + 1):
        try:
            return request()
        except CallGone:
            raise
        except GatewayError:
            if number == TRIES:
                raise
            time.sleep(PAUSE_SECONDS)
    return None


def _for_caller(call: Interaction, place: Place) -> Ncco:
    with override(call.language):
        if place.at == call_state.VOICE:
            return replies.aside(call, place.words)
        if place.at == call_state.ROOM:
            return _room(call, place.words, language=call.language)
        return ncco.on_hold(place.words, language=call.language, music=ncco.music_of(call.entry_point.waiting_music))


def _room(call: Interaction, text: str, *, language: str, **hearing: Any) -> Ncco:
    """Every leg comes into the call's room by this: the one place that says what is special about the room."""
    return ncco.room(text, name=name_of(call), language=language, **hearing)
