"""The only writer of bookings. The database's exclusion constraint decides who gets a window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.db import IntegrityError, OperationalError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q
from django.utils import timezone
from psycopg import errors

from conversations.connectors.base import EraseCustomers, ErasedCopies
from conversations.connectors.local_schedule.slots import find_slots, technicians_for, windows_of
from conversations.connectors.references import new_reference
from conversations.connectors.schedule import (
    BookedVisit,
    BookVisit,
    CancelVisit,
    CorrectVisit,
    FindSlots,
    MoveVisit,
    NoSuchVisit,
    ScheduleBusy,
    Slot,
    SlotTaken,
    VisitsOfConversations,
)
from conversations.models import Booking, Conversation, Technician
from routing.compiled import CompiledOnce, Given

OTHER_SLOTS = 3
LOOK_AHEAD = timedelta(days=14)
COMING: Final = CompiledOnce(
    lambda: Booking.objects.filter(
        conversation__public_id__any_of=Given("conversations"), state=Booking.State.BOOKED, window__endswith__gt=Given("after")
    )
    .select_related("technician", "conversation")
    .order_by("window", "pk")
)


def book(arguments: BookVisit) -> BookedVisit:
    """Books the first technician who is free in the window that starts at `start`.

    The same key again returns the first booking. Raises NotServed, SlotTaken with what is still free, ScheduleBusy.
    """
    earlier = _by_key(arguments.idempotency_key)
    if earlier:
        return earlier
    conversation = Conversation.objects.only("id", "customer_id").get(public_id=arguments.conversation)
    windows = list(_who_works_then(technicians_for(arguments.postcode), arguments.start))
    for technician, slot in windows:
        booking = Booking(
            reference=new_reference(),
            customer_id=conversation.customer_id,
            original_customer_id=conversation.customer_id,
            conversation=conversation,
            technician=technician,
            service=arguments.service,
            name=arguments.name,
            phone=arguments.phone,
            postcode=arguments.postcode,
            window=DateTimeTZRange(slot.start, slot.end),
            idempotency_key=arguments.idempotency_key,
        )
        if _is_written(booking):
            return _visit(booking)
        earlier = _by_key(arguments.idempotency_key)
        if earlier:
            return earlier
    raise SlotTaken(_others(arguments.postcode, arguments.start), exists=bool(windows))


def reschedule(arguments: MoveVisit) -> BookedVisit:
    """Moves a visit to the window that starts at `start`, to the same technician if they are free.

    Moving to where it already is changes nothing. Locks the booking.
    Raises NoSuchVisit, NotServed, SlotTaken with what is still free, ScheduleBusy.
    """
    with transaction.atomic():
        booking = _locked(arguments.reference)
        if booking.window.lower == arguments.start:
            return _visit(booking)
        technicians = technicians_for(booking.postcode)
        technicians.sort(key=lambda each: each.pk != booking.technician_id)
        windows = list(_who_works_then(technicians, arguments.start))
        for technician, slot in windows:
            booking.technician, booking.window = technician, DateTimeTZRange(slot.start, slot.end)
            if _is_written(booking):
                return _visit(booking)
    raise SlotTaken(_others(booking.postcode, arguments.start), exists=bool(windows))


def cancel(arguments: CancelVisit) -> BookedVisit:
    """Gives a visit up; a cancelled one stays cancelled. Locks the booking. Raises NoSuchVisit."""
    with transaction.atomic():
        booking = _locked(arguments.reference, also_cancelled=True)
        if booking.state == Booking.State.BOOKED:
            booking.state, booking.cancelled_at = Booking.State.CANCELLED, timezone.now()
            booking.save(update_fields=["state", "cancelled_at"])
    return _visit(booking)


def correct(arguments: CorrectVisit) -> BookedVisit:
    """Puts another name or phone number on a visit. Locks the booking. Raises NoSuchVisit."""
    with transaction.atomic():
        booking = _locked(arguments.reference)
        booking.name = arguments.name or booking.name
        booking.phone = arguments.phone or booking.phone
        booking.save(update_fields=["name", "phone"])
    return _visit(booking)


def visits_of_conversations(arguments: VisitsOfConversations) -> tuple[BookedVisit, ...]:
    """The booked visits of these conversations that end after the given moment, soonest first."""
    rows = COMING.all(conversations=arguments.conversations, after=arguments.after)
    return tuple(_visit(booking) for booking in rows)


def erase(arguments: EraseCustomers) -> ErasedCopies:
    """Takes name, number and postcode off every visit of these customers; a visit that is still to come is given up.

    Nobody could come without them. The visits stay, so that a technician's days are what they were. Locks the bookings.
    """
    theirs = Q(customer__public_id__in=arguments.customers) | Q(original_customer__public_id__in=arguments.customers)
    with transaction.atomic():
        bookings = Booking.objects.select_for_update(of=("self",)).filter(theirs).exclude(name="", phone="", postcode="")
        emptied = list(bookings.order_by("pk"))
        for booking in emptied:
            if booking.state == Booking.State.BOOKED and booking.window.upper > timezone.now():
                booking.state, booking.cancelled_at = Booking.State.CANCELLED, timezone.now()
            booking.name = booking.phone = booking.postcode = ""
            booking.idempotency_key = f"erased:{booking.pk}"
            booking.save()
    return ErasedCopies(len(emptied))


def _who_works_then(technicians: list[Technician], start: datetime) -> Iterator[tuple[Technician, Slot]]:
    if start < timezone.now():
        return
    for technician in technicians:
        for slot in windows_of(technician, start, start + timedelta(minutes=1)):
            yield technician, slot


def _is_written(booking: Booking) -> bool:
    """Whether the database took the row; False when its technician is busy then or the key was used meanwhile."""
    try:
        with _busy_when_deadlocked(), transaction.atomic():
            booking.save()
    except IntegrityError as problem:
        if not isinstance(problem.__cause__, errors.ExclusionViolation | errors.UniqueViolation):
            raise
        return False
    return True


@contextmanager
def _busy_when_deadlocked() -> Iterator[None]:
    try:
        yield
    except OperationalError as problem:
        if isinstance(problem.__cause__, errors.DeadlockDetected | errors.LockNotAvailable):
            raise ScheduleBusy from problem
        raise


def _locked(reference: str, *, also_cancelled: bool = False) -> Booking:
    rows = Booking.objects.select_for_update(of=("self",)).select_related("technician", "conversation")
    booking = rows.filter(reference=reference.strip().upper()).first()
    if booking is None or (booking.state == Booking.State.CANCELLED and not also_cancelled):
        raise NoSuchVisit(reference)
    return booking


def _by_key(key: str) -> BookedVisit | None:
    booking = Booking.objects.select_related("technician", "conversation").filter(idempotency_key=key).first()
    return _visit(booking) if booking else None


def _others(postcode: str, near: datetime) -> tuple[Slot, ...]:
    day = near.replace(hour=0, minute=0, second=0, microsecond=0)
    return find_slots(FindSlots(postcode, day, day + LOOK_AHEAD, OTHER_SLOTS))


def _visit(booking: Booking) -> BookedVisit:
    zone = ZoneInfo(booking.technician.time_zone)
    start, end = booking.window.lower, booking.window.upper
    if start is None or end is None:
        raise ValueError("A booking has a real window; the database sees to it.")
    return BookedVisit(
        reference=booking.reference,
        service=booking.service,
        name=booking.name,
        phone=booking.phone,
        postcode=booking.postcode,
        start=start.astimezone(zone),
        end=end.astimezone(zone),
        technician=booking.technician.name,
        cancelled=booking.state == Booking.State.CANCELLED,
        conversation=booking.conversation.public_id,
    )
