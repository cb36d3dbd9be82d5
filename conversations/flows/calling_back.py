"""“Call me”: a chat has us ring a phone, and goes on there once the code on its screen was keyed in.

Anybody can type anybody's number, so a number is rung seldom, and never again once its holder said that they did not ask
for it; whoever picks up learns nothing of the chat without the code (`voice.callee`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from conversations.flows import wrapping_up
from conversations.models import CallLeg, Conversation, Customer, Entry, EntryPoint, Interaction, JoinCode
from conversations.models.calling_rules import CallPurpose
from conversations.models.consent import Purpose
from conversations.selectors import website
from conversations.services import (
    call_state,
    consent,
    consent_texts,
    delivery,
    dialing,
    joining,
    numbers,
    threads,
    timeline,
    visitors,
)
from conversations.services.call_state import NOT_PLACED
from conversations.services.dialing import DialRefused, Wanted
from conversations.services.numbers_to_ring import NotToBeRung, number_to_ring
from conversations.services.timeline import NewEntry
from routing import advisory

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
NOT_ASKED_COUNTS_FOR: Final = timedelta(days=365)
MOST_FROM_A_CHAT: Final = 3
"""In an hour, from one browser."""
MOST_TO_A_NUMBER: Final = 3
"""In an hour, whoever asks for it."""
MOST_TO_A_NUMBER_IN_A_DAY: Final = 5
REQUEST_LASTS: Final = timedelta(minutes=15)
WORD_ON_WHO_PICKED_UP: Final = timedelta(seconds=20)
"""How long after the end of a call the word of the machine detection may come."""


@dataclass(frozen=True, slots=True)
class Calling:
    """A phone that rings: the number as people write it, and the code that the chat shows, with the time until which it is good."""

    number: str
    readable_number: str
    code: str
    expires_at: datetime


class NotCalled(Exception):
    """The phone is not rung; the message says why, or what to do instead, in a sentence for the visitor."""


class _Refused(Exception):
    """A reason out of REFUSALS, with the number when it is one, and what staff should know besides."""

    def __init__(self, reason: str, number: str = "", detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.number, self.detail = reason, number, detail


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a phone is not rung: for staff, and for the visitor, who learns nothing of what others asked for."""

    for_staff: str | Promise
    for_visitor: str | Promise


NOT_NOW: Final = gettext_lazy("We cannot call this number at the moment. You can call us instead, with a code.")
REFUSALS: Final[Mapping[str, Refusal]] = {
    "not_a_number": Refusal(
        gettext_lazy("what was typed is not a phone number"),
        gettext_lazy("That is not a phone number we can call. Please check it, with the country code when it is abroad."),
    ),
    "special": Refusal(
        gettext_lazy("the number is a service number, or one that costs whoever calls it"),
        gettext_lazy("We cannot call that kind of number. Please give a mobile or an ordinary number."),
    ),
    "abroad": Refusal(
        gettext_lazy("the number is in a country that calls are not made to"),
        gettext_lazy("We cannot call numbers of that country. You can call us instead, with a code."),
    ),
    "no_number": Refusal(
        gettext_lazy("there is no number to call from"),
        gettext_lazy("We cannot call you from here at the moment. Please go on in the chat."),
    ),
    "ended": Refusal(
        gettext_lazy("the conversation is closed"), gettext_lazy("This chat has ended. Write a message, and then we can call you.")
    ),
    "on_a_call": Refusal(
        gettext_lazy("a call of this conversation is going on"), gettext_lazy("We are on a call with you already, or ringing you.")
    ),
    "chat_cap": Refusal(gettext_lazy("this browser had three calls made within an hour"), NOT_NOW),
    "ringing": Refusal(gettext_lazy("the number is being called already"), NOT_NOW),
    "number_cap": Refusal(gettext_lazy("the number was called too often within an hour or a day"), NOT_NOW),
    "not_asked": Refusal(gettext_lazy("whoever has the number said that they did not ask to be called"), NOT_NOW),
    "no_contact": Refusal(gettext_lazy("the holder of the number wants no calls from us"), NOT_NOW),
    "network_cap": Refusal(gettext_lazy("too many calls were asked for from this network"), NOT_NOW),
    "failed": Refusal(
        gettext_lazy("the phone could not be rung"), gettext_lazy("We could not place the call. Please try again, or call us with a code.")
    ),
}


