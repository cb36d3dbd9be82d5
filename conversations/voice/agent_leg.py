"""A person's phone on a live call: rung, told privately what it is about, and put into the room where the caller waits.

A named room is used because a plain `connect` would end the caller's call when the person hangs up.
"""

import logging
from collections.abc import Callable
from typing import Any, Final

from django.utils.translation import gettext as _

from conversations.models import Interaction
from conversations.services import call_state, timeline
from conversations.services.delivery import CannotConnect
from conversations.services.timeline import NewEntry
from conversations.voice import gateway, ncco, replies
from conversations.voice.gateway import CallGone, GatewayError
from conversations.voice.ncco import Ncco
from conversations.voice.protocol import CallEvent, CallInput
from routing.models import AgentProfile

logger = logging.getLogger(__name__)
ACCEPT_KEY: Final = "1"
RINGING: Final = "ringing"
TALKING: Final = "talking"


def connect(call: Interaction, agent: AgentProfile) -> None:
    """Ring the person's phone and let the caller wait for it. Raises CannotConnect with a sentence for the person."""
    call = Interaction.objects.select_related("conversation__reason", "entry_point").get(pk=call.pk)
    if (call.data.get("agent_leg") or {}).get("state") in (RINGING, TALKING):
        raise CannotConnect(_("A phone is being connected to this call already."))
    language = call.entry_point.language
    try:
        placed = gateway.create_call(
            to=agent.phone_number,
            caller=call.entry_point.address,
            ncco=ncco.consult(_briefing(call), answer_url=_url("voice:agent-input", call), language=language),
            event_url=_url("voice:agent-event", call),
            ring_seconds=ncco.RING_SECONDS,
        )
        _remember(call, {"id": placed.call_id, "state": RINGING, "agent": agent.pk, "name": agent.display_name})
        text = _("I am putting you through to %(name)s. Please stay on the line.") % {"name": agent.display_name}
        gateway.transfer(
            call.provider_id,
            ncco.waiting_room(text, room=_room(call), language=language),
            region_url=call.data.get("region_url", ""),
        )
    except CallGone as error:
        end(call)
        raise CannotConnect(_("The caller has hung up.")) from error
    except GatewayError as error:
        end(call)
        raise CannotConnect(_("The phone platform did not place the call. Try again, or answer by message.")) from error
    _note(
        call,
        kind="call.ringing",
        body=_("Ringing %(name)s’s phone.") % {"name": agent.display_name},
        audience="staff",
        key=placed.call_id,
    )


def decide(call: Interaction, given: CallInput) -> Ncco:
    """The person's answer to the briefing: join the caller on 1, end the person's leg on anything else."""
    leg = call.data.get("agent_leg") or {}
    language = call.entry_point.language
    if leg.get("id") != given.call_id or call.state == Interaction.State.ENDED:
        return ncco.goodbye(_("The caller has hung up. Goodbye."), language=language)
    if given.digits != ACCEPT_KEY:
        return ncco.goodbye(_("The call is not connected. Goodbye."), language=language)
    _remember(call, leg | {"state": TALKING})
    _note(
        call,
        kind="call.connected_to_agent",
        body=_("%(name)s is on the call.") % {"name": leg["name"]},
        audience="everyone",
        key=given.call_id,
    )
    return ncco.agent_room(_("Connected."), room=_room(call), language=language)


def note_event(call: Interaction, event: CallEvent) -> None:
    """What happens to the person's leg: when it is over, the caller is taken back to where answers are spoken."""
    leg = call.data.get("agent_leg") or {}
    if not event.is_terminal or leg.get("id") != event.call_id:
        return
    _remember(call, None)
    if call.state == Interaction.State.ENDED:
        return
    if leg.get("state") == TALKING:
        text = _("%(name)s has left the call. Is there anything else? Please tell me.")
    else:
        text = _("%(name)s could not pick up the phone, and can answer you here. Please stay on the line.")
        _note(
            call,
            kind="call.problem",
            body=_("%(name)s’s phone was not answered.") % {"name": leg["name"]},
            audience="staff",
            key=event.call_id,
        )
    call = Interaction.objects.select_related("conversation", "entry_point").get(pk=call.pk)
    actions = replies.aside(call, text % {"name": leg["name"]})
    _try(lambda: gateway.transfer(call.provider_id, actions, region_url=call.data.get("region_url", "")))


def end(call: Interaction) -> None:
    """The caller is gone: end the person's leg too, if there is one."""
    leg = (Interaction.objects.get(pk=call.pk).data.get("agent_leg")) or {}
    if leg:
        _remember(call, None)
        _try(lambda: gateway.hang_up(leg["id"]))


def is_on(call: Interaction) -> bool:
    """Whether a person's phone is on the call or being rung, so that nothing may be spoken over it."""
    return bool(call.data.get("agent_leg"))


def _briefing(call: Interaction) -> str:
    reason = call.conversation.reason
    about = reason.name if reason else _("a customer’s call")
    return _("%(company)s: %(about)s. The caller is waiting. Press 1 to be connected.") % {
        "company": call.entry_point.company_name,
        "about": about,
    }


def _room(call: Interaction) -> str:
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
