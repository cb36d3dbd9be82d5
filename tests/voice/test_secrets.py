"""Card numbers, their security codes and codes that open a chat, said and keyed: nowhere in what is kept."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from conversations.models import Entry, EntryPoint, Interaction, WebhookRecord
from conversations.services import joining, timeline
from conversations.services.timeline import NewEntry
from conversations.voice.protocol import parse_input
from tests.record import rows
from tests.voice.platform import Caller, post, words_of
from tests.voice.test_calls import call_of, chat_with

CARD = "4242424242424242"
CARD_IN_WORDS = "four two four two four two four two four two four two four two four two"


def everything_kept() -> str:
    """All that was stored of calls, as one text, without what identifies calls and times."""
    webhooks = [[record.body.get("speech"), record.body.get("dtmf"), record.answer] for record in WebhookRecord.objects.all()]
    entries = list(Entry.objects.exclude(kind="interaction.started").values("body", "data"))
    calls = [{key: value for key, value in call.data.items() if key != "said"} for call in Interaction.objects.all()]
    return json.dumps([webhooks, entries, calls], default=str, ensure_ascii=False)


def at(second: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=second)).isoformat()


@pytest.fixture
def call(caller: Caller, patient: None) -> Caller:
    """A call that was answered."""
    post("/voice/answer/", caller.answer())
    return caller


def test_a_spoken_card_number_is_kept_nowhere(call: Caller) -> None:
    """Neither in the message, nor in what else the recogniser made of it, nor in the raw webhook."""
    said = f"my card is {CARD_IN_WORDS} and the security code is one two three"
    body = call.said(said, said.replace("four two four two and", "four two for two and"))
    post("/voice/input/", body)
    message = Entry.objects.get(kind="message", actor_kind="customer")
    assert message.body == "my card is •••• •••• •••• 4242 and the security code is •••"
    assert "hypotheses" not in message.data
    kept = everything_kept()
    assert "four two" not in kept
    assert "one two three" not in kept
    assert "4242 4242" not in kept
    assert "my card is" in kept


def test_a_spoken_card_number_posted_again_is_one_message(call: Caller) -> None:
    """The same body with a new token gets the same reply, and is kept no better."""
    body = call.said(f"my card is {CARD_IN_WORDS}")
    first = post("/voice/input/", body).json()
    assert words_of(post("/voice/input/", body).json()) == words_of(first)
    assert Entry.objects.filter(kind="message", actor_kind="customer").count() == 1
    assert WebhookRecord.objects.filter(kind="input").count() == 2
    assert "four two" not in everything_kept()


def test_harmless_words_keep_their_readings(call: Caller) -> None:
    """What else the recogniser made of it is there for staff, and in the raw webhook without its numbers."""
    post("/voice/input/", call.said("my postcode is h b one four q t", "my postcode is HB14QT"))
    message = Entry.objects.get(kind="message", actor_kind="customer")
    assert message.body == "my postcode is HB1 4QT"
    assert message.data["hypotheses"] == ["my postcode is h b one four q t", "my postcode is HB14QT"]


def test_a_card_number_said_in_pieces_is_taken_out_when_its_last_piece_comes(call: Caller) -> None:
    """Four utterances with pauses between: what was kept of them is redacted."""
    for number in range(4):
        post("/voice/input/", call.said("four two four two", timestamp=at(3 * number)))
    messages = Entry.objects.filter(kind="message", actor_kind="customer").order_by("pk")
    assert [message.body for message in messages] == ["", "", "", "• • • •"]
    assert all(message.redaction_reason for message in messages[:3])
    assert "four two" not in everything_kept()


def test_a_keyed_card_number_comes_at_once_and_is_kept_nowhere(call: Caller) -> None:
    """The keys are awaited together, so that they burn no attempt at a code and no piece is filed as a message."""
    listening = [action for action in post("/voice/input/", call.silent()).json() if action["action"] == "input"]
    assert all(each["dtmf"]["maxDigits"] >= len(CARD) for each in listening)
    body = call.keyed(CARD)
    first = post("/voice/input/", body).json()
    assert words_of(post("/voice/input/", body).json()) == words_of(first)
    assert [entry.body for entry in Entry.objects.filter(kind="message", actor_kind="customer")] == ["•••• •••• •••• 4242"]
    assert Entry.objects.get(kind="call.dtmf").data == {"digits": "•" * 16}
    assert "code_attempts" not in call_of(call).data
    assert "42424" not in everything_kept()


@pytest.mark.parametrize("pieces", [["4242", "4242", "4242", "4242"], ["42424242", "42424242"]])
def test_a_card_number_keyed_with_pauses_is_taken_out(call: Caller, pieces: list[str]) -> None:
    """From the messages, as far as they can be known to be its pieces; the raw webhooks never held it."""
    for number, piece in enumerate(pieces):
        post("/voice/input/", call.keyed(piece) | {"timestamp": at(5 * number)})
    assert not Entry.objects.filter(kind__in=["message", "call.dtmf"], body__contains="4242").exists()
    assert not Entry.objects.filter(kind__in=["message", "call.dtmf"], data__icontains="4242").exists()
    assert "4242" not in json.dumps([record.body["dtmf"] for record in WebhookRecord.objects.filter(kind="input")])


@pytest.mark.parametrize("gives", [["said", "keyed"], ["keyed", "said"]])
def test_a_card_number_partly_said_and_partly_keyed_is_taken_out(call: Caller, gives: list[str]) -> None:
    """Either way round; the readings of the recogniser go with what was said."""
    for number, way in enumerate(gives):
        body = call.keyed("42424242") if way == "keyed" else call.said("four two four two four two four two", "for to four two 4242")
        post("/voice/input/", body | {"timestamp": at(3 * number)})
    first, second = Entry.objects.filter(kind="message", actor_kind="customer").order_by("pk")
    assert (first.body, bool(first.redaction_reason)) == ("", True)
    assert set(second.body) <= {"•", " "}
    assert "hypotheses" not in second.data
    assert "four two" not in everything_kept()
    assert "4242" not in everything_kept()


@pytest.mark.parametrize("pieces", [["4242424242", "424242"], ["424242", "4242424242"]])
def test_a_piece_that_was_taken_for_a_code_is_one_all_the_same(call: Caller, pieces: list[str]) -> None:
    """Six keys are tried as a code and kept nowhere; what comes before or after them is no longer harmless."""
    for number, piece in enumerate(pieces):
        post("/voice/input/", call.keyed(piece) | {"timestamp": at(5 * number)})
    assert "4242" not in everything_kept()


def test_a_card_number_said_digit_by_digit_with_pauses_is_kept_nowhere(call: Caller) -> None:
    """Sixteen utterances, each of which is one digit."""
    for number, digit in enumerate(CARD):
        post("/voice/input/", call.said("four" if digit == "4" else "two", timestamp=at(number)))
    assert not re.search(r"\b(?:four|two)\b", everything_kept())


def test_a_security_code_keyed_after_a_card_is_kept_nowhere(call: Caller) -> None:
    """And other keys are."""
    post("/voice/input/", call.keyed(CARD))
    post("/voice/input/", call.keyed("123") | {"timestamp": at(5)})
    post("/voice/input/", call.keyed("07700900123") | {"timestamp": at(9)})
    bodies = Entry.objects.filter(kind="message", actor_kind="customer").order_by("pk").values_list("body", flat=True)
    assert list(bodies) == ["•••• •••• •••• 4242", "•••", "07700900123"]


def test_a_phone_number_that_was_keyed_is_words(call: Caller) -> None:
    """Not an attempt at a code and a rest."""
    post("/voice/input/", call.keyed("07700900123"))
    assert Entry.objects.get(kind="message", actor_kind="customer").body == "07700900123"
    assert "code_attempts" not in call_of(call).data


@pytest.mark.parametrize("way", ["keyed", "said"])
def test_a_code_that_opens_a_chat_is_kept_nowhere(caller: Caller, way: str) -> None:
    chat = chat_with("+447700900555")
    code, _row = joining.issue_code(chat)
    post("/voice/answer/", caller.answer())
    post("/voice/input/", caller.keyed(code) if way == "keyed" else caller.said(f"my code is {' '.join(code)}"))
    assert call_of(caller).conversation == chat.conversation
    kept = everything_kept()
    assert code not in kept
    assert " ".join(code) not in kept


class TestKeysWhoseFirstDeliveryDied:
    """The keys stand in the history, and what follows from them does not: the process died in between."""

    def died(self, body: dict[str, object], call: Caller) -> None:
        """The history as that process left it: the first delivery's, up to its keys."""
        given = parse_input(body, token_id="t")
        row = call_of(call)
        keys = NewEntry(kind="call.dtmf", actor_kind="customer", audience="staff", interaction=row, source_id=f"{given.source_id}:keys")
        timeline.append(row.conversation_id, keys)

    def test_the_key_for_a_person_is_not_lost(self, call: Caller) -> None:
        body = call.keyed("0")
        self.died(body, call)
        assert "colleague" in words_of(post("/voice/input/", body).json())
        assert Entry.objects.get(kind="message", actor_kind="customer").body == "I would like to speak to a person."

    def test_a_code_is_not_lost_and_is_tried_once(self, call: Caller, number: EntryPoint) -> None:
        chat = chat_with("+447700900555")
        code, _row = joining.issue_code(chat)
        body = call.keyed(code)
        self.died(body, call)
        assert "I have our chat" in words_of(post("/voice/input/", body).json())
        assert "I have our chat" in words_of(post("/voice/input/", body).json())
        assert call_of(call).conversation == chat.conversation
        assert call_of(call).data["code_attempts"] == 1


def test_a_wrong_code_that_comes_again_is_one_attempt(call: Caller) -> None:
    """The same body with a new token is not another guess."""
    body = call.keyed("000000")
    for _delivery in range(3):
        post("/voice/input/", body)
    assert call_of(call).data["code_attempts"] == 1


def test_staff_read_which_key_was_pressed_and_of_several_how_many(caller: Caller, patient: None) -> None:
    """One key says which choice was made; several may be a code."""
    post("/voice/answer/", caller.answer())
    for keys in ("4", "123456"):
        post("/voice/input/", caller.keyed(keys))
    conversation = Interaction.objects.get(provider_id=caller.uuid).conversation
    staff = Client()
    staff.force_login(rows.agent("Ann").user)
    page = staff.get(f"/inbox/c/{conversation.public_id}/").content.decode()
    assert "They pressed 4." in page
    assert "They pressed 6 keys." in page
