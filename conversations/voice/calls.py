"""What is said on a call: the greeting, and what follows from each thing that the caller says. What happens to it: `call_events`."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.assistant import turn
from conversations.flows import inbound
from conversations.flows.inbound import InboundMessage, InteractionOver, Received
from conversations.models import Conversation, EntryPoint, Interaction
from conversations.selectors import pace
from conversations.services import call_legs, call_state
from conversations.voice import (
    absence,
    call_back_call,
    call_events,
    callee,
    campaign_call,
    dialogue,
    left_alone,
    ncco,
    pausing,
    recording,
    replies,
    survey,
    waiting,
)
from conversations.voice.dialogue import Words
from conversations.voice.ncco import Ncco
from conversations.voice.protocol import AnsweredCall, CallInput

POLL_SECONDS: Final = 0.03
WEBHOOK_SLACK_SECONDS: Final = 4
"""A webhook that has not answered this long after its budget is taken for dead, and others may speak."""
DEFAULT_LANGUAGE: Final = "en-GB"


def answer(asked: AnsweredCall) -> Ncco:
    """A call to one of our numbers: file it, say that an AI answers, and ask how to help."""
    call = call_events.begin(
        asked.call_id, dialled=asked.dialled, caller=asked.caller, region_url=asked.region_url, room=asked.room_id, at=asked.at
    )
    if call is None:
        call_legs.take_in(asked.call_id)
        return ncco.goodbye(_("This number is not in service. Goodbye."), language=DEFAULT_LANGUAGE)
    call_events.follow(call)
    call = call_events.find(asked.call_id) or call
    with override(call.language):
        if call.state == Interaction.State.ENDED:
            return []
        if call.entry_point.mode == EntryPoint.Mode.OFF:
            return ncco.goodbye(
                _("Thank you for calling %(company)s. Nobody can take calls here at the moment. Goodbye.")
                % {"company": call.entry_point.company_name},
                language=call.language,
            )
        if not call.data.get("region_url"):
            call_state.change_data(call.pk, lambda data: data.update(region_url=asked.region_url, room=asked.room_id))
        if not recording.ask_first(call):
            dialogue.greet(call)
        said = _next_words(call) or replies.again(call_events.find(asked.call_id) or call)
        call = call_events.find(asked.call_id) or call
        return recording.begin_call(call, ncco.before_listening(said, replies.offers_of_languages(call)))


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that was kept in the transaction that took what it says."""

    answer: Ncco


Keeper = Callable[[Ncco], None]
"""Keeps what a webhook is answered, in the transaction that is under way."""


async def hear(given: CallInput, keep: Keeper) -> Ncco | Kept:
    """What follows from something said or keyed, or from silence. A turn's reply is kept by `keep` with what it takes.

    Waits for the reply as long as a webhook may; when it is not there in time, “one moment” keeps the line open and the
    reply is put into the live call by `delivery` as soon as it is there.
    """
    call, settled = await sync_to_async(_found)(given)
    if call is None:
        return ncco.goodbye(_("Sorry, this call was lost. Please call again."), language=DEFAULT_LANGUAGE)
    is_recorded = recording.concerns(call)
    with override(call.language):
        actions = await _said_to(call, given, settled, None if is_recorded else keep)
    return actions if isinstance(actions, Kept) or not is_recorded else await _recorded(call, given, actions, settled)


def _found(given: CallInput) -> tuple[Interaction | None, Words | Ncco | None]:
    """The call, and what is settled at once of what was said or keyed on it."""
    call = _begun(given)
    if call is None:
        return None, None
    with override(call.language):
        is_closed = call.conversation.status == Conversation.Status.CLOSED and not survey.concerns(call, given)
        if call.state == Interaction.State.ENDED or is_closed:
            return call, replies.closing(call)
        return call, _settled(call, given)


async def _recorded(call: Interaction, given: CallInput, actions: Ncco, settled: Words | Ncco | None) -> Ncco:
    """The actions, with what they are to do about a recording."""
    await sync_to_async(pausing.look_at)(call, given)
    call = await sync_to_async(call_events.find)(given.call_id) or call
    actions = await sync_to_async(recording.settled)(call, actions, may_ask=isinstance(settled, Words))
    return await recording.left(call, actions)


async def _said_to(call: Interaction, given: CallInput, settled: Words | Ncco | None, keep: Keeper | None) -> Ncco | Kept:
    """The actions that answer what was settled: those themselves, the entries that it wrote, or the answer of a turn."""
    if settled is None:
        call = await sync_to_async(call_events.find)(given.call_id) or call
        # A code may have led into a chat in another language.
        with override(call.language):
            return await sync_to_async(_next_words)(call) or await sync_to_async(replies.again)(call)
    if not isinstance(settled, Words):
        return settled
    try:
        return await _answered(call, given, settled, keep)
    except InteractionOver:
        return replies.closing(call)


