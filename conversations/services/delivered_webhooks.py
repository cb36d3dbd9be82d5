"""What the phone platform delivered about a person's calls and texts, and taking the words and numbers out of it."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from conversations.models import CallLeg, Entry, Identifier, Interaction, WebhookRecord
from conversations.models.entry_point import Channel
from conversations.services.personal_data import Scope, identifiers_of

COUNTED_OF_A_WEBHOOK = frozenset(
    {
        "uuid", "call_uuid", "conversation_uuid", "conversation_uuid_from", "conversation_uuid_to", "status", "direction", "timestamp",
        "start_time", "end_time", "duration", "price", "detail", "disconnected_by", "sip_code", "endpoint_type", "original_request",
    }
)  # fmt: skip
"""What reports compare with the record, see `reporting.reconcile`, and what the state of a leg is made of, see `call_legs`."""


def about(scope: Scope) -> QuerySet[WebhookRecord]:
    """The webhooks about the person's calls, and those from or to their numbers where no call of anybody else came of it."""
    calls = Interaction.objects.filter(channel=Channel.VOICE)
    others = calls.exclude(pk__in=scope.lines)
    own = set(calls.filter(pk__in=scope.lines).values_list("provider_id", flat=True)) | _legs_and_rooms(scope)
    named = calls.filter(pk__in=scope.lines).values("public_id")
    phones = [value for kind, value in identifiers_of(scope) if kind == Identifier.Kind.PHONE]
    numbers = [*phones, *(value.removeprefix("+") for value in phones)]
    of_their_numbers = (
        (Q(body__from__in=numbers) | Q(body__to__in=numbers))
        & ~Q(provider_id__in=others.values("provider_id"))
        & ~Q(provider_id__in=CallLeg.objects.filter(interaction__in=others).values("leg_id"))
        & (Q(named_call__isnull=True) | ~Q(named_call__in=others.values("public_id")))
    )
    return WebhookRecord.objects.filter(Q(provider_id__in=own) | Q(named_call__in=named) | of_their_numbers)


def empty(records: QuerySet[Any]) -> int:
    """Leaves of delivered webhooks what reports count, and of their answers whether the call was turned away.

    `records` are of WebhookRecord. Returns how many held more.
    """
    changed = []
    for record in records.exclude(body_hash="").iterator():
        body = record.body if isinstance(record.body, dict) else {}
        record.body = {key: value for key, value in body.items() if key in COUNTED_OF_A_WEBHOOK}
        record.answer = _counted_of_an_answer(record.answer)
        record.body_hash = ""
        changed.append(record)
    WebhookRecord.objects.bulk_update(changed, ["body", "answer", "body_hash"], batch_size=500)
    return len(changed)


def _legs_and_rooms(scope: Scope) -> set[str]:
    """The ids of the legs on the person's calls, those of people too, and of the platform's rooms that they were in."""
    legs = CallLeg.objects.filter(interaction__in=scope.lines).values_list("leg_id", "rooms")
    return {each for leg_id, rooms in legs for each in (leg_id, *rooms)} | _legs_named_by_entries(scope)


def _legs_named_by_entries(scope: Scope) -> set[str]:
    """The legs that the entries about them were named after, for calls of before legs had rows."""
    about_them = Entry.objects.filter(interaction__in=scope.lines, kind__startswith="call.", source_id__startswith="voice:")
    return {source.split(":")[1] for source in about_them.values_list("source_id", flat=True) if source}


def _counted_of_an_answer(answer: Any) -> Any:
    if isinstance(answer, list):
        return [{"action": each["action"]} for each in answer if isinstance(each, dict) and "action" in each]
    if isinstance(answer, dict):
        return {key: value for key, value in answer.items() if key in ("refused", "failed")}
    return None
