"""The scheduler that comes with the product: technicians, shifts, prices and bookings in our own tables."""

from conversations.connectors.base import EraseCustomers, Operation
from conversations.connectors.local_schedule import bookings, slots
from conversations.connectors.schedule import (
    BookVisit,
    CancelVisit,
    CheckArea,
    CorrectVisit,
    FindSlots,
    ListPrices,
    MoveVisit,
    Schedule,
    VisitsOfConversations,
)

SCHEDULE = Schedule(
    check_area=Operation("check_area", CheckArea, slots.check_area),
    find_slots=Operation("find_slots", FindSlots, slots.find_slots),
    book=Operation("book", BookVisit, bookings.book, changes=True),
    reschedule=Operation("reschedule", MoveVisit, bookings.reschedule, changes=True),
    cancel=Operation("cancel", CancelVisit, bookings.cancel, changes=True),
    correct=Operation("correct", CorrectVisit, bookings.correct, changes=True),
    visits_of_conversations=Operation("visits_of_conversations", VisitsOfConversations, bookings.visits_of_conversations),
    list_prices=Operation("list_prices", ListPrices, slots.list_prices),
    erase=Operation("erase", EraseCustomers, bookings.erase, changes=True),
)
