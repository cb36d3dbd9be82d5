"""The sales system that comes with the product: accounts, orders, invoices and promises to pay in our own tables."""

from conversations.connectors.accounts import Accounts, InvoicesOf, OrdersOf, OwnersOf, PromiseToPay
from conversations.connectors.base import EraseCustomers, Operation
from conversations.connectors.local_accounts import ledger

ACCOUNTS = Accounts(
    orders_of=Operation("orders_of", OrdersOf, ledger.orders_of),
    invoices_of=Operation("invoices_of", InvoicesOf, ledger.invoices_of),
    owners_of=Operation("owners_of", OwnersOf, ledger.owners_of),
    promise=Operation("promise", PromiseToPay, ledger.promise, changes=True),
    erase=Operation("erase", EraseCustomers, ledger.erase, changes=True),
)
