"""The scheduler that comes with the product: technicians, shifts and bookings in our own tables."""

from conversations.connectors.local_schedule import bookings, slots
from conversations.connectors.schedule import Schedule

SCHEDULE = Schedule.of(
    check_area=slots.check_area,
    find_slots=slots.find_slots,
    book=bookings.book,
    reschedule=bookings.reschedule,
    cancel=bookings.cancel,
    visits_of_customer=bookings.visits_of_customer,
)
