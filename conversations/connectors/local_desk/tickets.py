"""The only reader and writer of the local help desk. The key of a ticket is unique in the database, so it is opened once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from conversations.connectors.base import EraseCustomers, ErasedCopies
from conversations.connectors.desk import FoundOpener, FoundTicket, KeepLead, OpenersOf, OpenTicket, TicketsOf
from conversations.connectors.references import meant_by, new_reference
from conversations.models import Ticket

MOST = 10
ATTEMPTS = 3


def open_ticket(arguments: OpenTicket) -> FoundTicket:
    """Opens a ticket; the same key again returns the first one."""
    return _found(
        _written(
            arguments.idempotency_key,
            kind=Ticket.Kind.TICKET,
            subject=arguments.subject[:200],
            details=arguments.details,
            contact=dict(arguments.contact),
            customer=arguments.customer,
            conversation=arguments.conversation,
        )
    )


def keep_lead(arguments: KeepLead) -> FoundTicket:
    """Keeps a lead; the same key again brings its answers and score up to date. Locks the lead."""
    contact = {fact: arguments.answers[fact] for fact in ("name", "phone", "email") if arguments.answers.get(fact)}
    details = "\n".join(f"{fact}: {answer}" for fact, answer in arguments.answers.items() if fact not in contact)
    values: dict[str, Any] = {"subject": arguments.form[:200], "details": details, "contact": contact, "score": arguments.score}
    row = _written(
        arguments.idempotency_key,
        kind=Ticket.Kind.LEAD,
        customer=arguments.customer,
        conversation=arguments.conversation,
        **values,
    )
    Ticket.objects.filter(pk=row.pk).update(**values)
    return _found(row)


def tickets_of(arguments: TicketsOf) -> tuple[FoundTicket, ...]:
    """The newest ten of these records."""
    return tuple(_found(row) for row in Ticket.objects.filter(customer__in=arguments.customers)[:MOST])


def openers_of(arguments: OpenersOf) -> tuple[FoundOpener, ...]:
    """A look-up by a unique reference."""
    rows = Ticket.objects.filter(reference__in=meant_by(arguments.reference)).order_by("pk")
    return tuple(FoundOpener(row.reference, row.customer) for row in rows)


def erase(arguments: EraseCustomers) -> ErasedCopies:
    """Empties what these records' tickets say; that there were tickets stays."""
    rows = Ticket.objects.filter(customer__in=arguments.customers).exclude(subject="")
    return ErasedCopies(rows.update(subject="", details="", contact={}))


def _written(key: str, *, customer: UUID, **values: Any) -> Ticket:
    """The row of this key, written once, whoever else writes it at the same time."""
    for attempt in range(ATTEMPTS):
        earlier = Ticket.objects.filter(idempotency_key=key).first()
        if earlier is not None:
            return earlier
        try:
            with transaction.atomic():
                return Ticket.objects.create(reference=new_reference(), customer=customer, idempotency_key=key, **values)
        except IntegrityError:
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError  # the last attempt returns or raises


def _found(row: Ticket) -> FoundTicket:
    return FoundTicket(row.reference, row.kind, row.state, str(row.get_state_display()), row.subject, row.opened_at)
