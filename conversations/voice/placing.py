"""One phone rings once, whatever the platform or the way to it does.

The platform knows no idempotency key: a request that was cut off may have rung the phone all the same, so it is never simply
sent again. What became of it is looked up in the platform's own list of calls.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from conversations.models import CallLeg, Interaction
from conversations.selectors.call_reports import known_time
from conversations.voice import gateway
from conversations.voice.gateway import GatewayError, PlacedCall, Unclear
from conversations.voice.protocol import address_of, number_of

CLOCKS_APART: Final = timedelta(seconds=60)


def place(dial: Callable[[], PlacedCall], *, to: str, caller: str) -> PlacedCall:
    """Rings `to` (E.164, or a SIP address) from our number `caller` by `dial`, once; returns the leg. Blocks for the platform's answer.

    Raises GatewayError when the phone does not ring, and Unclear when nobody can tell: then it must not be dialled again before
    what became of it is known (see `reconciling`).
    """
    asked_at = timezone.now()
    try:
        return dial()
    except Unclear as error:
        try:
            found = look_up(to=to, caller=caller, since=asked_at)
        except GatewayError:
            raise error from None
        if found:
            return found
        if error.is_over:
            raise GatewayError(str(error)) from error
        raise


def look_up(*, to: str, caller: str, since: datetime) -> PlacedCall | None:
    """The leg that rings or rang `to` from `caller` since then and that we know of no request of, by the platform's list.

    Raises GatewayError.
    """
    earliest = since - CLOCKS_APART
    for record in gateway.records(since=earliest):
        is_ours = address_of(record.get("to")) == to and number_of(record.get("from")) == caller
        leg_id = record.get("uuid")
        began_at = known_time(record.get("start_time"))
        if not is_ours or record.get("direction") != "outbound" or not isinstance(leg_id, str) or (began_at and began_at < earliest):
            continue
        if not is_known(leg_id):
            return PlacedCall(leg_id, str(record.get("conversation_uuid", "")))
    return None


def is_known(leg_id: str) -> bool:
    """Whether a leg is on one of the calls here."""
    on_a_call = CallLeg.objects.filter(leg_id=leg_id, interaction__isnull=False)
    return on_a_call.exists() or Interaction.objects.filter(provider_id=leg_id).exists()
