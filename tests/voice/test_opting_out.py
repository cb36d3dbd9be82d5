"""STOP by text message, and “stop calling me”: no more calls to the number, whoever has it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from conversations.models import Consent, EntryPoint, Suppression, WebhookRecord
from conversations.services import dialing
from conversations.services.dialing import DialRefused
from tests.outbound.calling import callable_customer, open_hours, wanted
from tests.record import rows
from tests.voice.platform import COMPANY, now_text, post


@pytest.fixture(autouse=True)
def _any_hour(number: EntryPoint) -> None:
    open_hours()


def text(number: str, words: str, **changes: Any) -> int:
    body = {
        "channel": "sms", "message_type": "text", "message_uuid": str(uuid4()), "to": COMPANY, "from": number.removeprefix("+"),
        "timestamp": now_text(), "text": words,
    }  # fmt: skip
    return int(post("/voice/text/", body | changes).status_code)


@pytest.mark.parametrize("words", ["STOP", "stop", "Stop all"])
def test_stop_ends_calls_and_texts_on_the_number(words: str) -> None:
    customer, number = callable_customer()
    conversation = rows.conversation(customer)
    assert text(number, words) == 204
    noes = Consent.objects.filter(customer=customer).exclude(decision="given")
    assert sorted(noes.values_list("purpose", "value")) == [(purpose, number) for purpose in ("marketing", "outbound_call", "sms")]
    assert Suppression.objects.get().value == number
    assert conversation.entries.filter(kind="consent.revoked").count() == 3
    with pytest.raises(DialRefused):
        dialing.permit(wanted(customer, number))


def test_the_text_is_kept_raw_without_the_digits_in_it() -> None:
    assert text("+447700900321", "My card is 4242 4242 4242 4242") == 204
    kept = WebhookRecord.objects.get(kind="text")
    assert (list(kept.answer), "4242" in kept.body["text"], kept.body["to"]) == (["refused"], False, COMPANY)
    assert kept.provider_id == kept.body["message_uuid"]


def test_a_number_that_nobody_has_is_put_on_the_list_all_the_same() -> None:
    assert text("+447700900321", "STOP") == 204
    assert Suppression.objects.get().value == "+447700900321"


def test_who_wants_no_calls_may_get_texts() -> None:
    customer, number = callable_customer()
    assert text(number, "please stop calling me") == 204
    assert Consent.objects.exclude(decision="given").get().purpose == "outbound_call"
    assert not Suppression.objects.exists()
    with pytest.raises(DialRefused):
        dialing.permit(wanted(customer, number))


def test_a_message_that_comes_twice_is_kept_once() -> None:
    customer, number = callable_customer()
    same = str(uuid4())
    for _time in range(2):
        assert text(number, "STOP", message_uuid=same) == 204
    assert Consent.objects.filter(customer=customer).exclude(decision="given").count() == 3


def test_other_messages_change_nothing() -> None:
    customer, number = callable_customer()
    assert text(number, "When do you stop by?") == 204
    assert not Consent.objects.filter(customer=customer).exclude(decision="given").exists()


def test_unsigned_and_unreadable_ones_are_refused() -> None:
    assert post("/voice/text/", {"text": "STOP"}, authorization="").status_code == 401
    assert text("+447700900321", "STOP", message_uuid="") == 400
    assert not Suppression.objects.exists()
