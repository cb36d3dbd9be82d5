"""A person's phone on a live call: rung, told privately what it is about, and put into the room where the caller waits.

A named room is used because a plain `connect` would end the caller's call when the person hangs up.
"""

import logging
import secrets
from collections.abc import Callable
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.models import Interaction
from conversations.services import call_state, threads, timeline
from conversations.services.delivery import CannotConnect
from conversations.services.timeline import NewEntry
from conversations.voice import gateway, ncco, placing, recording, replies
from conversations.voice.gateway import CallGone, GatewayError, PlacedCall
from conversations.voice.ncco import Ncco
from conversations.voice.protocol import CallEvent, CallInput
from routing.models import AgentProfile

logger = logging.getLogger(__name__)
ACCEPT_KEY: Final = "1"
RINGING: Final = "ringing"
TALKING: Final = call_state.PERSON_TALKING
ANSWERING_SECONDS: Final = 30
"""After the ringing: for the briefing, for the key, and for the platform's word that it is over."""
LOOKED_AT_SECONDS: Final = 60
"""How often the platform is asked whether a person who talks is still on the line."""


def connect(call: Interaction, agent: AgentProfile) -> None:
    """Ring the person's phone and let the caller wait for it. Raises CannotConnect with a sentence for the person.

    The call's row is locked while the leg is reserved, so that two presses of the button ring one phone once.
    """
    call = Interaction.objects.select_related("conversation__reason", "entry_point").get(pk=call.pk)
    attempt = _reserve(call, agent)
    language = call.entry_point.language

    def dial() -> PlacedCall:
        return gateway.create_call(
            to=agent.phone_number,
            caller=call.entry_point.address,
            ncco=ncco.consult(_briefing(call), answer_url=_url("voice:agent-input", call), language=language),
            event_url=_url("voice:agent-event", call),
            ring_seconds=ncco.RING_SECONDS,
        )

    try:
        placed = placing.place(dial, to=agent.phone_number, caller=call.entry_point.address)
        if not _name(call, attempt, placed.call_id):
            _try(lambda: gateway.hang_up(placed.call_id))
            raise CannotConnect(_("Your phone did not answer, or the caller has hung up."))
        if call_state.is_unplaced(call):
            _note_ringing(call, agent, placed)
            return
        with override(call.language):
            text = _("I am putting you through to %(name)s. Please stay on the line.") % {"name": agent.display_name}
        music = ncco.music_of(call.entry_point.waiting_music)
        room = ncco.waiting_room(text, room=room_of(call), language=call.language, music=music)
        recording.transfer(call, room, people=True)
    except CallGone as error:
        end(call)
        raise CannotConnect(_("The caller has hung up.")) from error
    except GatewayError as error:
        end(call)
        raise CannotConnect(_("The phone platform did not place the call. Try again, or answer by message.")) from error
    _note_ringing(call, agent, placed)
    if _leg_of(Interaction.objects.get(pk=call.pk)).get("attempt") != attempt:
        # The phone was declined before the caller was in the room, so they were taken back too early.
        _take_caller_back(call, _not_picked_up(agent.display_name))


def decide(call: Interaction, given: CallInput) -> Ncco:
    """The person's answer to the briefing: join the caller on 1, end the person's leg on anything else."""
    language = call.entry_point.language
    if call.state == Interaction.State.ENDED:
        return ncco.goodbye(_("The caller has hung up. Goodbye."), language=language)
    leg = _talking(call, given.call_id) if given.digits == ACCEPT_KEY else None
    if leg is None:
        return ncco.goodbye(_("The call is not connected. Goodbye."), language=language)
    if call_state.is_unplaced(call):
        music = ncco.music_of(call.entry_point.waiting_music)
        return ncco.waiting_room(_("Calling the customer now."), room=room_of(call), language=language, music=music)
    _note(
        call,
        kind="call.connected_to_agent",
        body=_("%(name)s is on the call.") % {"name": leg["name"]},
        audience="everyone",
        key=given.call_id,
    )
    return ncco.agent_room(_("Connected."), room=room_of(call), language=language)


def note_event(call: Interaction, event: CallEvent) -> None:
    """What happens to the person's leg: when it is over, the caller is taken back to where answers are spoken."""
    leg = _release(call, event.call_id) if event.is_terminal else None
    if leg and call.state != Interaction.State.ENDED:
        _take_caller_back(call, _note_leaving(call, leg))


def end(call: Interaction) -> None:
    """The caller is gone: end the person's leg too, if there is one; who called a customer that did not answer is told so."""
    call = Interaction.objects.select_related("entry_point").get(pk=call.pk)
    if call_state.is_ringing_out(call):
        say_goodbye(call, _("The customer did not answer. What happens next is in the inbox. Goodbye."))
        return
    leg = _leg_of(call)
    if leg:
        _remember(call, None)
        _hang_up(leg)


