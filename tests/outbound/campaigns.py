"""Campaigns for tests, and those they call."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from conversations.models import Audience, Booking, Campaign, CampaignContact, Customer, Technician
from conversations.services import campaigns
from tests.outbound.calling import callable_customer
from tests.record import rows

_numbers = count(1)


def visit(customer: Customer, number: str, begins: datetime | None = None, service: str = "Boiler service") -> Booking:
    """A visit of tomorrow, by a technician of its own."""
    at = begins or timezone.now() + timedelta(days=1)
    return Booking.objects.create(
        reference=f"HH-{next(_numbers):06d}",
        customer=customer,
        original_customer=customer,
        conversation=rows.conversation(customer, status="closed", closed_at=timezone.now()),
        technician=Technician.objects.create(name=f"Tess {next(_numbers)}"),
        service=service,
        name=customer.name,
        phone=number,
        postcode=customer.postcode,
        window=(at, at + timedelta(hours=2)),
        idempotency_key=f"visit-{next(_numbers)}",
    )


def audience(source: str = "bookings", **filters: Any) -> Audience:
    return Audience.objects.create(name=f"Audience {next(_numbers)}", source=source, filters=filters)


def campaign(of: Audience | None = None, purpose: str = "reminder", *, starts: bool = True, **changes: Any) -> Campaign:
    values = {"calls_per_second": 30, **changes}
    made = Campaign.objects.create(
        name=f"Campaign {next(_numbers)}", purpose=purpose, audience=of or audience(), entry_point=rows.phone_line(), **values
    )
    if starts:
        campaigns.start(made, by="Ann")
        made.refresh_from_db()
    return made


def somebody_with_a_visit(name: str = "Sam Okafor", **changes: Any) -> tuple[Customer, str, Booking]:
    customer, number = callable_customer(name, **changes)
    return customer, number, visit(customer, number)


def contact_of(customer: Customer) -> CampaignContact:
    return CampaignContact.objects.get(customer=customer)
