"""The only reader and writer of the local accounts."""

from __future__ import annotations

from datetime import timedelta
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from conversations.connectors import references
from conversations.connectors.accounts import (
    FoundInvoice,
    FoundOrder,
    FoundOwner,
    InvoicesOf,
    KnownAs,
    NoSuchInvoice,
    NotInTime,
    NotOwed,
    OrdersOf,
    OwnersOf,
    PromiseToPay,
    StandingPromise,
)
from conversations.connectors.base import EraseCustomers, ErasedCopies
from conversations.models import Invoice, PaymentPromise, SalesAccount, SalesOrder

MOST = 10
COLUMNS = {"external": "number", "email": "email", "phone": "phone"}
PROMISED_WITHIN = timedelta(days=30)


def orders_of(arguments: OrdersOf) -> tuple[FoundOrder, ...]:
    """The newest ten orders."""
    rows = SalesOrder.objects.filter(account__in=_accounts(arguments.known_as))[:MOST]
    return tuple(
        FoundOrder(
            row.reference, row.what, row.state, str(row.get_state_display()), row.ordered_on, row.expected_on, row.total
        )
        for row in rows
    )


def invoices_of(arguments: InvoicesOf) -> tuple[FoundInvoice, ...]:
    """The newest ten invoices."""
    standing = Prefetch("promises", PaymentPromise.objects.filter(replaced_at__isnull=True), to_attr="standing")
    rows = Invoice.objects.filter(account__in=_accounts(arguments.known_as)).prefetch_related(standing)[:MOST]
    return tuple(
        FoundInvoice(
            reference=row.reference,
            what=row.what,
            issued_on=row.issued_on,
            due_on=row.due_on,
            total=row.total,
            left_to_pay=row.left_to_pay,
            promised_by=row.standing[0].pay_by if row.standing else None,
        )
        for row in rows
    )


def owners_of(arguments: OwnersOf) -> tuple[FoundOwner, ...]:
    """Two look-ups by unique references."""
    meant = references.meant_by(arguments.reference)
    orders = SalesOrder.objects.filter(reference__in=meant).select_related("account")
    invoices = Invoice.objects.filter(reference__in=meant).select_related("account")
    found: list[tuple[str, SalesOrder | Invoice]] = [*(("order", row) for row in orders), *(("invoice", row) for row in invoices)]
    return tuple(
        FoundOwner(kind, row.reference, tuple((way, value) for way, column in COLUMNS.items() if (value := getattr(row.account, column))))
        for kind, row in found
    )


def promise(arguments: PromiseToPay) -> StandingPromise:
    """Keeps a promise; the one that stood for the invoice before stands no more. Locks the invoice.

    The same key again returns the first promise. Raises NoSuchInvoice, NotOwed, NotInTime.
    """
    with transaction.atomic():
        rows = Invoice.objects.select_for_update().filter(account__in=_accounts(arguments.known_as))
        invoice = rows.filter(reference=arguments.invoice.strip().upper()).first()
        if invoice is None:
            raise NoSuchInvoice(arguments.invoice)
        earlier = PaymentPromise.objects.filter(idempotency_key=arguments.idempotency_key).first()
        if earlier is not None:
            return _standing(invoice, earlier)
        _require_sense(invoice, arguments)
        invoice.promises.filter(replaced_at__isnull=True).update(replaced_at=Now())
        made = PaymentPromise.objects.create(
            invoice=invoice,
            amount=arguments.amount,
            pay_by=arguments.pay_by,
            conversation=arguments.conversation,
            made_by=arguments.made_by[:200],
            idempotency_key=arguments.idempotency_key,
        )
    return _standing(invoice, made)


def erase(arguments: EraseCustomers) -> ErasedCopies:
    """Takes the person out of the accounts of these numbers, addresses and phones; what was sold stays for the books."""
    theirs = Q(number__in=arguments.references) | Q(email__in=arguments.references) | Q(phone__in=arguments.references)
    with transaction.atomic():
        accounts = list(SalesAccount.objects.select_for_update().filter(theirs))
        for account in accounts:
            account.number, account.name, account.email, account.phone = f"erased:{account.pk}", "", "", ""
            account.save()
    return ErasedCopies(len(accounts))


def _accounts(known_as: KnownAs) -> QuerySet[SalesAccount]:
    ways = [Q(**{COLUMNS[kind]: value}) for kind, value in known_as if kind in COLUMNS and value]
    return SalesAccount.objects.filter(reduce(or_, ways)) if ways else SalesAccount.objects.none()


def _require_sense(invoice: Invoice, arguments: PromiseToPay) -> None:
    if arguments.amount > invoice.left_to_pay:
        raise NotOwed(invoice.left_to_pay)
    today = timezone.localdate()
    if not today <= arguments.pay_by <= today + PROMISED_WITHIN:
        raise NotInTime(today + PROMISED_WITHIN)


def _standing(invoice: Invoice, row: PaymentPromise) -> StandingPromise:
    return StandingPromise(invoice.reference, row.amount, row.pay_by)
