"""Which record a customer counts for, and the lock on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.db.models.functions import Coalesce

from conversations.models import Customer
from conversations.services.redaction import mask
from routing.compiled import CompiledOnce, Given

LOCKED: Final = CompiledOnce(lambda: Customer.objects.filter(pk=Given("customer")).order_by().select_for_update(no_key=True))
ROOTS: Final = CompiledOnce(
    lambda: Customer.objects.filter(pk__any_of=Given("customers")).order_by().values_list("pk", Coalesce("root", "pk"))
)


class _RootMoved(Exception):
    """Another transaction joined or separated the record while its lock was waited for."""


def root_of(customer: Customer) -> Customer:
    """The record a customer counts for now."""
    fresh = Customer.objects.select_related("root").get(pk=customer.pk)
    return fresh.root or fresh


def lock_root(customer: Customer) -> Customer:
    """The record a customer counts for now, locked until the transaction ends. See `lock_roots`."""
    return lock_roots(customer)[0]


def lock_roots(*customers: Customer) -> list[Customer]:
    """The records these count for now, in the order given, locked by rising id until the transaction ends.

    Needs a transaction. What a join that was committed meanwhile has moved is looked up anew, with no lock kept.
    """
    while True:
        try:
            with transaction.atomic():
                return _locked(customers)
        except _RootMoved:
            continue


def _locked(customers: tuple[Customer, ...]) -> list[Customer]:
    roots = _roots(customers)
    by_id = {root: _locked_root(root) for root in sorted(set(roots))}
    if _roots(customers) != roots:
        raise _RootMoved
    return [by_id[root] for root in roots]


def _locked_root(root: int) -> Customer:
    """One after the other: who held a record that is no root any more, and waited for the next, would be in the way of a join."""
    row = LOCKED.get(customer=root)
    if row.root_id:
        raise _RootMoved
    return row


def _roots(customers: tuple[Customer, ...]) -> list[int]:
    """The numbers of the records that these count for, in the order given; one statement."""
    counts_for = dict(ROOTS.all(customers={each.pk for each in customers}))
    return [counts_for[each.pk] for each in customers]


def correct(customer: Customer, changed: Sequence[str]) -> None:
    """Keeps the fields of a record that a person has put right, and no others: what was joined meanwhile stays joined.

    A card's number that was typed into a text is not kept.
    """
    for name in changed:
        value = getattr(customer, name)
        if isinstance(value, str):
            setattr(customer, name, mask(value))
    if changed:
        customer.save(update_fields=list(changed))