def _settled(call: Interaction, given: CallInput) -> Words | Ncco | None:
    """What follows from something said or keyed, or from silence: then what is to be said already goes first."""
    if not is_silence(given):
        call_state.note_that_it_was_heard(call)
    elif not call_state.waits_for_code(call) and not call_state.is_being_recognised(call):
        _stop_waiting_when_too_long(call)
        unspoken = call_state.claim_unspoken(call.pk, as_webhook=True, ready_by=replies.ready_by())
        call = call_events.find(given.call_id) or call
        if unspoken or call_state.was_just_spoken_into(call):
            return None if unspoken is None else replies.of(unspoken)
    return _settler(call, given)(call, given)


def _stop_waiting_when_too_long(call: Interaction) -> bool:
    """A person is asked in place of a reply that does not come, and the webhook says so; whether that was due."""
    if not replies.keeps_waiting(call):
        return False
    _wait_until(call, timezone.now())
    turn.give_up(call.conversation_id)
    return True


def is_silence(given: CallInput) -> bool:
    """Whether nothing was said or keyed, and nothing went wrong with listening either."""
    return not given.digits and not given.hypotheses and not given.is_failure


def _settler(call: Interaction, given: CallInput) -> Callable[[Interaction, CallInput], Words | Ncco | None]:
    """What settles something said or keyed, by who is on the line and what is known of them; the way out is always open."""
    if call_state.waits_for_code(call):
        return callee.settle
    if call_back_call.concerns(call, given):
        return call_back_call.settle
    if recording.awaits_answer(call):
        return recording.settle
    if survey.concerns(call, given):
        return survey.settle
    is_way_out = given.digits == call_state.OUT_KEY and call_state.is_of_campaign(call)
    if is_way_out or call_state.is_in_campaign_stage(call):
        return campaign_call.settle
    said = given.hypotheses[0].text if given.hypotheses else ""
    is_left = absence.is_left_alone(call) or absence.tells_nobody_of_danger(call, said)
    return left_alone.settle if is_left else waiting.settle


async def _answered(call: Interaction, given: CallInput, words: Words, keep: Keeper | None) -> Ncco | Kept:
    budget = timedelta(milliseconds=settings.VOICE_REPLY_BUDGET_MS)
    deadline = timezone.now() + budget
    received = await inbound.receive(
        InboundMessage(
            entry_point_id=call.entry_point_id,
            provider_id=call.provider_id,
            party=call_events.party_of(call.party),
            text=words.text,
            source_id=given.source_id,
            occurred_at=given.at,
            data=words.data,
            on_line=_waiting_until(deadline),
        ),
        channel="voice",
    )
    if received.owner_kind == Conversation.Owner.ASSISTANT:
        await _turn_is_over(received, deadline)
    return await sync_to_async(_reply_or_filler)(call.provider_id, received, keep)


def _reply_or_filler(call_id: str, received: Received, keep: Keeper | None) -> Ncco | Kept:
    with transaction.atomic():
        actions = replies.taken(received.interaction_id)
        if actions is not None and keep:
            keep(actions)
            return Kept(actions)
    if actions is None:
        call = Interaction.objects.select_related("conversation__owner_agent", "entry_point").get(provider_id=call_id)
        if _stop_waiting_when_too_long(call):
            actions = replies.taken(call.pk)
        if actions is None:
            with override(call.language):
                return _nothing_to_say_yet(call, received)
    return actions


def _nothing_to_say_yet(call: Interaction, received: Received) -> Ncco:
    if call.state == Interaction.State.ENDED:
        return replies.closing(call)
    if absence.is_nobody_in(call):
        return replies.aside(call, absence.kept())
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

    The turn mostly runs in this process, and is waited for; otherwise the record is asked, since it may run in any. Where the line goes
    on in another conversation, as after a right one-time code, the answer is awaited there: whether a caller's line had to move
    says what is known of their number.
    """
    if await turn.wait_for(received.conversation_id, (deadline - timezone.now()).total_seconds()):
        return
    here = Q(pk=received.conversation_id, joined_into__isnull=True, turn_done_seq__lt=received.seq)
    place = Interaction.objects.filter(pk=received.interaction_id).values("conversation")
    elsewhere = Q(pk__in=place, turn_done_seq__lt=F("turn_wanted_seq")) & ~Q(pk=received.conversation_id)
    owed = Conversation.objects.filter(here | elsewhere, owner_kind=Conversation.Owner.ASSISTANT)
    while timezone.now() < deadline and await owed.aexists():  # noqa: ASYNC110  # it happens in the database
        await asyncio.sleep(POLL_SECONDS)


def _wait_until(call: Interaction, deadline: datetime) -> None:
    call_state.remember(call.pk, **_waiting_until(deadline))


def _waiting_until(deadline: datetime) -> dict[str, float]:
    """What the call's data holds while a webhook waits for the reply, see `call_state`."""
    return {"webhook_until": (deadline + timedelta(seconds=WEBHOOK_SLACK_SECONDS)).timestamp()}


def _next_words(call: Interaction) -> Ncco | None:
    unspoken = call_state.claim_unspoken(call.pk, as_webhook=True)
    return replies.of(unspoken) if unspoken else None


def _begun(given: CallInput) -> Interaction | None:
    """The call, begun now when nothing is known of it although its caller is on the line."""
    call = call_events.find(given.call_id)
    if call is None and given.dialled:
        call = call_events.begin(given.call_id, dialled=given.dialled, caller=given.caller, at=given.at)
    return call
