"""The words of a sales system: orders, invoices and promises to pay, whatever system stands behind them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from conversations.connectors.base import Connector, ConnectorError, EraseCustomers, ErasedCopies, Operation

CAPABILITY = "accounts"
KnownAs = tuple[tuple[str, str], ...]
"""What a customer has proven to be theirs, each as kind and value: (`external`, `harborhome:1001`), (`email`, …), (`phone`, …)."""


@dataclass(frozen=True, slots=True)
class OrdersOf:
    """The orders of whoever is known by these."""

    known_as: KnownAs


@dataclass(frozen=True, slots=True)
class InvoicesOf:
    """The invoices of whoever is known by these."""

    known_as: KnownAs


@dataclass(frozen=True, slots=True)
class OwnersOf:
    """Whose order or invoice has this reference, in capitals, with or without the letters it begins with."""

    reference: str


@dataclass(frozen=True, slots=True)
class FoundOwner:
    """Whom an order or an invoice belongs to: `kind` is a word for programs, `order` or `invoice`."""

    kind: str
    reference: str
    known_as: KnownAs


@dataclass(frozen=True, slots=True)
class PromiseToPay:
    """That the customer says they pay an amount of an invoice by a day. The same key again returns the first promise."""

    known_as: KnownAs
    invoice: str
    amount: Decimal
    pay_by: date
    conversation: UUID
    made_by: str
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class FoundOrder:
    """An order. `state` is a word for programs: placed, in_progress, dispatched, delivered, cancelled."""

    reference: str
    what: str
    state: str
    state_name: str
    ordered_on: date
    expected_on: date | None
    total: Decimal


@dataclass(frozen=True, slots=True)
class FoundInvoice:
    """An invoice with what is left to pay of it, and by when the customer said they would."""

    reference: str
    what: str
    issued_on: date
    due_on: date
    total: Decimal
    left_to_pay: Decimal
    promised_by: date | None = None


@dataclass(frozen=True, slots=True)
class StandingPromise:
    """A promise as the system has it."""

    invoice: str
    amount: Decimal
    pay_by: date


class NoSuchInvoice(ConnectorError):
    """The customer has no invoice of that reference."""

    def __init__(self, reference: str) -> None:
        super().__init__(_("There is no invoice %(reference)s.") % {"reference": reference}, code="no_such_invoice", permanent=True)


class NotOwed(ConnectorError):
    """Less than that is left to pay; `currency` is the sign that it is said with."""

    def __init__(self, left: Decimal, currency: str = "") -> None:
        sentence = _("Only %(left)s is left to pay.") if left else _("Nothing is left to pay.")
        super().__init__(sentence % {"left": f"{currency}{left:.2f}"}, code="not_owed", permanent=True)
        self.left = left


class NotInTime(ConnectorError):
    """The day is over, or too far away."""

    def __init__(self, latest: date) -> None:
        day = date_format(latest, pgettext("format of a date, as in Django", "l j F"))
        super().__init__(_("A payment can be promised until %(latest)s.") % {"latest": day}, code="not_in_time", permanent=True)
        self.latest = latest


@dataclass(frozen=True, slots=True)
class Accounts:
    """The operations of a sales system's connector, typed."""

    orders_of: Operation[OrdersOf, tuple[FoundOrder, ...]]
    invoices_of: Operation[InvoicesOf, tuple[FoundInvoice, ...]]
    owners_of: Operation[OwnersOf, tuple[FoundOwner, ...]]
    promise: Operation[PromiseToPay, StandingPromise]
    erase: Operation[EraseCustomers, ErasedCopies]

    def as_connector(self, name: str) -> Connector:
        """The same operations by name, for lists and for the registry."""
        operations: tuple[Operation[Any, Any], ...] = tuple(getattr(self, each.name) for each in fields(self))
        return Connector(name, CAPABILITY, {each.name: each for each in operations})
