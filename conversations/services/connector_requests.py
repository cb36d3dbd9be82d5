"""The outbox to other systems: each is asked to erase a person until it has confirmed that it did."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from conversations.models import ConnectorRequest, ErasureRequest

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=12)
MOST_TRIES = 12
"""With pauses that double from a minute to half a day, a system may be away for about two days."""


def queue(erasure: ErasureRequest, connectors: Iterable[str], *, customers: list[str], references: list[str]) -> int:
    """Notes that these systems are to be asked; those that were noted before stay as they are. Returns how many there are."""
    ConnectorRequest.objects.bulk_create(
        [ConnectorRequest(erasure=erasure, connector=name, customers=customers, references=references) for name in connectors],
        ignore_conflicts=True,
    )
    return erasure.connector_requests.count()


def due() -> QuerySet[ConnectorRequest]:
    """What should be asked now, longest due first."""
    return ConnectorRequest.objects.filter(state=ConnectorRequest.State.WAITING, next_at__lte=Now()).order_by("next_at", "pk")


def claim(number: int) -> ConnectorRequest | None:
    """Takes a due request, so that no other worker asks at the same time; None when another one did.

    The try is counted and the next one dated before the system is asked, so a worker that dies has only used a try.
    """
    with transaction.atomic():
        row = due().select_for_update(skip_locked=True).filter(pk=number).first()
        if row is None:
            return None
        row.tries += 1
        row.next_at = timezone.now() + min(FIRST_PAUSE * 2 ** (row.tries - 1), LONGEST_PAUSE)
        row.save(update_fields=["tries", "next_at"])
    return row


def confirm(request: ConnectorRequest, *, count: int) -> None:
    """The system says that it did; what it was asked with is forgotten. `count` is how many of its rows it emptied."""
    ConnectorRequest.objects.filter(pk=request.pk, state=ConnectorRequest.State.WAITING).update(
        state=ConnectorRequest.State.DONE, done_at=Now(), references=[], count=count, last_error=""
    )


def note_failure(request: ConnectorRequest, *, error: str, permanent: bool) -> None:
    """The system could not. It is asked again later, unless that cannot help or was tried often enough. `error` is a word."""
    state = ConnectorRequest.State.FAILED if permanent or request.tries >= MOST_TRIES else ConnectorRequest.State.WAITING
    ConnectorRequest.objects.filter(pk=request.pk, state=ConnectorRequest.State.WAITING).update(state=state, last_error=error[:80])


def ask_again(erasure: ErasureRequest) -> None:
    """Has the systems that were given up asked anew, and the others without further pause."""
    erasure.connector_requests.exclude(state=ConnectorRequest.State.DONE).update(
        state=ConnectorRequest.State.WAITING, tries=0, next_at=Now()
    )
