"""The life of a call: it begins, the platform reports on it, the caller speaks, it ends.

The platform promises neither order nor exactly-once, so nothing here depends on either.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.flows import calling_back, inbound
from conversations.flows.inbound import CallStart, InboundMessage, InteractionOver, Received
from conversations.models import Conversation, EntryPoint, Interaction, WebhookRecord
from conversations.selectors import pace
from conversations.services import call_state, timeline
from conversations.services.parties import IdentifierClaim, Party
from conversations.services.timeline import NewEntry
from conversations.voice import agent_leg, callee, campaign_call, dialogue, ncco, replies
from conversations.voice.dialogue import Words
from conversations.voice.ncco import Ncco
from conversations.voice.protocol import AnsweredCall, CallEvent, CallInput, MalformedWebhook, parse_event

POLL_SECONDS: Final = 0.03
WEBHOOK_SLACK_SECONDS: Final = 4
"""A webhook that has not answered this long after its budget is taken for dead, and others may speak."""
DEFAULT_LANGUAGE: Final = "en-GB"


def answer(asked: AnsweredCall) -> Ncco:
    """A call to one of our numbers: file it, say that an AI answers, and ask how to help."""
    call = _begin(asked.call_id, dialled=asked.dialled, caller=asked.caller, region_url=asked.region_url, room=asked.room_id)
    if call is None:
        return ncco.goodbye(_("This number is not in service. Goodbye."), language=DEFAULT_LANGUAGE)
    with override(call.language):
        if call.state == Interaction.State.ENDED:
            return []
        if call.entry_point.mode == EntryPoint.Mode.OFF:
            return ncco.goodbye(
                _("Thank you for calling %(company)s. Nobody can take calls here at the moment. Goodbye.")
                % {"company": call.entry_point.company_name},
                language=call.language,
            )
        call_state.note_state(call.pk, Interaction.State.ACTIVE, answered_at=call.answered_at or timezone.now())
        dialogue.greet(call)
        said = _next_words(call) or replies.again(_call(asked.call_id) or call)
        return [*said[:-1], *replies.offers_of_languages(call), *said[-1:]]


def note_event(event: CallEvent) -> None:
    """What the platform reports about a caller's leg. Repetitions and any order leave the same record."""
    call = _call(event.call_id) if event.call_id else None
    if call is None and event.is_terminal and event.direction == "inbound" and event.dialled:
        call = _begin(event.call_id, dialled=event.dialled, caller=event.caller)
    if call is None:
        return
    if event.status == "ringing":
        call_state.note_state(call.pk, Interaction.State.RINGING)
    elif event.status == "answered":
        call_state.note_state(call.pk, Interaction.State.ACTIVE, answered_at=event.at)
        _note(call, event, kind="call.answered", body=_("Call answered."), audience="everyone")
    elif event.status in ("error", "disconnected"):
        _note(call, event, kind="call.problem", body=event.detail or event.status, audience="staff")
    elif event.is_terminal:
        inbound.end_interaction(event.call_id, reason=event.status, at=event.at)
        agent_leg.end(call)


def note_event_of_callee(public_id: UUID, event: CallEvent) -> None:
    """What the platform reports about a phone that a chat had us ring; the chat is told when it came to nothing."""
    if callee.note_event(public_id, event):
        note_event(event)
        calling_back.tell_when_over(public_id)


def note_event_of_campaign(public_id: UUID, event: CallEvent) -> None:
    """What the platform reports about a phone that a campaign has rung."""
    if campaign_call.note_event(public_id, event):
        note_event(event)
        campaign_call.note_over(public_id)


async def hear(given: CallInput) -> Ncco:
    """What follows from something said or keyed, or from silence.

    Waits for the reply as long as a webhook may; when it is not there in time, “one moment” keeps the line open and the
    reply is put into the live call by `delivery` as soon as it is there.
    """
    call = await sync_to_async(_call)(given.call_id)
    if call is None:
        return ncco.goodbye(_("Sorry, this call was lost. Please call again."), language=DEFAULT_LANGUAGE)
    with override(call.language):
        if call.state == Interaction.State.ENDED or call.conversation.status == Conversation.Status.CLOSED:
            return replies.closing(call)
        settle = _settler(call, given)
        settled = await sync_to_async(settle)(call, given)
        if settled is None:
            call = await sync_to_async(_call)(given.call_id) or call
            # A code may have led into a chat in another language.
            with override(call.language):
                return await sync_to_async(_next_words)(call) or await sync_to_async(replies.again)(call)
        if not isinstance(settled, Words):
            return settled
        try:
            return await _answered(call, given, settled)
        except InteractionOver:
            return replies.closing(call)


def _settler(call: Interaction, given: CallInput) -> Callable[[Interaction, CallInput], Words | Ncco | None]:
    """What settles something said or keyed, by who is on the line and what is known of them; the way out is always open."""
    if call_state.waits_for_code(call):
        return callee.settle
    is_way_out = given.digits == call_state.OUT_KEY and call_state.is_of_campaign(call)
    return campaign_call.settle if is_way_out or call_state.is_in_campaign_stage(call) else dialogue.settle


