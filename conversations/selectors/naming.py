"""What a customer is called on every screen, and how a phone number that somebody types is looked for."""

import re
from collections.abc import Iterable
from uuid import UUID

from django.db.models import OuterRef, Subquery

from conversations.models import Conversation, Customer, Identifier

REACHABLE = ("phone", "email")
PHONE_LIKE = re.compile(r"^[\d\s()+./-]{5,}$")
HEX_UUID = re.compile(r"[0-9a-f]{32}")
TRUNK_PREFIX = re.compile(r"^(00|0)")


def calls_by(customer: Customer, reachable_at: str | None) -> str:
    """The name, else the phone number or address they can be reached at, else “Customer 7”."""
    return customer.name or reachable_at or str(customer)


def name_of(customer: Customer) -> str:
    """What one customer is called; one statement when they have no name."""
    if customer.name:
        return customer.name
    found = Customer.objects.filter(pk=customer.pk).values_list(reachable_at("pk"), flat=True).first()
    return calls_by(customer, found)


def reachable_at(customer: str) -> Subquery:
    """For a query: the phone number, else email, last seen of the customer in the column `customer`; NULL when there is none."""
    known = Identifier.objects.filter(customer=OuterRef(customer), kind__in=REACHABLE).order_by("-kind", "-last_seen_at", "pk")
    return Subquery(known.values("value")[:1])


def by_subject(subjects: Iterable[str]) -> dict[str, tuple[UUID, str]]:
    """For work by routing's name for it: the conversation's public id and what its customer is called. One statement.

    Work that is no conversation of ours is left out.
    """
    public_ids = [UUID(subject) for subject in subjects if HEX_UUID.fullmatch(subject)]
    found = Conversation.objects.filter(public_id__in=public_ids)
    rows = found.values_list("public_id", "customer", "customer__name", reachable_at("customer"))
    return {key.hex: (key, calls_by(Customer(pk=number, name=name), known)) for key, number, name, known in rows}


def digits_to_find(text: str) -> str:
    """The digits of a phone number as they stand in its normal form, however it was written; empty when it is none."""
    return TRUNK_PREFIX.sub("", re.sub(r"\D", "", text)) if PHONE_LIKE.match(text) else ""
