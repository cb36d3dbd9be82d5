"""An agent finds out who the customer on the line is, through HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from conversations.flows import takeover
from conversations.models import Conversation, Customer, Identifier, Proof
from conversations.selectors import access
from conversations.services import identity, messengers
from tests.inbox.conftest import Cast

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def taken(live_cast: Cast) -> Conversation:
    """A chat that Ann has, whose customer said an address."""
    conversation = live_cast.chat()
    identity.claim(conversation.customer, "email", "maria@example.org", source="said")
    takeover.take_over(conversation, live_cast.ann)
    conversation.refresh_from_db()
    return conversation


@pytest.fixture(autouse=True)
def no_texts() -> Iterator[None]:
    before = list(messengers._text_senders)
    messengers._text_senders.clear()
    yield
    messengers._text_senders[:] = before


def post(browser: Client, conversation: Conversation, **fields: object) -> tuple[int, str]:
    answer = browser.post(reverse("inbox:verify", args=[conversation.public_id]), fields)
    return answer.status_code, answer.content.decode()


def code() -> str:
    found = re.search(r"\b\d{6}\b", mail.outbox[-1].body)
    assert found
    return found[0]


def address(conversation: Conversation) -> Identifier:
    return Identifier.objects.get(customer=conversation.customer, kind="email")


def is_customer(conversation: Conversation) -> bool:
    return access.is_the_customer(conversation.interactions.get())


def test_a_code_that_the_customer_writes(live_cast: Cast, taken: Conversation) -> None:
    """Sent where the record says, checked here, and the line is the customer's from then on."""
    ann = live_cast.client(live_cast.ann)
    assert "maria@example.org (email)" in ann.get(reverse("inbox:verify", args=[taken.public_id])).content.decode()
    status, page = post(ann, taken, step="send", identifier=address(taken).pk)
    assert status == 200
    assert "Ask the customer to write it in the chat" in page
    status, page = post(ann, taken, step="check", code="12")
    assert (status, "The code has six digits." in page) == (422, True)
    wrong = f"{(int(code()) + 1) % 10**6:06d}"
    live_cast.says(taken, f"It is {wrong}")
    status, page = post(ann, taken, step="check", code=wrong)
    assert (status, "4 more tries" in page) == (422, True)
    live_cast.says(taken, f"Sorry, {code()}")
    assert post(ann, taken, step="check", code=f"{code()[:3]} {code()[3:]}") == (204, "")
    assert is_customer(taken)
    assert Proof.objects.get().made_by == live_cast.ann.display_name


def test_a_code_that_somebody_else_told_proves_no_chat(live_cast: Cast, taken: Conversation) -> None:
    """Who has the address need not be who sits in front of the browser: nothing is proven, and the browser keeps its chat."""
    ann = live_cast.client(live_cast.ann)
    post(ann, taken, step="send", identifier=address(taken).pk)
    party = taken.interactions.get().party
    status, page = post(ann, taken, step="check", code=code())
    assert (status, "has not written this code" in page) == (422, True)
    assert not is_customer(taken)
    assert taken.interactions.get().party == party


def test_a_code_that_a_caller_reads_out(live_cast: Cast, taken: Conversation) -> None:
    """On a call nothing is written, so the agent's word for it counts."""
    live_cast.call(taken)
    ann = live_cast.client(live_cast.ann)
    status, page = post(ann, taken, step="send", identifier=address(taken).pk)
    assert (status, "Ask the customer to read it out" in page) == (200, True)
    assert post(ann, taken, step="check", code=code())[0] == 204
    assert "One-time code" in ann.get(reverse("inbox:verify", args=[taken.public_id])).content.decode()


def test_vouching_needs_a_note(live_cast: Cast, taken: Conversation) -> None:
    """With the agent's name and what was checked."""
    ann = live_cast.client(live_cast.ann)
    status, page = post(ann, taken, step="attest", note=" ")
    assert (status, "Write what you checked" in page) == (422, True)
    assert post(ann, taken, step="attest", note="Knows the last invoice.") == (204, "")
    assert is_customer(taken)


@pytest.mark.parametrize("step", ["send", "check", "attest"])
def test_only_who_has_the_conversation_verifies(live_cast: Cast, taken: Conversation, step: str) -> None:
    """A colleague is told whose it is; a stranger does not come in; nothing is sent or proven."""
    fields = {"step": step, "identifier": address(taken).pk, "code": "123456", "note": "I know them."}
    status, sentence = post(live_cast.client(live_cast.ben), taken, **fields)
    assert (status, "Take it over" in sentence) == (409, True)
    assert post(live_cast.client(live_cast.stranger), taken, **fields)[0] in (403, 404)
    assert post(live_cast.client(None), taken, **fields)[0] == 302
    assert not mail.outbox
    assert not Proof.objects.exists()


def test_a_code_goes_only_to_an_address_of_this_customer(live_cast: Cast, taken: Conversation) -> None:
    """Another record's address is no choice."""
    other = Customer.objects.create(name="Other")
    foreign = identity.claim(other, "email", "other@example.org", source="said")
    status, page = post(live_cast.client(live_cast.ann), taken, step="send", identifier=foreign.pk)
    assert (status, "not on this record" in page) == (422, True)
    assert not mail.outbox


def test_what_cannot_be_sent_or_tried_is_said(live_cast: Cast, taken: Conversation) -> None:
    """No phone platform, no code, an unknown step."""
    ann = live_cast.client(live_cast.ann)
    number = identity.claim(taken.customer, "phone", "+447700900900", source="said")
    status, sentence = post(ann, taken, step="send", identifier=number.pk)
    assert (status, "no number to send" in sentence) == (409, True)
    assert post(ann, taken, step="check", code="123456")[0] == 409
    assert post(ann, taken, step="guess")[0] == 422