async def _answered(call: Interaction, given: CallInput, words: Words) -> Ncco:
    budget = timedelta(milliseconds=settings.VOICE_REPLY_BUDGET_MS)
    deadline = timezone.now() + budget
    await sync_to_async(_wait_until)(call, deadline)
    received = await inbound.receive(
        InboundMessage(
            entry_point_id=call.entry_point_id,
            provider_id=call.provider_id,
            party=_party(call.party),
            text=words.text,
            source_id=given.source_id,
            occurred_at=given.at,
            data=words.data,
        ),
        channel="voice",
    )
    if received.owner_kind == Conversation.Owner.ASSISTANT:
        await _turn_is_over(received, deadline)
    return await sync_to_async(_reply_or_filler)(call.provider_id, received)


def _reply_or_filler(call_id: str, received: Received) -> Ncco:
    call = Interaction.objects.select_related("conversation__owner_agent", "entry_point").get(provider_id=call_id)
    unspoken = call_state.claim_unspoken(call.pk, as_webhook=True, ready_by=replies.ready_by())
    # The turn may have changed the language.
    with override(call.language):
        return replies.of(unspoken) if unspoken else _nothing_to_say_yet(call, received)


def _nothing_to_say_yet(call: Interaction, received: Received) -> Ncco:
    if call.state == Interaction.State.ENDED:
        return replies.closing(call)
    if call.conversation.owner_agent:
        name = call.conversation.owner_agent.display_name
        return replies.aside(call, _("%(name)s has that and will answer you here.") % {"name": name})
    if replies.owes_a_reply(call.conversation):
        return replies.filler(call)
    if received.repeated:
        return replies.again(call)
    if pace.is_silent(call.conversation_id):
        return replies.silence(call)
    return replies.aside(call, _("One moment, please."))


async def _turn_is_over(received: Received, deadline: datetime) -> None:
    """Return when what was said has been answered or answering it is no longer the AI agent's, at the latest at `deadline`.

    Asks the record, since the turn may run in any process. Where the line goes on in another conversation, as after a right
    one-time code, the answer is awaited there: whether a caller's line had to move says what is known of their number.
    """
    here = Q(pk=received.conversation_id, joined_into__isnull=True, turn_done_seq__lt=received.seq)
    place = Interaction.objects.filter(pk=received.interaction_id).values("conversation")
    elsewhere = Q(pk__in=place, turn_done_seq__lt=F("turn_wanted_seq")) & ~Q(pk=received.conversation_id)
    owed = Conversation.objects.filter(here | elsewhere, owner_kind=Conversation.Owner.ASSISTANT)
    while timezone.now() < deadline and await owed.aexists():  # noqa: ASYNC110  # it happens in the database
        await asyncio.sleep(POLL_SECONDS)


def _wait_until(call: Interaction, deadline: datetime) -> None:
    until = (deadline + timedelta(seconds=WEBHOOK_SLACK_SECONDS)).timestamp()
    call_state.change_data(call.pk, lambda data: data.update(webhook_until=until))


def _next_words(call: Interaction) -> Ncco | None:
    unspoken = call_state.claim_unspoken(call.pk, as_webhook=True)
    return replies.of(unspoken) if unspoken else None


def _begin(call_id: str, *, dialled: str, caller: str | None, region_url: str = "", room: str = "") -> Interaction | None:
    """The call's interaction, begun when it is new; None when the number is not one of ours."""
    entry_point = EntryPoint.objects.filter(channel="voice", address=dialled).first()
    if entry_point is None:
        return None
    if not _call(call_id):
        inbound.begin_call(
            CallStart(
                entry_point_id=entry_point.pk,
                provider_id=call_id,
                party=_party(caller),
                data={"region_url": region_url, "room": room},
            )
        )
        _note_earlier_events(call_id)
    return _call(call_id)


def _call(call_id: str) -> Interaction | None:
    return (
        Interaction.objects.select_related("conversation__owner_agent", "entry_point").filter(provider_id=call_id, channel="voice").first()
    )


def _party(caller: str | None) -> Party:
    """A caller ID is a hint from the network, not a proof; a withheld one is nobody's."""
    if not caller or not caller.startswith("+"):
        return Party((), _("Withheld number"))
    return Party((IdentifierClaim("phone", caller, "network_hint"),), caller)


def _note_earlier_events(call_id: str) -> None:
    """Take in what the platform reported about the call before it asked what to do with it."""
    for record in WebhookRecord.objects.filter(kind="event", provider_id=call_id).order_by("pk"):
        with suppress(MalformedWebhook):
            note_event(parse_event(record.body))


def _note(call: Interaction, event: CallEvent, *, kind: str, body: str, audience: str) -> None:
    timeline.append(
        call.conversation_id,
        NewEntry(
            kind=kind,
            actor_kind="system",
            audience=audience,
            body=body,
            interaction=call,
            source_id=event.source_id,
            occurred_at=event.at,
            data={"status": event.status, "detail": event.detail},
        ),
    )
