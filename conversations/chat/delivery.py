"""What a chat's party gets to see, as frames."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import override

from conversations.chat.visitor import Visitor
from conversations.chat.widget_texts import greeting_without_assistant, widget_texts
from conversations.flows import calling_back
from conversations.models import Conversation, EntryPoint, Interaction
from conversations.selectors import access, roll_out, website
from conversations.services import announce, joining, visitors
from routing.compiled import CompiledOnce, Given
from routing.models import WorkItem
from routing.services import hours

LATEST: Final = CompiledOnce(
    lambda: Interaction.objects.filter(channel="chat", party=Given("visitor"), entry_point=Given("entry_point"))
    .select_related("conversation__owner_agent")
    .order_by("-pk")[:1]
)


OWNED: Final = CompiledOnce(
    lambda: Conversation.objects.filter(public_id=Given("conversation")).select_related("owner_agent")
)


@dataclass(frozen=True, slots=True)
class State:
    """Who has a conversation (as `owner_of` says, with a person's name), and the language chosen in it, or empty."""

    owner: str
    name: str
    language: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a chat stands for its party: the line, the conversation it is in, and how that stands."""

    interaction_id: int
    interaction_public_id: str
    conversation_hex: str
    state: State


def standing(visitor: Visitor, entry_point: EntryPoint) -> Standing | None:
    """Where the visitor's latest chat at this entry point stands; None before anything was said."""
    interaction = LATEST.first(visitor=visitor.id, entry_point=entry_point.pk)
    if interaction is None:
        return None
    conversation = interaction.conversation
    return Standing(
        interaction.pk,
        str(interaction.public_id),
        conversation.public_id.hex,
        _state(conversation),
    )


def state_of(conversation_hex: str) -> State:
    """How the conversation with this public id stands."""
    return _state(OWNED.get(conversation=UUID(conversation_hex)))


def _state(conversation: Conversation) -> State:
    agent = conversation.owner_agent
    return State(owner_of(conversation), agent.display_name if agent else "", conversation.language)


def seen_since(interaction_id: int, visitor: Visitor, *, after: int) -> tuple[list[dict[str, Any]], int, str]:
    """The entries after `after` that the interaction's party may see, the seq up to which that is all, and the language chosen there.

    Raises visitors.NotTheirs.
    """
    interaction = visitors.line_of(visitor.id, interaction_id)
    last = interaction.conversation.last_seq
    entries = access.seen_since(interaction, after=after, upto=last)
    upto = entries[-1].seq if len(entries) == access.PAGE else last
    return [access.party_frame(announce.wire_entry_of(entry)) for entry in entries], max(upto, after), interaction.conversation.language


def seen_among(interaction_id: int, visitor: Visitor, seqs: list[int]) -> list[dict[str, Any]]:
    """Those of the entries with these numbers that the interaction's party may see. Raises visitors.NotTheirs."""
    seen = access.seen_by_party(visitors.line_of(visitor.id, interaction_id)).filter(seq__in=seqs)
    return [access.party_frame(announce.wire_entry_of(entry)) for entry in seen]


def seen_before(interaction_id: int, visitor: Visitor) -> list[dict[str, Any]]:
    """The frames of the conversations that the line was in before, each with what its party saw there, oldest first.

    Raises visitors.NotTheirs.
    """
    before = access.seen_before(visitors.line_of(visitor.id, interaction_id))[: access.PAGE]
    return [
        {
            "type": "entries",
            "conversation": conversation_hex,
            "entries": [access.party_frame(announce.wire_entry_of(entry)) for entry in entries],
            "upto": entries[-1].seq,
        }
        for conversation_hex, written in groupby(before, lambda entry: entry.conversation.public_id.hex)
        if (entries := list(written))
    ]


def place_of(interaction_id: int, visitor: Visitor) -> str:
    """The public id, in hex, of the conversation that the line is in. Raises visitors.NotTheirs."""
    return str(visitors.line_of(visitor.id, interaction_id).conversation.public_id.hex)


def owner_of(conversation: Conversation) -> str:
    """`assistant`, `waiting` (for a person), `human` or `closed`."""
    if conversation.status == Conversation.Status.CLOSED:
        return "closed"
    in_line = WorkItem.objects.filter(subject=conversation.public_id.hex, state__in=[WorkItem.State.QUEUED, WorkItem.State.RESERVED])
    if conversation.owner_kind == Conversation.Owner.ASSISTANT and in_line.exists():
        return "waiting"
    return str(conversation.owner_kind)


def phone_code(interaction_id: int, visitor: Visitor) -> dict[str, Any] | None:
    """The frame with the number to call and the code to key in; None when the company has no number. Raises visitors.NotTheirs."""
    with transaction.atomic():
        # The row's lock, so that no code is made of a line that is being given another visitor id.
        interaction = visitors.line_of(visitor.id, interaction_id, locked=True)
        phone = website.phone_door(interaction.entry_point)
        if phone is None:
            return None
        code, row = joining.issue_code(interaction)
    frame = {
        "type": "phone_code",
        "number": phone.address,
        "readable_number": website.readable_number(phone.address, phone.default_region),
        "code": code,
        "expires_at": row.expires_at.isoformat(),
    }
    if settings.VONAGE_GATEWAY == "simulator":
        frame["simulator_url"] = f"/simulator/phone/?to={phone.address.removeprefix('+')}&code={code}"
    return frame


def call(interaction_id: int, visitor: Visitor, number: str, *, network_is_over: bool) -> dict[str, Any]:
    """The frame that says which number is rung and what to key in there. Raises calling_back.NotCalled, visitors.NotTheirs."""
    calling = calling_back.call_me(interaction_id, visitor.id, number, network_is_over=network_is_over)
    frame = {
        "type": "calling",
        "number": calling.number,
        "readable_number": calling.readable_number,
        "code": calling.code,
        "expires_at": calling.expires_at.isoformat(),
    }
    if settings.VONAGE_GATEWAY == "simulator":
        frame["simulator_url"] = f"/simulator/phone/?from={calling.number.removeprefix('+')}"
    return frame


def opening(entry_point: EntryPoint, language: str = "") -> dict[str, Any]:
    """What the widget needs before anything is said: company, greeting in its language, who answers, whether people are there now.

    The AI agent greets where it answers everybody; otherwise it says what it is when it takes a conversation.
    """
    now = timezone.now()
    answers = roll_out.who_answers(entry_point, now)
    is_open = hours.is_open(entry_point.hours, now)
    opens_at = None if is_open else hours.next_opening(entry_point.hours, now)
    return {
        "company": entry_point.company_name,
        "greeting": _greeting(entry_point, language, answers, is_open=is_open),
        "answers": answers,
        "open": is_open,
        "opens_at": opens_at.isoformat() if opens_at else None,
    }


def spoken(entry_point: EntryPoint, language: str) -> dict[str, Any]:
    """The frame that has the widget speak a language (two letters): its tag there, and every sentence of the widget."""
    is_usual = entry_point.language.startswith(language)
    with override(language):
        return {"type": "language", "language": entry_point.language if is_usual else language, "texts": widget_texts()}


def _greeting(entry_point: EntryPoint, language: str, answers: str, *, is_open: bool) -> str:
    if answers == "assistant":
        return entry_point.playbook.disclosure_in(language)
    with override(language or entry_point.language):
        return greeting_without_assistant(entry_point.company_name, answers, is_open=is_open)
