"""The raw truth of the transports, written before anything is made of it."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.db import connection

from conversations.models import ChatSessionRecord, WebhookRecord
from conversations.services.timeline import clean

IDENTIFYING = frozenset({"uuid", "call_uuid", "conversation_uuid", "conversation_uuid_from", "conversation_uuid_to", "from", "to"})
"""Fields of a webhook that name legs, rooms and phone numbers; they are kept as they came."""
LONGEST_IDENTIFIER = 64
KEEP = """
INSERT INTO conversations_webhookrecord (token_id, body_hash, kind, provider_id, named_call, body)
VALUES (%s, %s, %s, %s, %s, %s::jsonb)
ON CONFLICT (token_id) DO NOTHING
RETURNING id
"""
ANSWER = """
UPDATE conversations_webhookrecord SET answer = %s::jsonb, answered_at = statement_timestamp() WHERE id = %s AND answered_at IS NULL
"""


class TokenReused(Exception):
    """The same signature token came with another body."""


def record_webhook(
    *, token_id: str, body_hash: str, kind: str, provider_id: str, body: dict[str, Any], named_call: UUID | None = None
) -> tuple[WebhookRecord, bool]:
    """Keeps one verified webhook; says whether it is new. Card numbers in its texts are masked.

    `provider_id` is the leg that it is about, or the platform's room when it names no leg; `named_call` the public id of the call
    in the address that it came to. One statement for a new one. Raises TokenReused when the token came before with another body.
    """
    kept = {key: value if _identifies(key, value) else clean(value) for key, value in body.items()}
    with connection.cursor() as cursor:
        cursor.execute(KEEP, [token_id, body_hash, kind, provider_id[:100], named_call, json.dumps(kept)])
        row = cursor.fetchone()
    if row:
        return WebhookRecord(pk=row[0], token_id=token_id, body_hash=body_hash, kind=kind, provider_id=provider_id[:100]), True
    record = WebhookRecord.objects.get(token_id=token_id)
    if record.body_hash != body_hash:
        raise TokenReused(token_id)
    return record, False


def _identifies(key: str, value: Any) -> bool:
    return key in IDENTIFYING and isinstance(value, str) and len(value) <= LONGEST_IDENTIFIER


def answer_webhook(record: WebhookRecord, answer: Any) -> None:
    """Keeps what was answered, once, for a repetition of the same webhook."""
    with connection.cursor() as cursor:
        cursor.execute(ANSWER, [None if answer is None else json.dumps(answer), record.pk])


def refuse_webhook(record: WebhookRecord, reason: str) -> None:
    """Keeps that the webhook was refused for good, and why: nothing is to come of it."""
    _note_outcome(record, {"refused": reason})


def fail_webhook(record: WebhookRecord, reason: str) -> None:
    """Keeps that the work on the webhook failed, and why, so that the same webhook sent again is worked on at once.

    A connection that broke is replaced first. Raises django.db.OperationalError while the database is away.
    """
    connection.close_if_unusable_or_obsolete()
    _note_outcome(record, {"failed": reason})


def begin_again(record: WebhookRecord) -> None:
    """Forgets that the work failed: it is being done again."""
    _note_outcome(record, None)


def _note_outcome(record: WebhookRecord, outcome: dict[str, str] | None) -> None:
    WebhookRecord.objects.filter(pk=record.pk, answered_at__isnull=True).update(answer=outcome)


def record_chat_session(*, session_id: str, entry_point_address: str, visitor: str) -> None:
    """Notes that the web server took a message of this chat session; a repetition moves the last time seen."""
    ChatSessionRecord.objects.bulk_create(
        [ChatSessionRecord(session_id=session_id, entry_point_address=entry_point_address[:200], visitor=visitor)],
        update_conflicts=True,
        unique_fields=["session_id"],
        update_fields=["last_seen_at"],
    )
