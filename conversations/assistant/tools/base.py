"""What a tool is: something a brain may ask for by name, with arguments checked against a JSON schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.functional import Promise

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolContext:
    """For whom a tool runs, and for which company it speaks.

    `interaction` is the line the answer goes to, `conversations` are those whose visits the party may ask about,
    `knowledge_check` the facts whose answers together show who somebody is.
    `now` is in the entry point's zone; `idempotency_key` is the same when a call is repeated.
    `visits` are the references of those that the party may know of and change; `level` is how well it has proven to be the
    customer (`access.proven_level`); `language` is the conversation's.
    """

    conversation: UUID
    interaction: int
    conversations: tuple[UUID, ...]
    knowledge_check: tuple[str, ...]
    company: str
    now: datetime
    knowledge_threshold: float
    visits: frozenset[str] = frozenset()
    level: str = ""
    language: str = "en"
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something a tool made happen, for the history: a kind of entry, its sentence and its data."""

    kind: str
    sentence: str
    data: Json


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What a tool answered: plain JSON, a sentence for staff, and what happened."""

    result: Json
    sentence: str
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. `changes` says that it alters something, so it runs once and only while the turn is current; `begun` is what the
    history says of it then, before it is known what comes of it.

    `needs` is how well the party must have proven to be the customer; nothing: not at all. `live_only` keeps it out of
    drafts. `hidden` names arguments that the history does not keep. `recorded` is off for look-ups whose answer already
    shows where it is from. `run` is called in a thread, outside a transaction, may use the database, and raises
    ConnectorError.
    """

    name: str
    description: str
    schema: Json
    run: Callable[[ToolContext, Mapping[str, Any]], ToolOutcome]
    changes: bool = False
    begun: str | Promise = ""
    needs: str = ""
    live_only: bool = False
    hidden: frozenset[str] = frozenset()
    recorded: bool = True


def arguments_schema(required: list[str], **properties: Json) -> Json:
    """The JSON schema of an object with these properties and no others."""
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def text(description: str, longest: int = 200) -> Json:
    """The schema of a text that is not empty."""
    return {"type": "string", "minLength": 1, "maxLength": longest, "description": description}


def moment(description: str) -> Json:
    """The schema of an ISO 8601 time with its offset."""
    pattern = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})$"
    return {"type": "string", "pattern": pattern, "description": description}
