"""Puts what is to be said into a live call when no webhook is waiting to say it."""

import logging
import time
from typing import Final

from django.utils import timezone
from django.utils.translation import override

from conversations.models import Conversation, Interaction
from conversations.services import call_state, delivery
from conversations.services.delivery import LiveLine
from conversations.voice import callee, campaign_call, gateway, leaving, leaving_message, pausing, recording, replies, seats
from conversations.voice.gateway import CallGone, GatewayError
from routing.compiled import CompiledOnce, Given

logger = logging.getLogger(__name__)
LONGEST_WAIT_SECONDS: Final = 2.0
LIVE: Final = CompiledOnce(
    lambda: Interaction.objects.filter(pk=Given("call"))
    .exclude(state=Interaction.State.ENDED)
    .select_related("conversation", "entry_point")
)


def register() -> None:
    """Make this the way by which entries and people reach a call."""
    delivery.register("voice", speak, is_served=_webhook_says_it)
    delivery.register_connector("voice", seats.connect)
    delivery.register_releaser("voice", leaving.take_off)
    delivery.register_silencer("voice", leaving.stop_ringing_for)
    delivery.register_ringer("voice", ring)
    delivery.register_recorder("voice", pausing.leave_when_unwanted)
    delivery.register_pauser("voice", Pausing())
    leaving_message.register()


class Pausing:
    """Pauses recordings of calls, and goes on with them."""

    def pause(self, interaction_id: int, *, by: str, why: str) -> bool:
        """See `pausing.pause`."""
        return pausing.pause(interaction_id, by=by, why=why)

    def resume(self, interaction_id: int, *, by: str) -> bool:
        """See `pausing.resume`."""
        return pausing.resume(interaction_id, by=by)


def ring(call: Interaction) -> None:
    """Ring the party of an outbound call that a campaign makes or that a chat asked for. Raises NotRung."""
    (campaign_call.ring if call_state.is_of_campaign(call) else callee.ring)(call)


def _webhook_says_it(line: LiveLine) -> bool:
    """Whether the caller talks with the voice, and a webhook waits for what there is to say: nobody else has anything to do then."""
    is_open = line.conversation_status == Conversation.Status.OPEN
    is_with_voice = (line.caller_at or call_state.VOICE) == call_state.VOICE
    return is_open and is_with_voice and (line.webhook_until or 0) > timezone.now().timestamp()


def speak(interaction_id: int) -> None:
    """Say into the call what was not said yet, replacing what it is doing. Never raises; blocks for the platform's answer.

    What could not be put into the call is given back, and is said when the caller is next listened to.
    """
    call = LIVE.first(call=interaction_id)
    if call is None or call_state.is_ringing_out(call) or call_state.waits_for_code(call) or call_state.is_being_recognised(call):
        return
    place = call_state.place_of(call)
    if _webhook_says_it(LiveLine(call.pk, "voice", call.conversation.status, call.data.get("webhook_until"), place.at)):
        return
    leaving.look_after(call)
    call.refresh_from_db(fields=["data"])
    place = call_state.place_of(call)
    if place.at in call_state.IN_ROOMS:
        return
    if call.conversation.status == Conversation.Status.CLOSED:
        if not call_state.is_in_survey(call):
            _say_goodbye(call)
        return
    if call_state.webhook_waits(call):
        return
    _let_the_filler_be_said(call)
    unspoken = call_state.claim_unspoken(interaction_id, as_webhook=False)
    if unspoken is None:
        return
    with override(unspoken.interaction.language):
        actions = replies.of(unspoken)
    if place.at == call_state.PARKED:
        call_state.move(call.pk, call_state.VOICE, is_reached=True)
    try:
        recording.transfer(unspoken.interaction, actions)
    except CallGone:
        logger.info("call_gone_before_reply", extra={"call": call.provider_id})
    except GatewayError as error:
        call_state.give_back(unspoken)
        logger.warning("reply_not_spoken", extra={"call": call.provider_id, "error": str(error)})


def _say_goodbye(call: Interaction) -> None:
    """A person closed the conversation while the caller was on the line: their last words, and goodbye."""
    unspoken = call_state.claim_unspoken(call.pk, as_webhook=False)
    with override(call.language):
        actions = replies.closing(call, unspoken)
    try:
        gateway.transfer(call.provider_id, actions, region_url=call.data.get("region_url", ""))
    except GatewayError as error:
        logger.info("goodbye_not_spoken", extra={"call": call.provider_id, "error": str(error)})


def _let_the_filler_be_said(call: Interaction) -> None:
    """A reply that replaced the filler at once could reach the platform before it, and would then be lost."""
    waited = 0.0
    while waited < LONGEST_WAIT_SECONDS:
        wait = float(call.data.get("speak_after", 0)) - timezone.now().timestamp()
        if wait <= 0:
            return
        time.sleep(min(wait, LONGEST_WAIT_SECONDS))
        waited += wait
        # Another silence may have had another filler said meanwhile.
        call.refresh_from_db(fields=["data"])
