"""The words of scheduling that every scheduling connector speaks, whatever system stands behind it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from conversations.connectors.base import Connector, ConnectorError, EraseCustomers, ErasedCopies, Operation

CAPABILITY = "schedule"


@dataclass(frozen=True, slots=True)
class Area:
    """Whether a postcode is served, and the territory it lies in. `territory` is empty when it is not."""

    postcode: str
    served: bool
    territory: str = ""
    territory_name: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """A window in which somebody could come. Both ends are aware, in the time zone of who would come."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class CheckArea:
    """A postcode in any spelling."""

    postcode: str


@dataclass(frozen=True, slots=True)
class FindSlots:
    """Free windows for `postcode` that start between two aware moments (the end excluded), earliest first."""

    postcode: str
    from_time: datetime
    to_time: datetime
    limit: int = 3


@dataclass(frozen=True, slots=True)
class BookVisit:
    """A visit to book. The same `idempotency_key` again returns the first booking and books nothing."""

    conversation: UUID
    service: str
    name: str
    phone: str
    postcode: str
    start: datetime
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class MoveVisit:
    """A booked visit and the start of its new window."""

    reference: str
    start: datetime


@dataclass(frozen=True, slots=True)
class CancelVisit:
    """A booked visit to give up."""

    reference: str


@dataclass(frozen=True, slots=True)
class CorrectVisit:
    """A booked visit and how it should read; an empty text leaves what is there. `phone` is E.164."""

    reference: str
    name: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class VisitsOfConversations:
    """Visits that were booked in any of these conversations and end after an aware moment."""

    conversations: tuple[UUID, ...]
    after: datetime


@dataclass(frozen=True, slots=True)
class ListPrices:
    """Everything on the price list."""


@dataclass(frozen=True, slots=True)
class Price:
    """One service on the price list; `price` in the company's currency, `unit` such as “per visit”."""

    name: str
    description: str
    price: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class BookedVisit:
    """A visit as the schedule has it. `conversation` is the one in which it was booked; times are aware and local."""

    reference: str
    service: str
    name: str
    phone: str
    postcode: str
    start: datetime
    end: datetime
    technician: str
    cancelled: bool
    conversation: UUID


class SlotTaken(ConnectorError):
    """The window is gone, or there never was one (`exists`); `others` are the nearest that are still free."""

    def __init__(self, others: tuple[Slot, ...], *, exists: bool = True) -> None:
        sentence = _("That time has just been taken.") if exists else _("No visit can begin at that time.")
        super().__init__(sentence, code="slot_taken", permanent=True)
        self.others = others


class NotServed(ConnectorError):
    """Nobody works in that area."""

    def __init__(self, postcode: str) -> None:
        super().__init__(_("%(postcode)s is outside the area that is served.") % {"postcode": postcode}, code="not_served", permanent=True)


class NoSuchVisit(ConnectorError):
    """There is no visit of that reference, or it was cancelled."""

    def __init__(self, reference: str) -> None:
        super().__init__(_("There is no booked visit %(reference)s.") % {"reference": reference}, code="no_such_visit", permanent=True)


class ScheduleBusy(ConnectorError):
    """Two changes got in each other's way; trying again helps."""

    def __init__(self) -> None:
        super().__init__(_("The schedule is being changed by somebody else."), code="busy", permanent=False)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The operations of a scheduling connector, typed."""

    check_area: Operation[CheckArea, Area]
    find_slots: Operation[FindSlots, tuple[Slot, ...]]
    book: Operation[BookVisit, BookedVisit]
    reschedule: Operation[MoveVisit, BookedVisit]
    cancel: Operation[CancelVisit, BookedVisit]
    correct: Operation[CorrectVisit, BookedVisit]
    visits_of_conversations: Operation[VisitsOfConversations, tuple[BookedVisit, ...]]
    list_prices: Operation[ListPrices, tuple[Price, ...]]
    erase: Operation[EraseCustomers, ErasedCopies]

    def as_connector(self, name: str) -> Connector:
        """The same operations by name, for lists and for the registry."""
        operations: tuple[Operation[Any, Any], ...] = tuple(getattr(self, each.name) for each in fields(self))
        return Connector(name, CAPABILITY, {each.name: each for each in operations})
