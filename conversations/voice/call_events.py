"""What the platform reports about calls, taken in: a call begins, its legs move on, it ends.

Nothing depends on order, repetition or gaps. The state of each leg is made of all raw webhooks about it
(`services.call_legs`), the call follows its customer's leg, and each thing that happened is one entry, named after it.
"""

from contextlib import suppress
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from conversations.flows import calling_back, inbound
from conversations.flows.inbound import CallStart
from conversations.models import CallLeg, CallSeat, EntryPoint, Interaction, WebhookRecord
from conversations.selectors import call_reports
from conversations.services import call_legs, call_state, recordings, timeline, transcripts
from conversations.services.parties import IdentifierClaim, Party
from conversations.services.recordings import Finished
from conversations.services.timeline import NewEntry
from conversations.voice import leaving, seats
from conversations.voice.protocol import CallEvent, MalformedWebhook, RecordingNews, parse_event, parse_recording
from routing.compiled import CompiledOnce, Given

FOUND: Final = CompiledOnce(
    lambda: Interaction.objects.filter(provider_id=Given("call"), channel="voice").select_related(
        "conversation__owner_agent", "entry_point"
    )[:1]
)


def note_event(event: CallEvent) -> None:
    """What the platform reports about a customer's leg, or about a room."""
    if not event.call_id:
        for there in _calls_in(event.room_id):
            _note_happening(there, event)
        return
    call = find(event.call_id) or _begun_by(event)
    if call is not None:
        follow(call)
        _note_happening(call, event)


def note_event_of_callee(public_id: UUID, event: CallEvent) -> None:
    """What the platform reports about a phone that a chat had us ring; the chat is told when it came to nothing."""
    call = call_state.adopt(public_id, event.call_id) if event.call_id else None
    if call is not None:
        note_event(event)
        calling_back.tell_when_over(public_id)


def note_event_of_person(call: Interaction, seat: CallSeat | None, event: CallEvent) -> None:
    """What the platform reports about the phone of a person who is being put on a call; `seat` is None when it is no leg of theirs."""
    if event.call_id:
        _take_in(event.call_id, call, CallLeg.Role.AGENT)
    seats.note_event(call, seat, event)


def note_refused(record: WebhookRecord) -> None:
    """A leg that a webhook was about has its row although the webhook was refused, as every leg that anything was reported about."""
    if record.kind in call_reports.KINDS and record.provider_id and not call_reports.names_a_room(record.provider_id):
        call_legs.take_in(record.provider_id)


def note_record(event: CallEvent) -> None:
    """What the platform's own list says of a customer's leg that is over; what webhooks should have told before is noted with it."""
    note_event(event)
    call, leg = find(event.call_id), CallLeg.objects.filter(leg_id=event.call_id).first()
    if call is not None and leg is not None and leg.answered_at:
        key, body = f"{event.call_id}:answered", _("Call answered.")
        _note(call, key=key, kind="call.answered", body=body, audience="everyone", at=leg.answered_at, status="answered", detail="")


def note_recording(news: RecordingNews) -> None:
    """A recording is finished or was written down: noted once on every call that was in its room.

    When no call is known to have been there, it is noted as soon as one is, see `follow`.
    """
    for call in _calls_in(news.room_id):
        _note_recording(call, news)


def note_recording_of(call: Interaction, news: RecordingNews) -> None:
    """The same of a recording whose call is known; the room's own report of it, should there be one, changes nothing more."""
    _note_recording(call, news)


def begin(
    call_id: str,
    *,
    dialled: str,
    caller: str | None,
    region_url: str = "",
    room: str = "",
    at: datetime | None = None,
    is_spoken_to: bool = True,
) -> Interaction | None:
    """The call's interaction, begun when it is new; None when the number is not one of ours."""
    entry_point = EntryPoint.objects.filter(channel="voice", address=dialled).first()
    if entry_point is None:
        return None
    if not find(call_id):
        start = CallStart(
            entry_point_id=entry_point.pk,
            provider_id=call_id,
            party=party_of(caller),
            at=at,
            data={"region_url": region_url, "room": room} if region_url or room else {},
            is_spoken_to=is_spoken_to,
        )
        inbound.begin_call(start)
        _take_in_what_came_before(call_id)
    return find(call_id)


def find(call_id: str) -> Interaction | None:
    """The call whose customer's leg this is, with all that speaking into it needs."""
    return FOUND.first(call=call_id)


