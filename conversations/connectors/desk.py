"""The words of a help desk: tickets to look into, and leads for whoever sells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from conversations.connectors.base import Connector, EraseCustomers, ErasedCopies, Operation

CAPABILITY = "desk"


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """Something to look into. `contact` has name, phone and email as far as they were given. The same key again opens nothing."""

    customer: UUID
    conversation: UUID
    subject: str
    details: str
    idempotency_key: str
    contact: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeepLead:
    """Somebody who wants something, with a score and the answers to a form. The same key again keeps the newest answers."""

    customer: UUID
    conversation: UUID
    form: str
    score: int
    answers: Mapping[str, str]
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class TicketsOf:
    """The tickets that were opened for these records, the newest first, at most ten."""

    customers: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class OpenersOf:
    """For which records the ticket or lead of this reference was opened; in capitals, with or without the letters it begins with."""

    reference: str


@dataclass(frozen=True, slots=True)
class FoundOpener:
    """The public id of a record for which a ticket was opened."""

    reference: str
    customer: UUID


@dataclass(frozen=True, slots=True)
class FoundTicket:
    """A ticket or a lead as the desk has it. `kind` is ticket or lead, `state` open or solved."""

    reference: str
    kind: str
    state: str
    state_name: str
    subject: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Desk:
    """The operations of a help desk's connector, typed."""

    open_ticket: Operation[OpenTicket, FoundTicket]
    keep_lead: Operation[KeepLead, FoundTicket]
    tickets_of: Operation[TicketsOf, tuple[FoundTicket, ...]]
    openers_of: Operation[OpenersOf, tuple[FoundOpener, ...]]
    erase: Operation[EraseCustomers, ErasedCopies]

    def as_connector(self, name: str) -> Connector:
        """The same operations by name, for lists and for the registry."""
        operations: tuple[Operation[Any, Any], ...] = tuple(getattr(self, each.name) for each in fields(self))
        return Connector(name, CAPABILITY, {each.name: each for each in operations})
