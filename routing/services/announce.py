"""Sends routing's signals, and nothing else does; always after commit."""

from __future__ import annotations

from django.db import transaction

from routing.models import Presence, Reservation, WorkItem
from routing.signals import presence_changed, reservation_changed, work_item_changed


def announce_work_item(work_item: WorkItem) -> None:
    """Tells that a work item changed, once the transaction is committed."""
    transaction.on_commit(lambda: work_item_changed.send_robust(sender=WorkItem, work_item=work_item), robust=True)


def announce_reservation(reservation: Reservation) -> None:
    """Tells that a reservation changed, once the transaction is committed."""
    transaction.on_commit(
        lambda: reservation_changed.send_robust(sender=Reservation, reservation=reservation), robust=True
    )


def announce_presence(presence: Presence) -> None:
    """Tells that somebody became available, away or offline, once the transaction is committed."""
    transaction.on_commit(lambda: presence_changed.send_robust(sender=Presence, presence=presence), robust=True)
