"""The one way to write history."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import Case, F, Func, JSONField, Q, TextField, Value, When
from django.db.models.functions import Now

from conversations.models import Conversation, Entry, Interaction
from conversations.services import announce, unanswered
from conversations.services.kinds import COUNTED, kind_of
from conversations.services.redaction import SMALLEST_CARD, mask


@dataclass(frozen=True, slots=True)
class NewEntry:
    """What is to be written. `source_id` makes a repetition write nothing.

    `wants_turn` asks for an answer: it is written where the line is by then, should a join have moved it.
    """

    kind: str
    actor_kind: str
    actor_name: str = ""
    body: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    audience: str = "everyone"
    interaction: Interaction | None = None
    source_id: str | None = None
    occurred_at: datetime | None = None
    wants_turn: bool = False


@dataclass(frozen=True, slots=True)
class Appended:
    """Where an entry stands. `repeated` when it stood there already; `owner_kind` and `fence` as they are now."""

    conversation_id: int
    seq: int
    occurred_at: datetime
    repeated: bool
    owner_kind: str
    fence: int


APPEND = (
    "SELECT outcome, entry_seq, entry_occurred_at, entry_conversation, owner, fence_now, public_id FROM conversation_append("
    "%s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s, %s, %s)"
)


def append(conversation_id: int, new: NewEntry) -> Appended:
    """Writes one entry and tells open screens after commit.

    One statement, which is its own transaction where none is under way. Card numbers are masked and null bytes dropped first.
    Locks the conversation's row until the transaction ends. Raises KeyError for an unregistered kind, Conversation.DoesNotExist
    when there is none or what wants an answer comes too late for one.
    """
    kind_of(new.kind)
    body, data = storable(new.body), clean(new.data)
    with connection.cursor() as cursor:
        cursor.execute(
            APPEND,
            [
                conversation_id,
                new.kind,
                new.actor_kind,
                new.actor_name[:200],
                body,
                json.dumps(data),
                new.audience,
                new.interaction.pk if new.interaction else None,
                new.source_id,
                new.occurred_at,
                new.wants_turn,
            ],
        )
        outcome, seq, occurred_at, conversation, owner_kind, fence_now, public_id = cursor.fetchone()
    if outcome in ("unknown", "ended"):
        raise Conversation.DoesNotExist(f"Conversation {conversation_id} is {outcome}.")
    appended = Appended(conversation, seq, occurred_at, outcome == "repeated", owner_kind, fence_now)
    if not appended.repeated:
        announce.entry_appended(
            public_id.hex,
            announce.wire_entry(
                seq=seq,
                kind=new.kind,
                actor_kind=new.actor_kind,
                actor_name=new.actor_name[:200],
                body=body,
                data=data,
                audience=new.audience,
                interaction=str(new.interaction.public_id) if new.interaction else None,
                channel=new.interaction.channel if new.interaction else None,
                occurred_at=occurred_at,
            ),
        )
    return appended


def redact(entry: Entry, *, reason: str) -> None:
    """Empties an entry's text and personal data, once, leaving a mark with the reason, and tells open screens after commit.

    The append-only trigger allows this change, and `erase` after it.
    """
    unanswered.forget(Entry.objects.filter(pk=entry.pk))
    changed = Entry.objects.filter(pk=entry.pk, redacted_at__isnull=True).update(
        body="",
        actor_name="",
        data=kind_of(entry.kind).erase(entry.data),
        redacted_at=Now(),
        redaction_reason=reason,
    )
    if changed:
        announce.entry_redacted(Entry.objects.select_related("conversation", "interaction").get(pk=entry.pk))


def erase(numbers: Sequence[int], *, reason: str) -> None:
    """Takes everything that may tell of the person out of entries, in one statement, and shows it on open screens after commit.

    What is left is what reports count: kinds, times, codes, and the names of staff. An entry that was redacted before keeps
    its mark and loses the rest. `numbers` are primary keys.
    """
    entries = Entry.objects.filter(pk__in=numbers)
    unanswered.forget(entries)
    is_new = Q(redacted_at__isnull=True)
    entries.update(
        body="",
        source_id=None,
        data=_counted(),
        actor_name=Case(When(actor_kind=Entry.Actor.CUSTOMER, then=Value("")), default=F("actor_name")),
        redacted_at=Case(When(is_new, then=Now()), default=F("redacted_at")),
        redaction_reason=Case(When(is_new, then=Value(reason)), default=F("redaction_reason")),
    )
    left: dict[str, list[announce.Frame]] = {}
    for entry in entries.select_related("conversation", "interaction"):
        left.setdefault(entry.conversation.public_id.hex, []).append(announce.wire_entry_of(entry))
    for public_hex, frames in left.items():
        announce.entries_redacted(public_hex, frames)


def _counted() -> Func:
    """For a query: the keys of an entry's data that an erasure leaves; a list may hold words, so none is left."""
    kept = Value(sorted(COUNTED), output_field=ArrayField(TextField()))
    return Func(
        F("data"),
        kept,
        template="(SELECT COALESCE(jsonb_object_agg(key, value), '{}') FROM jsonb_each(%(expressions)s)"
        " AND jsonb_typeof(value) <> 'array')",
        arg_joiner=") WHERE key = ANY(",
        output_field=JSONField(),
    )


def storable(text: str) -> str:
    """Text that may be kept: without null bytes, which PostgreSQL refuses, and without card numbers."""
    return mask(_without_null(text))


def clean(value: Any) -> Any:
    """The same JSON value with every text in it made storable, and a number that holds a card's as text.

    A screen knows its message again by `client_id`, so that stays as it came, digits and all.
    """
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, int) and abs(value) >= SMALLEST_CARD:
        masked = mask(str(value))
        return value if masked == str(value) else masked
    if isinstance(value, Mapping):
        return {storable(str(key)): _without_null(each) if key == "client_id" else clean(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(each) for each in value]
    return value


def _without_null(text: str) -> str:
    return text.replace("\x00", "")
