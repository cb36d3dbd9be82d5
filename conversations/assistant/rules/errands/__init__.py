"""Things a customer wants done that take a question or two: each is one file, `engine` asks, reads back and does."""

from conversations.assistant.rules.errands import call_back, call_change, detail, invoices, link, orders, promise, ticket
from conversations.assistant.rules.errands.engine import Errand

ERRANDS: dict[str, Errand] = {
    each.action: each
    for each in (
        orders.OrderStatus(),
        promise.PromiseToPay(),
        invoices.InvoiceQuestion(),
        call_change.ChangeCall(),
        call_back.CallBack(),
        detail.NewDetail(),
        link.SendLink(),
        ticket.OpenTicket(),
    )
}
"""By the name of the tool that each ends with, in the order in which a wish for one is looked for."""
