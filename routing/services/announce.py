"""Sends routing's signals, and nothing else does; always after commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from django.db import transaction

from routing.models import Presence, Queue, Reservation, WorkItem
from routing.signals import presence_changed, queue_changed, reservation_changed, work_item_changed

Told = WorkItem | Reservation | Presence | Queue
_only_listener: Callable[[Told], None] | None = None


@contextmanager
def heard_only_by(listener: Callable[[Told], None]) -> Iterator[None]:
    """Within the block changes are told to the listener, after commit, and to nobody else in the whole process: for simulations."""
    global _only_listener  # noqa: PLW0603
    before, _only_listener = _only_listener, listener
    try:
        yield
    finally:
        _only_listener = before


def announce_work_item(work_item: WorkItem) -> None:
    """Tells that a work item changed, once the transaction is committed."""
    _tell(work_item, partial(work_item_changed.send_robust, sender=WorkItem, work_item=work_item))


def announce_reservation(reservation: Reservation) -> None:
    """Tells that a reservation changed, once the transaction is committed."""
    _tell(reservation, partial(reservation_changed.send_robust, sender=Reservation, reservation=reservation))


def announce_presence(presence: Presence) -> None:
    """Tells that somebody became available, away or offline, once the transaction is committed."""
    _tell(presence, partial(presence_changed.send_robust, sender=Presence, presence=presence))


def announce_queue(queue: Queue) -> None:
    """Tells that a queue was paused or goes on, once the transaction is committed."""
    _tell(queue, partial(queue_changed.send_robust, sender=Queue, queue=queue))


def _tell(what: Told, everybody: Callable[[], object]) -> None:
    """Django cannot log a failing `partial`, so what runs after commit is a function."""
    listener = _only_listener
    transaction.on_commit(lambda: listener(what) if listener else everybody(), robust=True)