def say_goodbye(call: Interaction, text: str) -> None:
    """Tell the person on the call something last, and end their leg."""
    call = Interaction.objects.select_related("entry_point").get(pk=call.pk)
    leg = _leg_of(call)
    if leg:
        _remember(call, None)
    if leg and leg["id"]:
        _try(lambda: gateway.transfer(leg["id"], ncco.goodbye(text, language=call.entry_point.language)))


def is_ready_to_call(call: Interaction) -> bool:
    """Whether a person is on the phone for a customer who was not rung yet."""
    call = Interaction.objects.get(pk=call.pk)
    is_theirs = call_state.is_unplaced(call) and call.state != Interaction.State.ENDED
    return is_theirs and call_state.person_is_on(call)


def take_off(interaction_id: int, agent_id: int) -> None:
    """The person has the work no longer: end their leg, and take the caller back to where answers are spoken. Others' legs stay."""
    call = Interaction.objects.select_related("entry_point", "conversation").get(pk=interaction_id)
    leg = _leg_of(call)
    if not leg or leg["agent"] != agent_id or _release(call, leg["id"]) is None:
        return
    _hang_up(leg)
    if call.state != Interaction.State.ENDED:
        with override(call.language):
            text = _("%(name)s is not on the call any more. I am finding somebody else for you; please stay on the line.")
            _take_caller_back(call, text % {"name": leg["name"]})


def is_on(call: Interaction) -> bool:
    """Whether a person's phone is on the call or being rung, so that nothing may be spoken over it."""
    return _is_live(_leg_of(call))


def end_lost_legs() -> int:
    """Takes callers back whose person's leg was lost: it rang too long, or the platform says that it is over.

    The platform's event about it may never have come. Returns how many callers were taken back.
    """
    calls = Interaction.objects.filter(channel="voice", data__agent_leg__has_key="until").exclude(state=Interaction.State.ENDED)
    taken_back = 0
    for call in calls.select_related("conversation", "entry_point"):
        text = give_up_lost_leg(call)
        if text:
            _take_caller_back(call, text)
            taken_back += 1
    return taken_back


def give_up_lost_leg(call: Interaction) -> str | None:
    """Releases a leg that is overdue and lost; returns what the caller is to be told, None when there is no such leg."""
    leg = _leg_of(call)
    if not leg or _is_live(leg):
        return None
    if leg["state"] == TALKING and _is_still_there(leg):
        _extend(call, leg["attempt"])
        return None
    if _release(call, leg["id"]) is None:
        return None
    _hang_up(leg)
    return _note_leaving(call, leg)


def _reserve(call: Interaction, agent: AgentProfile) -> str:
    """Claims the call's one leg for this attempt, under the lock of its row. Raises CannotConnect when it is taken."""
    attempt = secrets.token_hex(8)

    def reserve(data: dict[str, Any]) -> None:
        if _is_live(data.get("agent_leg") or {}):
            raise CannotConnect(_("A phone is being connected to this call already."))
        data["agent_leg"] = {
            "attempt": attempt,
            "id": "",
            "state": RINGING,
            "agent": agent.pk,
            "name": agent.display_name,
            "until": timezone.now().timestamp() + ncco.RING_SECONDS + ANSWERING_SECONDS,
            "over": [],
        }

    call.data = call_state.change_data(call.pk, reserve).data
    return attempt


def _name(call: Interaction, attempt: str, leg_id: str) -> bool:
    """Keeps the leg's id; False when the leg or the call is over already."""
    named = False

    def name(data: dict[str, Any]) -> None:
        nonlocal named
        leg = data.get("agent_leg") or {}
        if leg.get("attempt") != attempt:
            return
        named = leg_id not in leg["over"]
        data["agent_leg"] = leg | {"id": leg_id} if named else None

    call.data = call_state.change_data(call.pk, name).data
    return named


def _talking(call: Interaction, leg_id: str) -> dict[str, Any] | None:
    """The leg, which talks from now on; None when this is not the call's leg."""
    talking: dict[str, Any] | None = None

    def talk(data: dict[str, Any]) -> None:
        nonlocal talking
        leg = data.get("agent_leg") or {}
        if leg.get("id") == leg_id:
            talking = data["agent_leg"] = leg | {"state": TALKING, "until": timezone.now().timestamp() + LOOKED_AT_SECONDS}

    call.data = call_state.change_data(call.pk, talk).data
    return talking