def call_me(chat_id: int, visitor: str, written: str, *, network_is_over: bool = False) -> Calling:
    """Has the number that a chat's visitor typed rung; the call is a line of the chat's conversation from the start.

    `network_is_over` says that too many calls were asked for from the visitor's network. Every refusal is noted for staff
    and raised as NotCalled. Takes the chat's lock for its code; then the advisory locks of the number and of the visitor,
    the conversation's and the chat's; the phone is rung after that, and what the platform answers is waited for. Raises
    visitors.NotTheirs when the chat is not, or while it waited no longer is, this visitor's.
    """
    chat = visitors.line_of(visitor, chat_id)
    try:
        if network_is_over:
            raise _Refused("network_cap")
        door = website.phone_door(chat.entry_point)
        if door is None:
            raise _Refused("no_number")
        number = _number_to_ring(written, door)
        wording = str(consent_texts.CALL_ME)
        asked = consent.ask_for(
            chat, Purpose.OUTBOUND_CALL, number, wording=wording, lasts=REQUEST_LASTS, recorded_by=door.company_name
        )
        if not asked.allowed:
            raise _Refused("no_contact", number)
        code, row = _issue_code(chat)
        call = _begin(chat, door, number)
        _permit(call)
        _ring(call)
    except _Refused as refused:
        _note_refusal(chat, refused)
        raise NotCalled(str(REFUSALS[refused.reason].for_visitor)) from None
    return Calling(number, website.readable_number(number, door.default_region), code, row.expires_at)


def note_not_asked(call: Interaction) -> None:
    """Whoever picked up did not ask for the call: the number is not rung again because of a chat. Locks the call's row."""
    call_state.change_data(call.pk, lambda data: data.update(not_asked=True))
    timeline.append(
        call.conversation_id,
        NewEntry(
            kind="callback.refused",
            actor_kind="system",
            audience="staff",
            body=_("Whoever picked up says that they did not ask for the call. The number is not called again because of a chat."),
            interaction=call,
            source_id=f"not-asked:{call.public_id.hex}",
            data={"reason": "not_asked", "phone": call.party},
        ),
    )


def tell_when_over(public_id: UUID) -> bool:
    """Tells the chat, once, when the call that it asked for is over and the code was not keyed in; says whether it did.

    Whether a machine picked up may be reported after the end; that word is waited for a while, and `tell_of_calls` asks again.
    """
    call = Interaction.objects.get(public_id=public_id)
    if call.state != Interaction.State.ENDED or not call_state.waits_for_code(call) or call.end_reason == NOT_PLACED:
        return False
    leg = call.legs.filter(role=CallLeg.Role.CUSTOMER).first()
    if leg is not None and leg.end_status == "completed" and not leg.answered_by and not _ended_a_while_ago(call):
        return False
    return _tell(call, leg)


def give_up(call: Interaction) -> None:
    """Ends a call that was asked for and that the platform, as its own list says, never placed; the chat is told."""
    if wrapping_up.end(call, reason=NOT_PLACED) and call_state.waits_for_code(call):
        _tell(call, None)


def _tell(call: Interaction, leg: CallLeg | None) -> bool:
    """Writes into the chat, once, that the call that it asked for came to nothing."""
    chat = Interaction.objects.select_related("conversation", "entry_point").get(pk=call.data["asked_in"])
    if chat.conversation.status == Conversation.Status.CLOSED:
        return False
    with override(chat.language):
        if call.answered_at and (leg is None or leg.answered_by != "machine"):
            text = _("The call to the number ending in %(ending)s was over before the code was keyed in.")
        else:
            text = _("We could not reach you on the number ending in %(ending)s.")
        instead = _("You can ask us to call again, call us with a code, or go on here.")
    told = timeline.append(
        chat.conversation_id,
        NewEntry(
            kind="message",
            actor_kind="system",
            actor_name=chat.entry_point.company_name,
            body=f"{text % {'ending': numbers.ending(call.party)}} {instead}",
            interaction=chat,
            source_id=_telling(call),
            data={"call_me": "over"},
        ),
    )
    return not told.repeated


def tell_of_calls() -> int:
    """Tells the chats of calls that ended a while ago without a word on who picked up; returns how many it told."""
    now = timezone.now()
    ended = Entry.objects.filter(kind="interaction.ended", recorded_at__gt=now - HOUR, recorded_at__lte=now - WORD_ON_WHO_PICKED_UP)
    calls = Interaction.objects.filter(pk__in=ended.values("interaction"), data__waits_for_code=True)
    telling = {_telling(call): call.public_id for call in calls}
    told = set(Entry.objects.filter(source_id__in=telling).values_list("source_id", flat=True))
    return sum(tell_when_over(public_id) for source_id, public_id in telling.items() if source_id not in told)


def _telling(call: Interaction) -> str:
    return f"call-me:{call.public_id.hex}:over"


def _ended_a_while_ago(call: Interaction) -> bool:
    """Whether the word of its end came so long ago that no word on who picked up will come any more."""
    before = timezone.now() - WORD_ON_WHO_PICKED_UP
    return Entry.objects.filter(interaction=call, kind="interaction.ended", recorded_at__lte=before).exists()


