"""Legal holds: what must be kept, whoever asks for its erasure and whatever the retention rules say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from conversations.models import Customer, LegalHold
from conversations.services import records
from conversations.services.redaction import mask

IN_FORCE = Q(lifted_at__isnull=True) & (Q(ends_at__isnull=True) | Q(ends_at__gt=Now()))


def place(customer: Customer, *, reason: str, by: str, ends_at: datetime | None = None) -> LegalHold:
    """Keeps everything of a customer and what is joined with it. Locks the root."""
    with transaction.atomic():
        root = records.lock_root(customer)
        return LegalHold.objects.create(
            customer=root, original_customer=root, reason=mask(reason.strip()), placed_by=by[:200], ends_at=ends_at
        )


def lift(hold: LegalHold, *, by: str) -> bool:
    """Ends a hold; says whether this call did it. What it stopped goes on by itself."""
    return LegalHold.objects.filter(pk=hold.pk, lifted_at__isnull=True).update(lifted_by=by[:200], lifted_at=Now()) > 0


def in_force(record_numbers: Iterable[int]) -> QuerySet[LegalHold]:
    """The holds that count now for any of these records."""
    numbers = list(record_numbers)
    return LegalHold.objects.filter(IN_FORCE, Q(customer__in=numbers) | Q(original_customer__in=numbers))


def held_customers() -> QuerySet[LegalHold, Any]:
    """For a query: the records for which a hold counts now (`customer`)."""
    return LegalHold.objects.filter(IN_FORCE).values("customer")
