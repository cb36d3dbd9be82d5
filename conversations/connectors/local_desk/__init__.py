"""The help desk that comes with the product: tickets and leads in our own table."""

from conversations.connectors.base import EraseCustomers, Operation
from conversations.connectors.desk import Desk, KeepLead, OpenersOf, OpenTicket, TicketsOf
from conversations.connectors.local_desk import tickets

DESK = Desk(
    open_ticket=Operation("open_ticket", OpenTicket, tickets.open_ticket, changes=True),
    keep_lead=Operation("keep_lead", KeepLead, tickets.keep_lead, changes=True),
    tickets_of=Operation("tickets_of", TicketsOf, tickets.tickets_of),
    openers_of=Operation("openers_of", OpenersOf, tickets.openers_of),
    erase=Operation("erase", EraseCustomers, tickets.erase, changes=True),
)