def _number_to_ring(written: str, door: EntryPoint) -> str:
    """The number in E.164. Raises _Refused when it is none, or none that is rung from here."""
    try:
        return number_to_ring(written, door)
    except NotToBeRung as refused:
        raise _Refused(refused.reason, refused.number) from None


def _issue_code(chat: Interaction) -> tuple[str, JoinCode]:
    """A code of the chat. The row's lock, so that none is made of a line that is being given another visitor id."""
    with transaction.atomic():
        return joining.issue_code(visitors.line_of(chat.party, chat.pk, locked=True))


def _begin(chat: Interaction, door: EntryPoint, number: str) -> Interaction:
    """The call's line, not yet rung, in the conversation of the chat. Raises _Refused, visitors.NotTheirs."""
    with transaction.atomic():
        for name in sorted((f"call-me:{number}", f"call-me:{chat.party}")):
            advisory.lock(name)
        conversation = Conversation.objects.select_for_update(no_key=True, of=("self",)).get(interactions=chat.pk)
        visitors.line_of(chat.party, chat.pk, locked=True)
        reason = _why_not(conversation, chat, number)
        if reason:
            raise _Refused(reason, number)
        asked = {"waits_for_code": True, "asked_in": chat.pk, "asked_by": chat.party}
        call = threads.start_call_to(conversation, number, entry_point=door, data=asked)
        _note_request(chat, call)
    return call


def _permit(call: Interaction) -> None:
    """Has the gate let the call through. Raises NotCalled when it does not, which staff are told by the gate."""
    customer = Customer.objects.get(conversations__interactions=call.pk)
    try:
        dialing.permit(Wanted(customer, call.party, call.entry_point, CallPurpose.CALL_ME), call=call)
    except DialRefused:
        wrapping_up.end(call, reason=NOT_PLACED)
        raise NotCalled(str(NOT_NOW)) from None


def _ring(call: Interaction) -> None:
    try:
        delivery.ring(call)
    except delivery.NotRung as problem:
        wrapping_up.end(call, reason=NOT_PLACED)
        raise _Refused("failed", call.party, str(problem)) from problem


def _why_not(conversation: Conversation, chat: Interaction, number: str) -> str:
    """Why this number is not rung for this chat now; empty when it may be. Needs the locks of both."""
    if conversation.status == Conversation.Status.CLOSED:
        return "ended"
    if conversation.interactions.filter(channel="voice").exclude(state=Interaction.State.ENDED).exists():
        return "on_a_call"
    now = timezone.now()
    calls = Interaction.objects.filter(channel="voice", direction=Interaction.Direction.OUTBOUND)
    to_number = calls.filter(party=number)
    if to_number.filter(data__not_asked=True, started_at__gte=now - NOT_ASKED_COUNTS_FOR).exists():
        return "not_asked"
    if to_number.exclude(state=Interaction.State.ENDED).exists():
        return "ringing"
    if calls.filter(data__asked_by=chat.party, started_at__gte=now - HOUR).count() >= MOST_FROM_A_CHAT:
        return "chat_cap"
    in_an_hour, in_a_day = (to_number.filter(started_at__gte=now - period).count() for period in (HOUR, DAY))
    return "number_cap" if in_an_hour >= MOST_TO_A_NUMBER or in_a_day >= MOST_TO_A_NUMBER_IN_A_DAY else ""


def _note_request(chat: Interaction, call: Interaction) -> None:
    """Notes for staff that the visitor asked for the call."""
    timeline.append(
        call.conversation_id,
        NewEntry(
            kind="callback.requested",
            actor_kind="system",
            audience="staff",
            body=_("Asked in the chat to be called now on %(number)s.") % {"number": call.party},
            interaction=chat,
            source_id=f"call-me:{call.public_id.hex}",
            data={"phone": call.party, "by": timezone.now().isoformat()},
        ),
    )


def _note_refusal(chat: Interaction, refused: _Refused) -> None:
    """Notes a refusal for staff, once an hour for the same reason and number."""
    why = _("Not called: %(why)s.") % {"why": REFUSALS[refused.reason].for_staff}
    hour = timezone.now().strftime("%Y%m%d%H")
    timeline.append(
        Interaction.objects.values_list("conversation", flat=True).get(pk=chat.pk),
        NewEntry(
            kind="callback.refused",
            actor_kind="system",
            audience="staff",
            body=f"{why} {refused.detail}".strip(),
            interaction=chat,
            source_id=f"not-called:{chat.pk}:{refused.reason}:{refused.number}:{hour}",
            data={"reason": refused.reason, "phone": refused.number},
        ),
    )
