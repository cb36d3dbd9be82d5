"""Whom an audience finds, what each is to be called about, and whether that still holds when the phone is about to ring.

A filter is a JSON object; which keys a source knows is in FILTERS, as a JSON schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import CharField, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from conversations.models import ActionItem, Audience, Booking, CampaignContact, Customer, Identifier
from conversations.models.identifier import PROVEN

_HOURS: Final = {"type": "number", "minimum": -8760, "maximum": 8760}
_WORD: Final = {"type": "string", "minLength": 1, "maxLength": 120}


def _schema(**keys: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": keys, "additionalProperties": False}


FILTERS: Final[Mapping[str, dict[str, Any]]] = {
    Audience.Source.CUSTOMERS: _schema(tier=_WORD, language=_WORD, postcode_begins=_WORD, with_attribute=_WORD),
    Audience.Source.BOOKINGS: _schema(from_hours=_HOURS, to_hours=_HOURS, service=_WORD),
    Audience.Source.BALANCES: _schema(at_least={"type": "number", "exclusiveMinimum": 0}, tier=_WORD, language=_WORD),
    Audience.Source.CALL_BACKS: _schema(waited_minutes={"type": "number", "minimum": 0}),
}
"""What may stand in an audience's filters. Hours count from now on; a visit is found by when it begins."""


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody an audience finds: the record, the number to ring (empty when there is none), what it is about."""

    customer_id: int
    number: str
    subject: str


@dataclass(frozen=True, slots=True)
class Details:
    """What a call is about, in values for its words. Whoever picks up may hear none of them before it is known who that is."""

    what: str = ""
    when: datetime | None = None
    amount: Decimal | None = None
    private: bool = field(default=True)


def found(audience: Audience) -> Iterator[Found]:
    """Everybody an audience finds now, by the record that counts."""
    for customer_id, number, key in _rows(audience).values_list("whose", "to_ring", "key").iterator():
        yield Found(customer_id, number or "", f"{_PREFIX[audience.source]}:{_text(key)}")


def count(audience: Audience) -> tuple[int, int]:
    """How many an audience finds, and how many of these have a number. Two statements."""
    rows = _rows(audience)
    return rows.count(), rows.exclude(to_ring="").count()


def details_of(contact: CampaignContact) -> Details | None:
    """What a contact is to be called about as it is now; None when there is nothing to call about any more."""
    prefix, _colon, key = contact.subject.partition(":")
    match prefix:
        case "booking":
            booking = Booking.objects.filter(reference=key, state=Booking.State.BOOKED, window__endswith__gt=timezone.now()).first()
            return Details(booking.service, booking.window.lower) if booking else None
        case "balance":
            owed = Customer.objects.filter(pk=contact.customer_id).values_list("open_balance", flat=True).first()
            return Details(amount=owed) if owed else None
        case "call_back":
            # Its title may be private, so it is not among the details.
            return Details(private=False) if call_back_of(contact) else None
        case _other:
            return Details(private=False)


def call_back_of(contact: CampaignContact) -> ActionItem | None:
    """The promise to call back that a contact is called for, while it is not kept."""
    prefix, _colon, key = contact.subject.partition(":")
    return ActionItem.objects.filter(public_id=key, done_at__isnull=True).first() if prefix == "call_back" else None


_PREFIX: Final[Mapping[str, str]] = {
    Audience.Source.CUSTOMERS: "customer",
    Audience.Source.BOOKINGS: "booking",
    Audience.Source.BALANCES: "balance",
    Audience.Source.CALL_BACKS: "call_back",
}


def _rows(audience: Audience) -> QuerySet[Any]:
    filters, now = audience.filters, timezone.now()
    match audience.source:
        case Audience.Source.BOOKINGS:
            begins = {
                "window__startswith__gte": now + timedelta(hours=filters.get("from_hours", 0)),
                "window__startswith__lt": now + timedelta(hours=filters.get("to_hours", 48)),
            }
            visits = Booking.objects.filter(state=Booking.State.BOOKED, **begins)
            if "service" in filters:
                visits = visits.filter(service=filters["service"])
            return visits.annotate(whose=F("customer_id"), to_ring=F("phone"), key=F("reference"))
        case Audience.Source.CALL_BACKS:
            waited = now - timedelta(minutes=filters.get("waited_minutes", 30))
            items = ActionItem.objects.filter(kind=ActionItem.Kind.CALL_BACK, done_at__isnull=True, put_in_line_at__lt=waited)
            return items.annotate(whose=F("customer_id"), to_ring=F("phone"), key=F("public_id"))
        case _of_records:
            return _records(audience)


def _records(audience: Audience) -> QuerySet[Customer]:
    filters = audience.filters
    rows = Customer.objects.filter(root__isnull=True, erased_at__isnull=True)
    if audience.source == Audience.Source.BALANCES:
        rows = rows.filter(open_balance__gte=Decimal(str(filters.get("at_least", "0.01"))))
    wanted = Q(**{name: filters[name] for name in ("tier", "language") if name in filters})
    if "postcode_begins" in filters:
        wanted &= Q(postcode__startswith=filters["postcode_begins"].upper().replace(" ", ""))
    if "with_attribute" in filters:
        wanted &= Q(attributes__has_key=filters["with_attribute"])
    phones = Identifier.objects.filter(customer=OuterRef("pk"), kind=Identifier.Kind.PHONE, assurance__in=PROVEN)
    # By chance the words of assurance sort as they rank: verified, network_hint.
    best = phones.order_by(F("assurance").desc(), F("last_seen_at").desc(), "pk").values("value")[:1]
    return rows.filter(wanted).annotate(
        whose=F("pk"), to_ring=Coalesce(Subquery(best), Value(""), output_field=CharField()), key=F("public_id")
    )


def _text(key: UUID | str) -> str:
    return key.hex if isinstance(key, UUID) else key
