"""Opening, resuming and closing conversations and the interactions in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from conversations.models import Conversation, Customer, EntryPoint, Interaction
from conversations.services import announce, call_state, dial_attempts, ownership, records, timeline
from conversations.services.parties import IdentifierClaim, Party
from conversations.services.timeline import NewEntry
from routing.compiled import CompiledOnce, Given
from routing.models import DispositionCode
from routing.services import reservations

OPEN: Final = CompiledOnce(
    lambda: Conversation.objects.filter(customer=Given("customer"), status="open", joined_into__isnull=True)[:1]
)


def open_or_resume(customer: Customer) -> Conversation:
    """The customer's open conversation, or a new one.

    Must run in a transaction. Locks the row of the record that the customer counts for, so that simultaneous first
    contacts on two channels get one conversation.
    """
    customer = records.lock_root(customer)
    found = OPEN.first(customer=customer.pk)
    if found:
        return found
    created = Conversation.objects.create(customer=customer, original_customer=customer)
    created.refresh_from_db()
    announce.work_changed(created)
    return created


def start_interaction(
    conversation: Conversation,
    *,
    entry_point: EntryPoint,
    provider_id: str,
    party: Party,
    at: datetime | None = None,
    direction: str = "inbound",
    data: dict[str, Any] | None = None,
    public_id: UUID | None = None,
    channel: str = "",
) -> Interaction:
    """The interaction with this transport id, begun in the conversation when it is new.

    A new one writes `interaction.started`, and has `public_id` when one is given; `channel` is the entry point's own by default.
    Must run in a transaction.
    """
    interaction, created = Interaction.objects.get_or_create(
        provider_id=provider_id,
        defaults={
            "conversation": conversation,
            "original_conversation": conversation,
            "entry_point": entry_point,
            "channel": channel or entry_point.channel,
            "direction": direction,
            "party": party.display[:320],
            "assurance": party.assurance,
            "started_at": at or timezone.now(),
            "data": data or {},
            **({"public_id": public_id} if public_id else {}),
        },
    )
    if created:
        timeline.append(
            conversation.pk,
            NewEntry(
                kind="interaction.started",
                actor_kind="system",
                interaction=interaction,
                occurred_at=at,
                data={
                    "channel": interaction.channel,
                    "entry_point": entry_point.address,
                    "party": interaction.party,
                },
            ),
        )
    return interaction


def start_call_to(conversation: Conversation, number: str, *, entry_point: EntryPoint, data: dict[str, Any]) -> Interaction:
    """A call that we are going to place to `number`; the platform names its leg later (`call_state.adopt`).

    The number is only claimed: who has it may be anybody, whoever we think it is. Must run in a transaction.
    """
    public_id = uuid4()
    return start_interaction(
        conversation,
        entry_point=entry_point,
        provider_id=call_state.unplaced_id(public_id),
        public_id=public_id,
        party=Party((IdentifierClaim("phone", number, "claimed"),), number),
        direction=Interaction.Direction.OUTBOUND,
        data=data,
    )


def end_interaction(interaction: Interaction, *, reason: str, at: datetime | None = None, seconds: int | None = None) -> bool:
    """Ends an interaction once; says whether this call did it. From then on its wrap-up is owed (`assistant.recap`).

    `seconds` is how long it was, for the history, when the transport said so; otherwise it is what the record makes of its times.

    Locks its conversation and then its row, in the order of everybody who changes both.
    """
    with transaction.atomic():
        held = Interaction.objects.values("conversation").filter(pk=interaction.pk)
        Conversation.objects.select_for_update(no_key=True).get(pk__in=held)
        row = Interaction.objects.select_for_update(no_key=True).get(pk=interaction.pk)
        if row.state == Interaction.State.ENDED:
            return False
        ended_at = max(at or timezone.now(), row.started_at)
        if seconds is None:
            seconds = round((ended_at - (row.answered_at or row.started_at)).total_seconds())
        Interaction.objects.filter(pk=row.pk).update(
            state=Interaction.State.ENDED, ended_at=ended_at, end_reason=reason[:40], wrap_up_due_at=Now()
        )
        dial_attempts.end_of(row, reason)
        timeline.append(
            row.conversation_id,
            NewEntry(
                kind="interaction.ended",
                actor_kind="system",
                interaction=row,
                occurred_at=ended_at,
                data={
                    "channel": row.channel,
                    "end_reason": reason,
                    "duration_seconds": seconds,
                },
            ),
        )
    return True


def close(
    conversation: Conversation,
    *,
    actor_kind: str,
    actor_name: str,
    disposition: DispositionCode | None,
    note: str = "",
    suggested: str = "",
) -> bool:
    """Closes a conversation with its outcome, and with it those that were joined into it; sessions and work end.

    `suggested` is the code of the outcome that was suggested to whoever chose this one, empty when none was.

    A live call does not hold it open: the transport ends the call, since only it knows when that was.
    Says whether this call did it. Locks all their work, then the conversation's row and the joined ones'.
    """
    with transaction.atomic():
        row = ownership.lock_with_work(conversation)
        if row.status == Conversation.Status.CLOSED:
            return False
        if disposition:
            timeline.append(
                row.pk,
                NewEntry(
                    kind="outcome.set",
                    actor_kind=actor_kind,
                    actor_name=actor_name,
                    audience="staff",
                    body=note or str(disposition.name),
                    data={"disposition": disposition.code, **({"suggested": suggested} if suggested else {})},
                ),
            )
        for interaction in row.interactions.filter(channel__in=["chat", "sms"]).exclude(state=Interaction.State.ENDED):
            end_interaction(interaction, reason="conversation_closed")
        for joined in row.joined_conversations.filter(status=Conversation.Status.OPEN).order_by("pk"):
            close(joined, actor_kind="system", actor_name="", disposition=None)
        timeline.append(row.pk, NewEntry(kind="conversation.closed", actor_kind=actor_kind, actor_name=actor_name))
        Conversation.objects.filter(pk=row.pk).update(status=Conversation.Status.CLOSED, closed_at=Now(), disposition=disposition)
        reservations.complete(row.public_id.hex)
        announce.work_changed(row)
    return True
