"""What each door of the phone platform does with a webhook that is proven and readable: it parses, calls one function, answers.

A door answers with an NCCO, or with None where the call goes on as it is.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from asgiref.sync import sync_to_async
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from conversations.models import CallSeat, Interaction
from conversations.services import call_seats
from conversations.voice import (
    call_back_call,
    call_events,
    callee,
    calls,
    campaign_call,
    leaving,
    leaving_message,
    ncco,
    protocol,
    seats,
    texting,
)
from conversations.voice.protocol import MalformedWebhook

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Delivered:
    """A webhook: its body, the id of the token that signed it, and the call that its address names, if it names one.

    So with the place on it: `named_seat` is that of the person whose phone it is about. `keep` keeps what it is answered, in the
    transaction that is under way.
    """

    body: Body
    token_id: str
    named_call: UUID | None
    keep: Callable[[Any], None]
    named_seat: UUID | None = None


@dataclass(frozen=True, slots=True)
class Then:
    """An answer, and what is done once it was given: what takes longer than the platform waits."""

    answer: Any
    work: Callable[[], None]


Handler = Callable[[Delivered], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Door:
    """A door: the kind under which its raw webhooks are kept, and what it does."""

    kind: str
    handle: Handler


async def answer(webhook: Delivered) -> Any:
    """The platform asks what to do with a call that reached one of our numbers."""
    return await sync_to_async(calls.answer)(protocol.parse_answer(webhook.body))


async def event(webhook: Delivered) -> Any:
    """The platform reports what happened to a call: any status, a transfer, machine detection, an error."""
    return await sync_to_async(call_events.note_event)(protocol.parse_event(webhook.body))


async def input_given(webhook: Delivered) -> Any:
    """The caller said or keyed something, or was silent."""
    return await calls.hear(protocol.parse_input(webhook.body, token_id=webhook.token_id), webhook.keep)


async def listening(webhook: Delivered) -> Any:
    """The same while the caller was given time: silence is answered with nothing, and the call goes on by itself."""
    given = protocol.parse_input(webhook.body, token_id=webhook.token_id)
    return None if calls.is_silence(given) else await calls.hear(given, webhook.keep)


async def notify(webhook: Delivered) -> Any:
    """An NCCO has reached one of its `notify` actions. It is kept, and the call goes on. Source: Vonage, "NCCO reference"."""
    protocol.parse_notification(webhook.body)


async def recording(webhook: Delivered) -> Any:
    """A recording is finished, or was written down."""
    return await sync_to_async(call_events.note_recording)(protocol.parse_recording(webhook.body))


async def call_recording(webhook: Delivered) -> Any:
    """The same, of a recording that we have begun: the address names the call, whatever room it was in."""
    news = protocol.parse_recording(webhook.body)
    return await sync_to_async(call_events.note_recording_of)(await _call(webhook), news)


async def voicemail(webhook: Delivered) -> Any:
    """A caller has left a message, or one was written down."""
    news = protocol.parse_recording(webhook.body)
    return await sync_to_async(leaving_message.note)(await _call(webhook), news)


async def called_answer(webhook: Delivered) -> Any:
    """A phone that we rang was answered, and the platform asks what to do."""
    return await sync_to_async(callee.answer)(_named(webhook), protocol.parse_answer(webhook.body))


async def called_event(webhook: Delivered) -> Any:
    """The platform reports what happened to a phone that we rang."""
    return await sync_to_async(call_events.note_event_of_callee)(_named(webhook), protocol.parse_event(webhook.body))


async def campaign_answer(webhook: Delivered) -> Any:
    """A phone that a campaign has rung was answered, and the platform asks what to do."""
    return await sync_to_async(campaign_call.answer)(_named(webhook), protocol.parse_answer(webhook.body))


async def campaign_event(webhook: Delivered) -> Any:
    """The platform reports what happened to a phone that a campaign has rung."""
    return await sync_to_async(campaign_call.note_event)(_named(webhook), protocol.parse_event(webhook.body))


async def call_back_answer(webhook: Delivered) -> Any:
    """A customer whom a person calls has picked up, and the platform asks what to do."""
    return await sync_to_async(call_back_call.answer)(_named(webhook), protocol.parse_answer(webhook.body))


async def call_back_event(webhook: Delivered) -> Any:
    """The platform reports what happened to the phone of a customer whom a person calls."""
    return await sync_to_async(call_back_call.note_event)(_named(webhook), protocol.parse_event(webhook.body))


async def text_received(webhook: Delivered) -> Any:
    """A text message reached one of our numbers. Raises texting.NotTaken."""
    await texting.receive(protocol.parse_text(webhook.body))


async def text_status(webhook: Delivered) -> Any:
    """What became of a text message that we sent."""
    return await sync_to_async(texting.note_status)(protocol.parse_text_status(webhook.body))


async def seat_event(webhook: Delivered) -> Any:
    """The platform reports what happened to the phone of a person who is being put on a call."""
    happened, call = protocol.parse_event(webhook.body), await _call(webhook)
    seat = await _seat(call, webhook, happened.call_id)
    return await sync_to_async(call_events.note_event_of_person)(call, seat, happened)


async def seat_input(webhook: Delivered) -> Any:
    """A person answered the briefing before being put on a call."""
    given, call = protocol.parse_input(webhook.body, token_id=webhook.token_id), await _call(webhook)
    seat = await _seat(call, webhook, given.call_id)
    answered = await sync_to_async(seats.decide)(call, seat, given)
    return Then(answered, lambda: _go_on(call))


async def seat_listening(webhook: Delivered) -> Any:
    """The same while the person was given time: silence is answered with nothing, and they are told once more."""
    given = protocol.parse_input(webhook.body, token_id=webhook.token_id)
    return None if calls.is_silence(given) else await seat_input(webhook)


async def fallback(webhook: Delivered) -> Any:
    """What another door did not answer in time, or failed at, delivered once more. Source: Vonage, "Voice webhook reference".

    The work goes to the door that was meant, which knows a repetition. Raises MalformedWebhook when that cannot be told.
    """
    original = protocol.parse_fallback(webhook.body)
    try:
        match = resolve(urlsplit(original.url).path)
    except (Resolver404, ValueError) as error:
        raise MalformedWebhook("the original request went to no address of ours") from error
    door = DOORS.get(match.url_name or "") if match.namespace == "voice" else None
    if door is None or door.handle is fallback:
        raise MalformedWebhook("the original request went to no door of ours")
    named, seat = match.kwargs.get("public_id"), match.kwargs.get("seat")
    return await door.handle(Delivered(original.body, webhook.token_id, named, webhook.keep, seat))


def apology(body: Body) -> Any:
    """What is answered when the fallback fails too, without any database: words and the end to a caller who was not answered yet.

    None when the call has something to go on with.
    """
    original = body.get("original_request")
    if isinstance(original, dict) and original.get("type") == "answer":
        text = _("We are sorry, we cannot take your call at the moment. Please call again in a few minutes.")
        return ncco.goodbye(text, language=calls.DEFAULT_LANGUAGE)
    return None


def _go_on(call: Interaction) -> None:
    """What takes longer than a person waits who pressed a key: the customer whom they call is rung, or the caller comes to them."""
    if seats.is_ready_to_call(call):
        call_back_call.begin(call)
    else:
        leaving.bring_the_caller(call)


DOORS: Final = {
    "answer": Door("answer", answer),
    "fallback": Door("fallback", fallback),
    "event": Door("event", event),
    "input": Door("input", input_given),
    "listening": Door("input", listening),
    "notify": Door("notify", notify),
    "recording": Door("recording", recording),
    "call-recording": Door("recording", call_recording),
    "voicemail": Door("recording", voicemail),
    "called-answer": Door("answer", called_answer),
    "called-event": Door("event", called_event),
    "campaign-answer": Door("answer", campaign_answer),
    "campaign-event": Door("event", campaign_event),
    "call-back-answer": Door("answer", call_back_answer),
    "call-back-event": Door("event", call_back_event),
    "text": Door("text", text_received),
    "text-status": Door("text_status", text_status),
    "seat-event": Door("agent_event", seat_event),
    "seat-listening": Door("agent_input", seat_listening),
    "seat-input": Door("agent_input", seat_input),
}
"""Every door by the name of its address."""


def _named(webhook: Delivered) -> UUID:
    if webhook.named_call is None:
        raise MalformedWebhook("the address names no call")
    return webhook.named_call


async def _call(webhook: Delivered) -> Interaction:
    calls_here = Interaction.objects.select_related("conversation", "entry_point")
    return await calls_here.aget(public_id=_named(webhook), channel="voice")


async def _seat(call: Interaction, webhook: Delivered, leg_id: str) -> CallSeat | None:
    """The place that the address names, when it is on this call and of this leg."""
    if webhook.named_seat is None:
        raise MalformedWebhook("the address names no person")
    return await sync_to_async(call_seats.adopt)(call, webhook.named_seat, leg_id)