def _release(call: Interaction, leg_id: str) -> dict[str, Any] | None:
    """Takes the leg off the call, once; None when it is not the call's. An id not known yet is kept for `_name`."""
    released: dict[str, Any] | None = None

    def release(data: dict[str, Any]) -> None:
        nonlocal released
        leg = data.get("agent_leg") or {}
        if leg and leg["id"] == leg_id:
            released, data["agent_leg"] = leg, None
        elif leg and not leg["id"]:
            leg["over"].append(leg_id)

    call.data = call_state.change_data(call.pk, release).data
    return released


def _extend(call: Interaction, attempt: str) -> None:
    def extend(data: dict[str, Any]) -> None:
        leg = data.get("agent_leg") or {}
        if leg.get("attempt") == attempt:
            data["agent_leg"] = leg | {"until": timezone.now().timestamp() + LOOKED_AT_SECONDS}

    call.data = call_state.change_data(call.pk, extend).data


def _leg_of(call: Interaction) -> dict[str, Any]:
    return call.data.get("agent_leg") or {}


def _is_live(leg: dict[str, Any]) -> bool:
    return bool(leg) and float(leg["until"]) > timezone.now().timestamp()


def _is_still_there(leg: dict[str, Any]) -> bool:
    try:
        return gateway.is_live(leg["id"])
    except GatewayError as error:
        logger.warning("leg_not_looked_at: %s", error)
        return True


def _note_leaving(call: Interaction, leg: dict[str, Any]) -> str:
    """Notes for staff when the phone was not answered; returns what the caller is told."""
    if leg["state"] == TALKING:
        with override(call.language):
            return _("%(name)s has left the call. Is there anything else? Please tell me.") % {"name": leg["name"]}
    _note(
        call,
        kind="call.problem",
        body=_("%(name)s’s phone was not answered.") % {"name": leg["name"]},
        audience="staff",
        key=leg["id"] or leg["attempt"],
    )
    with override(call.language):
        return _not_picked_up(leg["name"])


def _not_picked_up(name: str) -> str:
    return _("%(name)s could not pick up the phone, and can answer you here. Please stay on the line.") % {"name": name}


def _take_caller_back(call: Interaction, text: str) -> None:
    """Out of the room, to where answers are spoken; a customer who was only being rung is not rung on."""
    call = Interaction.objects.select_related("conversation", "entry_point").get(pk=call.pk)
    if call_state.is_ringing_out(call):
        _stop_ringing(call)
        return
    actions = replies.aside(call, text)
    _try(lambda: recording.transfer(call, actions))


def _stop_ringing(call: Interaction) -> None:
    if not call_state.is_unplaced(call):
        _try(lambda: gateway.hang_up(call.provider_id, region_url=call.data.get("region_url", "")))
    elif threads.end_interaction(call, reason=call_state.NOT_PLACED):
        why = _("The call was not made: the phone of whoever was to make it was not answered, or hung up.")
        _note(call, kind="call.problem", body=why, audience="staff", key=call.public_id.hex)


def _note_ringing(call: Interaction, agent: AgentProfile, placed: PlacedCall) -> None:
    words = _("Ringing %(name)s’s phone.") % {"name": agent.display_name}
    _note(call, kind="call.ringing", body=words, audience="staff", key=placed.call_id)


def _hang_up(leg: dict[str, Any]) -> None:
    if leg["id"]:
        _try(lambda: gateway.hang_up(leg["id"]))


def _briefing(call: Interaction) -> str:
    reason = call.conversation.reason
    about = reason.name if reason else _("a customer’s call")
    if call_state.is_unplaced(call):
        words = _("%(company)s: a call to a customer, %(about)s. Press 1, and the customer is called.")
        return words % {"company": call.entry_point.company_name, "about": about}
    return _("%(company)s: %(about)s. The caller is waiting. Press 1 to be connected.") % {
        "company": call.entry_point.company_name,
        "about": about,
    }


def room_of(call: Interaction) -> str:
    return f"call-{call.public_id.hex}"


def _url(name: str, call: Interaction) -> str:
    return ncco.webhook_url(name, public_id=call.public_id)


def _remember(call: Interaction, leg: dict[str, Any] | None) -> None:
    call.data = call_state.change_data(call.pk, lambda data: data.update(agent_leg=leg)).data


def _note(call: Interaction, *, kind: str, body: str, audience: str, key: str) -> None:
    timeline.append(
        call.conversation_id,
        NewEntry(
            kind=kind,
            actor_kind="system",
            audience=audience,
            body=body,
            interaction=call,
            source_id=f"voice:{key}:{kind}",
        ),
    )


def _try(request: Callable[[], None]) -> None:
    """Ask the platform for something that nobody waits for."""
    try:
        request()
    except GatewayError as error:
        logger.warning("leg_not_changed: %s", error)
