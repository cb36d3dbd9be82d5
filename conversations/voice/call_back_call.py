"""A customer whom a person calls: rung once the person is on the phone, told who calls, and put into the room with them."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.flows import calling_customers, inbound
from conversations.models import Conversation, Interaction
from conversations.services import call_state, timeline
from conversations.services.delivery import NotRung
from conversations.services.dialing import DialRefused
from conversations.services.timeline import NewEntry
from conversations.voice import call_events, dialing, leaving, ncco, recording, replies, rooms
from conversations.voice.ncco import Ncco
from conversations.voice.protocol import AnsweredCall, CallEvent, CallInput


def begin(call: Interaction) -> None:
    """The person is on the phone: ring the customer, once. When that may not be or fails, the person hears why."""
    try:
        if calling_customers.permit(call):
            ring(Interaction.objects.select_related("entry_point").get(pk=call.pk))
    except (DialRefused, NotRung) as refused:
        calling_customers.give_up(call, str(refused))
        leaving.say_goodbye(call, str(refused))


def begin_what_was_missed() -> int:
    """The sweep: rings customers whose person is on the phone already; returns how many it looked at."""
    waiting = list(calling_customers.waiting_to_be_rung())
    for call in waiting:
        begin(call)
    return len(waiting)


def ring(call: Interaction) -> None:
    """Ring the customer with the call's permission. Raises NotRung with a sentence for staff when it does not ring."""
    dialing.ring(
        call,
        answer_url=ncco.webhook_url("voice:call-back-answer", public_id=call.public_id),
        event_url=ncco.webhook_url("voice:call-back-event", public_id=call.public_id),
    )


def answer(public_id: UUID, asked: AnsweredCall) -> Ncco:
    """The customer picked up: say who is calling, and put them through; the AI agent goes on where the person has left meanwhile."""
    call = call_state.adopt(public_id, asked.call_id)
    if call is None:
        return []
    call_events.follow(call)
    call = call_events.find(asked.call_id) or call
    with override(call.language):
        if call.state == Interaction.State.ENDED:
            return []
        call_state.change_data(call.pk, lambda data: data.update(region_url=asked.region_url, room=asked.room_id, stage="", silences=0))
        call.refresh_from_db(fields=["data"])
        name = str(call.data["call_back"]["name"])
        if call.conversation.status == Conversation.Status.CLOSED:
            return replies.closing(call)
        named = {"company": call.entry_point.company_name, "name": name}
        if not call_state.person_is_on(call):
            inbound.disclose(call, call.entry_point)
            text = _("You asked %(company)s to call you back. %(name)s was called away just now. How can I help?")
            return recording.begin_call(call, replies.aside(call, _said(call, text % named)))
        if call.data["call_back"].get("asks") or recording.has_to_be_asked(call):
            text = _("This is %(company)s, calling you back as you asked. Before I put you through to %(name)s:")
            said = _said(call, text % named)
            _remember(call, asks=True)
            return ncco.reply(f"{said} {recording.ask(call)}", language=call.language)
        text = _("This is %(company)s, calling you back as you asked. I am putting you through to %(name)s.")
        return _put_through(call, _said(call, text % named))


def concerns(call: Interaction, given: CallInput) -> bool:
    """Whether what was said or keyed answers whether the call may be recorded, before the customer is put through."""
    state = call.data.get("call_back") or {}
    return bool(state.get("asks")) or state.get("answered_by", "") == given.source_id


def settle(call: Interaction, given: CallInput) -> Ncco:
    """The customer is put through whatever they answered, recorded only after a yes; the AI agent goes on where the person has left."""
    name = str(call.data["call_back"]["name"])
    told = ""
    if recording.awaits_answer(call):
        agrees = recording.take_answer(call, given)
        told = "" if agrees is None else recording.told_of(agrees=agrees)
    _remember(call, asks=False, answered_by=given.source_id)
    if not call_state.person_is_on(call):
        inbound.disclose(call, call.entry_point)
        text = _("%(name)s was called away just now. How can I help?") % {"name": name}
        return replies.aside(call, f"{told} {text}".strip())
    text = _("I am putting you through to %(name)s.") % {"name": name}
    return _put_through(call, f"{told} {text}".strip())


def _put_through(call: Interaction, text: str) -> Ncco:
    _note_connected(call, str(call.data["call_back"]["name"]))
    call_state.move(call.pk, call_state.ROOM, is_reached=True)
    return recording.begin_call(call, rooms.for_customer(call, text), people=True)


def note_event(public_id: UUID, event: CallEvent) -> None:
    """What the platform reports about the customer's phone; the call is settled when it is over."""
    call = call_state.adopt(public_id, event.call_id) if event.call_id else None
    if call is None:
        return
    call_events.note_event(event)
    call.refresh_from_db(fields=["state"])
    if call.state == Interaction.State.ENDED:
        calling_customers.settle(call)


def _remember(call: Interaction, **changes: Any) -> None:
    def change(data: dict[str, Any]) -> None:
        data["call_back"] = {**data["call_back"], **changes}

    call.data = call_state.change_data(call.pk, change).data


def _said(call: Interaction, text: str) -> str:
    """Writes what the webhook's own answer says, so that nothing says it again."""
    appended = timeline.append(
        call.conversation_id,
        NewEntry(
            kind="message",
            actor_kind="assistant",
            actor_name=call.entry_point.company_name,
            body=text,
            interaction=call,
            source_id=f"call-back:{call.public_id.hex}:introduction",
            data={"spoken": True},
        ),
    )

    def mark(data: dict[str, Any]) -> None:
        data.update(
            spoken_seq=appended.seq,
            spoken_conversation=call.conversation_id,
            said={"seq": appended.seq, "text": text, "at": timezone.now().timestamp()},
        )

    call_state.change_data(call.pk, mark)
    return text


def _note_connected(call: Interaction, name: str) -> None:
    timeline.append(
        call.conversation_id,
        NewEntry(
            kind="call.connected_to_agent",
            actor_kind="system",
            body=_("%(name)s is on the call.") % {"name": name},
            interaction=call,
            source_id=f"voice:{call.public_id.hex}:call-back-connected",
        ),
    )
