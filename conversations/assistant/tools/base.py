"""What a tool is: something a brain may ask for by name, with arguments checked against a JSON schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.functional import Promise

from conversations.services.action_items import By

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Link:
    """One of the company's links that a playbook lets be sent; what it is called is also what a customer may ask for."""

    code: str
    label: str
    address: str


@dataclass(frozen=True, slots=True)
class ToolContext:
    """For whom a tool runs, and for which company it speaks.

    `interaction` is the line the answer goes to, `conversations` are those whose visits the party may ask about,
    `knowledge_check` the facts whose answers together show who somebody is.
    `now` is in the entry point's zone; `idempotency_key` is the same when a call is repeated.
    `visits` are the references of those that the party may know of and change, `links` the company's that may be sent, `facts`
    what the party has told by name. `by` is who asked for the call: the AI agent, or a person in the inbox; `level` is how well
    the party has proven to be the customer (`access.proven_level`); `language` (two letters) is the customer's, and
    `names` what services and reasons are called in it; `currency` is the sign of the company's, empty where none is known.
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
    currency: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    idempotency_key: str = ""
    links: Mapping[str, Link] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    by: By = field(default_factory=lambda: By("assistant", ""))

    @property
    def is_for_agent(self) -> bool:
        """Whether a person asked for the call, who may see what stands on the record."""
        return self.by.kind == "agent"


@dataclass(frozen=True, slots=True)
class Event:
    """Something a tool made happen, for the history: a kind of entry, its sentence and its data, and who may see it."""

    kind: str
    sentence: str
    data: Json
    audience: str = "everyone"


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
    ConnectorError. `most` is how often one conversation may use it where its playbook says nothing else.

    `title` is what people call it and `labels` what its arguments are called where a person fills them in; `choices` gives the
    values of an argument that are to be chosen from, and `unshown` names what of the result only programs read. What may stand in an
    argument is said by `schema` alone, which a model is shown, every call is checked against, and the form for people is made from.
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
    most: int = 60
    title: str | Promise = ""
    labels: Mapping[str, str | Promise] = field(default_factory=dict)
    choices: Mapping[str, Callable[[ToolContext], list[tuple[str, str]]]] = field(default_factory=dict)
    unshown: frozenset[str] = frozenset()


def arguments_schema(required: list[str], **properties: Json) -> Json:
    """The JSON schema of an object with these properties and no others."""
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def text(description: str, longest: int = 200) -> Json:
    """The schema of a text that is not empty."""
    return {"type": "string", "minLength": 1, "maxLength": longest, "description": description}


def moment(description: str) -> Json:
    """The schema of an ISO 8601 time with its offset."""
    pattern = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})$"
    return {"type": "string", "pattern": pattern, "format": "date-time", "description": description}


def day(description: str) -> Json:
    """The schema of an ISO 8601 date."""
    return {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$", "format": "date", "description": description}


def amount(description: str) -> Json:
    """The schema of an amount of money in the company's currency, such as 85.50."""
    return {"type": "string", "pattern": r"^\d{1,7}(\.\d{2})?$", "format": "amount", "description": description}


def phone(description: str) -> Json:
    """The schema of a phone number as E.164."""
    return {"type": "string", "pattern": r"^\+[1-9][0-9]{6,14}$", "format": "phone", "description": description}
