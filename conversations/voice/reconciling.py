"""The platform's own list of calls against ours: what webhooks did not tell, because they were lost, is taken from there.

What the list says is kept as a raw webhook of its own kind and taken in like any other, so that the state of a call still follows
from the raw webhooks alone, and one that comes late after all changes nothing.
"""

import hashlib
import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet
from django.utils import timezone

from conversations.flows import calling_back, inbound
from conversations.models import CallLeg, CallSeat, EntryPoint, Interaction
from conversations.selectors.call_reports import RECORD
from conversations.selectors.limbo import LONGEST_CALL
from conversations.services import call_state, transport
from conversations.voice import call_events, gateway, placing, protocol
from conversations.voice.gateway import CallGone, GatewayError
from conversations.voice.protocol import CallEvent, MalformedWebhook

logger = logging.getLogger(__name__)
ON_THEIR_WAY: Final = timedelta(seconds=30)
"""So long after an end its webhook may still be on its way, and after a start the platform's list may not have the call."""
UNHEARD: Final = timedelta(minutes=2)
"""A live call that began before that and is not in the list is asked about by its id."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a comparison found: calls in the platform's list, of how many it told news, and how many ended here because of it."""

    looked_at: int
    news: int
    ended: int


def reconcile(*, since: datetime | None = None) -> Reconciled:
    """Compares the platform's list of the calls since then (as far back as a call can last) with ours, and takes in what is missing.

    Raises GatewayError when the platform does not list its calls.
    """
    live_before = set(_live().values_list("pk", flat=True))
    listed: set[str] = set()
    news = 0
    for record in gateway.records(since=since or timezone.now() - LONGEST_CALL):
        listed.add(str(record.get("uuid")))
        news += take_in(record)
    for call in _live().filter(started_at__lt=timezone.now() - UNHEARD).exclude(provider_id__in=listed):
        _ask_about(call)
    _settle_unplaced()
    return Reconciled(len(listed), news, len(live_before - set(_live().values_list("pk", flat=True))))


def take_in(record: dict[str, Any]) -> bool:
    """Takes in what the platform's list says of one leg, when it is news and about a call of ours; says whether it was."""
    try:
        body = protocol.body_of_record(record)
        event = protocol.parse_event(body)
    except MalformedWebhook:
        return False
    leg = CallLeg.objects.select_related("interaction").filter(leg_id=event.call_id).first()
    call = leg.interaction if leg and leg.interaction else Interaction.objects.filter(provider_id=event.call_id).first()
    if not _is_news(event, leg, call):
        return False
    _keep(body)
    if call is not None and leg is not None and leg.role == CallLeg.Role.AGENT:
        seat = CallSeat.objects.filter(interaction=call, leg_id=event.call_id).select_related("agent", "outside", "offer").first()
        call_events.note_event_of_person(call, seat, event)
    else:
        call_events.note_record(event)
        _tell(call)
    return True


def _is_news(event: CallEvent, leg: CallLeg | None, call: Interaction | None) -> bool:
    """Whether a leg is over by the platform's list and not here, and its webhook is late.

    Only legs on calls of ours count, and calls to our numbers that nothing is known of.
    """
    if not event.is_terminal or event.at > timezone.now() - ON_THEIR_WAY:
        return False
    if call is None:
        return event.direction == "inbound" and EntryPoint.objects.filter(channel="voice", address=event.dialled).exists()
    if leg is None or leg.state != CallLeg.State.ENDED:
        return True
    return leg.role == CallLeg.Role.CUSTOMER and call.state != Interaction.State.ENDED


def _keep(body: dict[str, Any]) -> None:
    """Keeps what the list said as a raw webhook, once for each leg and status; its price may be told later, and need not be."""
    raw = json.dumps(body, sort_keys=True).encode()
    try:
        transport.record_webhook(
            token_id=f"{RECORD}:{body['uuid']}:{body['status']}",
            body_hash=hashlib.sha256(raw).hexdigest(),
            kind=RECORD,
            provider_id=body["uuid"],
            body=body,
        )
    except transport.TokenReused:
        logger.info("call_record_changed", extra={"call": body["uuid"]})


def _live() -> QuerySet[Interaction]:
    """Calls that are going on, of those that the platform has named."""
    unplaced = call_state.UNPLACED
    return Interaction.objects.filter(channel="voice").exclude(state=Interaction.State.ENDED).exclude(provider_id__startswith=unplaced)


def _ask_about(call: Interaction) -> None:
    """One live call that the list does not have: what the platform knows of it, or that it knows nothing."""
    region_url = call.data.get("region_url", "")
    try:
        take_in(gateway.record(call.provider_id, region_url=region_url))
    except CallGone:
        # Without its region's address, the call may live where it was not asked for; the sweep ends it in time.
        if region_url:
            inbound.end_interaction(call.provider_id, reason="lost")
            _tell(call)
    except GatewayError as error:
        logger.warning("call_not_looked_up", extra={"call": call.provider_id, "error": str(error)})


def _settle_unplaced() -> None:
    """Calls of ours of which nobody knows whether the platform placed them: found in its list, or given up."""
    unplaced = Interaction.objects.filter(channel="voice", provider_id__startswith=call_state.UNPLACED)
    waiting = unplaced.exclude(state=Interaction.State.ENDED).filter(started_at__lt=timezone.now() - ON_THEIR_WAY)
    # Before a customer is rung whom a person calls, that person's phone is; what becomes of that is looked after by `leaving`.
    waiting = waiting.exclude(data__has_key="call_back", dial_attempt__dialled_at__isnull=True)
    for call in waiting.select_related("entry_point"):
        found = placing.look_up(to=call.party, caller=call.entry_point.address, since=call.started_at)
        if found is None:
            calling_back.give_up(call)
        elif adopted := call_state.adopt(call.public_id, found.call_id):
            _ask_about(adopted)


def _tell(call: Interaction | None) -> None:
    """The chat that asked for the call hears that it is over."""
    if call is not None and call_state.waits_for_code(call):
        calling_back.tell_when_over(call.public_id)
