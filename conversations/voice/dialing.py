"""The only place that has the platform ring a customer's phone: with a permission that is committed, and once."""

from __future__ import annotations

import logging

from django.db import connection
from django.utils.translation import gettext as _

from conversations.models import Interaction
from conversations.services import call_state, dial_attempts
from conversations.services.delivery import NotRung
from conversations.services.dial_attempts import NotPermitted
from conversations.voice import gateway, ncco, placing
from conversations.voice.gateway import GatewayError, PlacedCall, Unclear

logger = logging.getLogger(__name__)


def ring(call: Interaction, *, answer_url: str, event_url: str, on_machine: gateway.OnMachine = "hangup") -> None:
    """Ring the party of an outbound call, once, for which `services.dialing.permit` has given the permission.

    Raises NotRung with a sentence for staff when the phone does not ring. When nobody knows whether it does, the line stays as one
    that rings, and its permission lives on: the webhooks, or `reconciling`, say what became of it. Raises RuntimeError in a
    transaction, since a permission that is not committed counts for nobody else.
    """
    if connection.in_atomic_block:
        raise RuntimeError("The permission to ring a phone is committed before the phone is rung.")
    try:
        dial_attempts.use(call)
    except NotPermitted as error:
        raise NotRung(_("The call was not placed: there is no permission to ring this phone.")) from error

    def dial() -> PlacedCall:
        return gateway.call_person(
            to=call.party,
            caller=call.entry_point.address,
            answer_url=answer_url,
            event_url=event_url,
            ring_seconds=ncco.RING_SECONDS,
            on_machine=on_machine,
        )

    try:
        placed = placing.place(dial, to=call.party, caller=call.entry_point.address)
    except Unclear as error:
        logger.warning("call_unclear", extra={"call": str(call.public_id), "error": str(error)})
        return
    except GatewayError as error:
        raise NotRung(_("The phone platform did not place the call: %(why)s.") % {"why": error}) from error
    call_state.adopt(call.public_id, placed.call_id)
