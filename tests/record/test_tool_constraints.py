"""The database itself refuses bad rows of what tools write: things to do, links, qualifications, the local sales system and desk."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from conversations.models import ActionItem, Invoice, PaymentPromise, Qualification, SalesAccount, SalesOrder, SentLink, Ticket
from tests.record import rows
from tests.record.test_constraints import NOW, refused

pytestmark = pytest.mark.django_db


def ticket(**changes: Any) -> Ticket:
    ids = {"customer": uuid.uuid4(), "conversation": uuid.uuid4()}
    return Ticket.objects.create(**{"reference": "HH-AAAAA2", "subject": "-", "idempotency_key": "t", **ids, **changes})


def item(**changes: Any) -> ActionItem:
    talk = rows.conversation()
    owners = {"customer": talk.customer, "original_customer": talk.customer, "conversation": talk}
    return ActionItem.objects.create(**{"title": "-", "made_by": "Ann", "idempotency_key": uuid.uuid4().hex, **owners, **changes})


def test_things_to_do() -> None:
    """A kind that is known, somebody who did it when it is done, a number and a time of every call back; noted once."""
    item(idempotency_key="one")
    refused("idempotency_key", lambda: item(idempotency_key="one"))
    refused("action_item_kind_is_known", lambda: item(kind="wish"))
    refused("action_item_says_who_did_it_exactly_when_done", lambda: item(done_at=NOW))
    refused("action_item_says_who_did_it_exactly_when_done", lambda: item(done_by="Ann"))
    refused("call_back_has_a_number_and_a_time", lambda: item(kind="call_back", phone="+447700900321"))
    refused("call_back_has_a_number_and_a_time", lambda: item(kind="call_back", due_at=NOW, phone="07700"))
    refused("only_a_call_back_has_a_number", lambda: item(phone="+447700900321"))


def test_links_and_qualifications() -> None:
    """A link goes by text message or email; a form counts once in a conversation, in a state that is known."""
    line = rows.interaction()

    def link(**changes: Any) -> Callable[[], Any]:
        return lambda: SentLink.objects.create(**{"interaction": line, "link": "pay", "value": "a@b.example", **changes})

    refused("link_is_sent_by_text_or_email", link(kind="fax", idempotency_key="1"))

    def qualification(**changes: Any) -> Qualification:
        values = {"conversation": line.conversation, "form": "quote", "form_name": "Quote", "score": 60}
        return Qualification.objects.create(**{**values, **changes})

    qualification()
    refused("conversation_is_qualified_once_by_a_form", qualification)
    refused("qualification_state_is_known", lambda: qualification(form="other", state="lost"))


def test_the_local_sales_system_and_desk() -> None:
    """Days, amounts and states fit each other; one promise of an invoice stands; a lead has a score."""
    account = SalesAccount.objects.create(number="x:1")
    order = {"account": account, "reference": "HH-A", "what": "-", "ordered_on": date(2026, 1, 2), "total": 1}
    refused("order_state_is_known", lambda: SalesOrder.objects.create(**order, state="lost"))
    refused("order_is_expected_after_it_was_placed", lambda: SalesOrder.objects.create(**order, expected_on=date(2026, 1, 1)))
    bill = {"account": account, "reference": "HH-B", "what": "-", "issued_on": date(2026, 1, 2), "due_on": date(2026, 1, 9)}
    early = {**bill, "due_on": date(2026, 1, 1)}
    refused("invoice_is_due_after_it_was_issued", lambda: Invoice.objects.create(**early, total=1, left_to_pay=1))
    refused("invoice_leaves_no_more_to_pay_than_its_total", lambda: Invoice.objects.create(**bill, total=1, left_to_pay=2))
    invoice = Invoice.objects.create(**bill, total=9, left_to_pay=9)

    def promise(key: str, **changes: Any) -> PaymentPromise:
        values = {"invoice": invoice, "amount": 5, "pay_by": date(2026, 1, 9), "conversation": uuid.uuid4(), "made_by": "Ann"}
        return PaymentPromise.objects.create(**{**values, **changes}, idempotency_key=key)

    promise("1", replaced_at=NOW)
    promise("2")
    refused("invoice_has_one_standing_promise", lambda: promise("3"))
    refused("promise_is_about_some_money", lambda: promise("4", amount=0, replaced_at=NOW))
    refused("ticket_kind_is_known", lambda: ticket(kind="wish", score=1))
    refused("ticket_state_is_known", lambda: ticket(state="lost"))
    refused("lead_has_a_score", lambda: ticket(kind="lead"))
    ticket()
    refused("idempotency_key", lambda: ticket(reference="HH-AAAAA3"))
