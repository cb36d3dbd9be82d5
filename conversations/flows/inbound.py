"""The one door for whatever customers say, typed or spoken."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from channels.db import database_sync_to_async
from django.db import connection, transaction
from django.utils import timezone

from conversations.assistant import turn
from conversations.flows import wrapping_up
from conversations.models import Conversation, EntryPoint, Interaction
from conversations.selectors import roll_out
from conversations.services import announce, async_connections, identity, proving, speaking, split_secrets, threads, timeline
from conversations.services.kinds import kind_of
from conversations.services.parties import Party
from conversations.services.split_numbers import may_be_piece
from conversations.understanding.languages import LANGUAGES, read_language
from routing.compiled import CompiledOnce, Given

DOOR: Final = CompiledOnce(lambda: EntryPoint.objects.filter(pk=Given("entry_point")))
KNOWN: Final = CompiledOnce(
    lambda: Interaction.objects.filter(provider_id=Given("provider_id")).order_by().select_related("conversation")
)
CONVERSATION: Final = CompiledOnce(lambda: Conversation.objects.filter(pk=Given("conversation")).select_related("customer"))


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """Something a customer said, from any transport.

    `provider_id` is the transport's id of the call or chat session; `source_id` is the same for every
    repetition of the same message; `data` holds what the transport knows of it (client_id, spoken,
    confidence, hypotheses); `language` (two letters) is that of the page it was typed on, when that is known. `on_line` is what
    the line's own data is to hold from the same moment on.
    """

    entry_point_id: int
    provider_id: str
    party: Party
    text: str
    source_id: str
    occurred_at: datetime | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    language: str = ""
    on_line: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallStart:
    """A call that reached a number of ours. `data` is what the transport needs later (region address).

    Nothing is said on a call that is over before it was answered: `is_spoken_to` is False then, and `disclose` is for whoever
    speaks first.
    """

    entry_point_id: int
    provider_id: str
    party: Party
    at: datetime | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    is_spoken_to: bool = True


@dataclass(frozen=True, slots=True)
class Received:
    """Where something said was filed, and who answers it; `entry` is the new entry on the wire, None for a repetition."""

    conversation_id: int
    conversation_hex: str
    interaction_id: int
    interaction_public_id: UUID
    seq: int
    repeated: bool
    owner_kind: str
    fence: int
    entry: announce.Frame | None = None


class InteractionOver(Exception):
    """The chat session or call has ended; the transport must begin a new one."""


APPEND_INBOUND = (
    "SELECT outcome, entry_seq, entry_occurred_at, conversation_id, conversation_public_id, interaction_id,"
    " interaction_public_id, person_name, owner, fence_now"
    " FROM interaction_append(%s, %s, %s::jsonb, %s, %s)"
)
REMEMBER_ON_LINE = "UPDATE conversations_interaction SET data = data || %s::jsonb WHERE provider_id = %s"


async def receive(message: InboundMessage, *, channel: str) -> Received:
    """Files what a customer said, shows it on open screens, and has it answered.

    Idempotent by `source_id`: a repetition writes no entry and returns where the first one stands. A
    message of a known interaction is one statement, which is its transaction, and with `on_line` two in one round trip; one with
    digits that may be a piece of a card's number is looked at together with those before it (`split_secrets.settle`). The first
    message of an interaction has a transaction before it that resolves the customer, opens or resumes the conversation and says
    that an AI answers; should the process die between the two, the message was not acknowledged, and
    when it is sent again it finds them. The turn runs afterwards, in the background of this process.
    Raises InteractionOver, EntryPoint.DoesNotExist.
    """
    filed = await _file(message)
    if filed is None:
        await database_sync_to_async(begin, thread_sensitive=False)(message, channel=channel)
        filed = await _file(message)
    if filed is None or filed.row[0] == "ended":
        raise InteractionOver(message.provider_id)
    outcome, seq, occurred_at, conversation_id, public_id, interaction_id, interaction_public_id, name, owner, fence = filed.row
    received = Received(conversation_id, public_id.hex, interaction_id, interaction_public_id, seq, outcome == "repeated", owner, fence)
    if not received.repeated:
        if owner == Conversation.Owner.ASSISTANT:
            # It begins while the push is on its way.
            turn.schedule(conversation_id)
        entry = announce.wire_entry(
            seq=seq,
            kind="message",
            actor_kind="customer",
            actor_name=name,
            body=filed.text,
            data=filed.data,
            audience="everyone",
            interaction=str(interaction_public_id),
            channel=channel,
            occurred_at=occurred_at,
        )
        await announce.send(
            announce.conversation_group(received.conversation_hex),
            announce.entries_frame(received.conversation_hex, [entry]),
        )
        received = replace(received, entry=entry)
    return received


def begin_call(start: CallStart) -> Received:
    """Files a call that was answered: customer, conversation, interaction, and that an AI answers.

    One transaction, idempotent by `provider_id`. Raises EntryPoint.DoesNotExist.
    """
    interaction = begin(start)
    conversation = interaction.conversation
    return Received(
        conversation.pk,
        conversation.public_id.hex,
        interaction.pk,
        interaction.public_id,
        conversation.last_seq,
        False,
        conversation.owner_kind,
        conversation.fence,
    )


def end_interaction(provider_id: str, *, reason: str, at: datetime | None = None, seconds: int | None = None) -> bool:
    """Ends a call or chat session once; says whether this call did it. Unknown ids are nobody's and end nothing.

    `seconds` is how long the transport says it was.
    """
    interaction = Interaction.objects.filter(provider_id=provider_id).first()
    return wrapping_up.end(interaction, reason=reason, at=at, seconds=seconds) if interaction else False


@dataclass(frozen=True, slots=True)
class _Filed:
    """A message as it was stored, and the row of APPEND_INBOUND that says where."""

    row: tuple[Any, ...]
    text: str
    data: dict[str, Any]


async def _file(message: InboundMessage) -> _Filed | None:
    """Stores the message on its line; None when there is no such line yet."""
    text, data = timeline.storable(message.text), timeline.clean(message.data)
    if may_be_piece(text):
        return await database_sync_to_async(_file_digits, thread_sensitive=False)(message, text, data)
    # What is sent in one pipeline of a connection in autocommit is one transaction.
    async with async_connections.connection() as asynchronous, _together(asynchronous, message):
        cursor = await asynchronous.execute(APPEND_INBOUND, _arguments(message, text, data))
        if message.on_line:
            await asynchronous.execute(REMEMBER_ON_LINE, _remembered(message))
    row = await cursor.fetchone()
    return _Filed(row, text, data) if row else None


def _together(asynchronous: async_connections.Connection, message: InboundMessage) -> AbstractAsyncContextManager[Any]:
    """In one round trip and one transaction, where there is more than one statement."""
    return asynchronous.pipeline() if message.on_line else nullcontext()


def _file_digits(message: InboundMessage, text: str, data: dict[str, Any]) -> _Filed | None:
    with transaction.atomic(), connection.cursor() as cursor:
        kept = split_secrets.settle(message.provider_id, text, source_id=message.source_id)
        if kept != text:
            data = kind_of("message").erase(data)
        cursor.execute(APPEND_INBOUND, _arguments(message, kept, data))
        row = cursor.fetchone()
        if message.on_line:
            cursor.execute(REMEMBER_ON_LINE, _remembered(message))
    return _Filed(row, kept, data) if row else None


def _arguments(message: InboundMessage, text: str, data: Mapping[str, Any]) -> list[Any]:
    return [message.provider_id, text, json.dumps(data), message.source_id, message.occurred_at]


def _remembered(message: InboundMessage) -> list[str]:
    return [json.dumps(dict(message.on_line)), message.provider_id]


def begin(start: InboundMessage | CallStart, *, channel: str = "") -> Interaction:
    """The line with the transport's id, begun when it is new: customer, conversation, interaction, and that an AI answers.

    `channel` is the entry point's own by default. One transaction, idempotent by `provider_id`. Raises EntryPoint.DoesNotExist.
    """
    with transaction.atomic():
        entry_point = DOOR.get(entry_point=start.entry_point_id)
        customer = identity.resolve(start.party.claims, source=entry_point.get_channel_display(), region=entry_point.default_region)
        identity.introduce(customer, start.party.name, start.party.language)
        known = KNOWN.first(provider_id=start.provider_id)
        if known:
            return known
        conversation = threads.open_or_resume(customer)
        interaction = threads.start_interaction(
            conversation,
            entry_point=entry_point,
            provider_id=start.provider_id,
            party=start.party,
            channel=channel,
            at=start.at if isinstance(start, CallStart) else None,
            data=dict(start.data) if isinstance(start, CallStart) else None,
        )
        proving.keep_vouched(interaction, start.party.claims, made_by=entry_point.name)
        typed = start if isinstance(start, InboundMessage) else None
        if isinstance(start, InboundMessage) or start.is_spoken_to:
            disclose(interaction, entry_point, words=typed.text if typed else "", language=typed.language if typed else "")
        wrapping_up.talk_again_after_commit(conversation)
    conversation.refresh_from_db()
    interaction.conversation = conversation
    return interaction


def disclose(interaction: Interaction, entry_point: EntryPoint, *, words: str = "", language: str = "") -> None:
    """Writes, once for a line, that an AI answers on it, where one does.

    In the language of the first `words`, when they tell it, otherwise in that of the page (`language`). Locks the conversation's row.
    """
    conversation = CONVERSATION.get(conversation=interaction.conversation_id)
    answers = roll_out.answers(entry_point, conversation.public_id, reason=conversation.reason, now=timezone.now())
    if not answers or conversation.owner_kind == Conversation.Owner.HUMAN:
        return
    playbook = entry_point.playbook
    current = conversation.language or entry_point.language.partition("-")[0]
    usual = conversation.language or language or current
    chosen = read_language(words, current=usual).language or usual
    if chosen != current and chosen in LANGUAGES and playbook.speaks(chosen):
        speaking.choose(conversation, chosen, interaction=interaction, named=LANGUAGES[chosen])
    speaking.disclose(interaction, playbook, conversation.language, company=entry_point.company_name)