def follow(call: Interaction) -> None:
    """Moves a call to where its customer's leg is, with what hangs on its end."""
    _take_in(call.provider_id, call, CallLeg.Role.CUSTOMER)
    leg = call_legs.follow(call.pk)
    if leg is None or leg.ended_at is None:
        return
    if inbound.end_interaction(call.provider_id, reason=leg.end_status, at=leg.ended_at, seconds=call_legs.talked_for(leg)):
        call_legs.follow(call.pk)
    leaving.end(call)


def party_of(caller: str | None) -> Party:
    """A caller ID is a hint from the network, not a proof; a withheld one is nobody's."""
    if not caller or not caller.startswith("+"):
        return Party((), _("Withheld number"))
    return Party((IdentifierClaim("phone", caller, "network_hint"),), caller)


def _begun_by(event: CallEvent) -> Interaction | None:
    """The call of a caller who gave up, or whose other webhooks were lost: begun by the word of its end."""
    leg = call_legs.take_in(event.call_id)
    if not event.is_terminal or leg.direction != "inbound" or not event.dialled:
        return None
    return begin(event.call_id, dialled=event.dialled, caller=event.caller, at=leg.started_at, is_spoken_to=False)


def _take_in(leg_id: str, call: Interaction, role: str) -> None:
    """The leg's row as it is reported now, and what was reported about a room before anybody knew that the leg was there."""
    known = set(CallLeg.objects.filter(leg_id=leg_id, interaction=call).values_list("rooms", flat=True).first() or [])
    leg = call_legs.take_in(leg_id, call=call, role=role)
    for record in call_reports.reports_about_rooms(set(leg.rooms) - known):
        with suppress(MalformedWebhook):
            if record.kind == "recording":
                _note_recording(call, parse_recording(record.body))
            elif record.kind == "event":
                _note_happening(call, parse_event(record.body))


def _take_in_what_came_before(call_id: str) -> None:
    """What the platform reported about the call before it asked what to do with it."""
    call = find(call_id)
    for record in WebhookRecord.objects.filter(provider_id=call_id, kind__in=["event", call_reports.RECORD]).order_by("pk"):
        with suppress(MalformedWebhook):
            if call is not None:
                _note_happening(call, parse_event(record.body))


def _calls_in(room: str) -> list[Interaction]:
    """The calls that had a leg in a room of the platform's."""
    return list(Interaction.objects.filter(legs__in=call_reports.legs_in(room)).distinct().order_by("pk")) if room else []


def _note_happening(call: Interaction, event: CallEvent) -> None:
    """The entry of an event that is one; what ends a call has its entry from that."""
    status = {"status": event.status, "detail": event.detail}
    if event.status == "answered":
        key, body = f"{event.call_id}:answered", _("Call answered.")
        _note(call, key=key, kind="call.answered", body=body, audience="everyone", at=event.at, **status)
    elif event.status == "machine":
        key, body = f"{event.call_id}:machine:{event.detail}", _("An answering machine picked up.")
        _note(call, key=key, kind="call.machine", body=body, audience="staff", at=event.at, **status)
    elif event.status in ("error", "disconnected"):
        key, body = event.source_id.removeprefix("voice:"), event.detail or event.status
        _note(call, key=key, kind="call.problem", body=body, audience="staff", at=event.at, **status)


def _note_recording(call: Interaction, news: RecordingNews) -> None:
    if news.status == "recorded":
        kind, body = "call.recorded", _("A recording of the call is ready.")
        recordings.note(call, Finished(news.recording_id, news.url, news.began_at, news.seconds))
    elif news.status == "transcribed":
        kind, body = "call.transcribed", _("The recording was written down.")
        recordings.note_text(call, news.recording_id, news.url, at=news.at)
    else:
        kind, body = "call.problem", _("The recording could not be written down: %(why)s.") % {"why": news.status}
        transcripts.note_failure(news.recording_id)
    length = {} if news.seconds is None else {"duration_seconds": news.seconds}
    key = f"{news.recording_id}:{news.status}"
    _note(call, key=key, kind=kind, body=body, audience="staff", at=news.at, recording=news.recording_id, **length)


def _note(call: Interaction, *, key: str, kind: str, body: str, audience: str, at: datetime | None = None, **data: object) -> None:
    """Writes an entry once, whoever notes it and however often: `key` names what happened."""
    call = Interaction.objects.get(pk=call.pk)
    timeline.append(
        call.conversation_id,
        NewEntry(
            kind=kind,
            actor_kind="system",
            audience=audience,
            body=body,
            interaction=call,
            source_id=f"voice:{key}",
            occurred_at=at,
            data=data,
        ),
    )
