"""Text messages as a channel: in by the one door, out in few parts, what became of each, and the words that law gives a meaning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from conversations import tasks
from conversations.flows import erasing, takeover
from conversations.models import Consent, Conversation, Customer, Entry, EntryPoint, Interaction, SentText, Suppression
from conversations.rendering import texted
from conversations.services import delivery, erasure, suppression, threads
from tests.record import rows
from tests.support.locks import until
from tests.support.turns import nothing_owed
from tests.voice.platform import COMPANY, SAM, now_text, post, post_async
from tests.voice.rest_side import Platform

PARTS_OF_ONE = 160


@pytest.fixture
def door(number: EntryPoint) -> Iterator[EntryPoint]:
    """The number, which takes text messages."""
    EntryPoint.objects.filter(pk=number.pk).update(takes_texts=True)
    yield number
    EntryPoint.objects.filter(pk=number.pk).update(takes_texts=False)


def body_of(words: str, **changes: Any) -> dict[str, Any]:
    return {
        "channel": "sms", "message_type": "text", "message_uuid": str(uuid4()), "to": COMPANY, "from": SAM,
        "timestamp": now_text(), "text": words,
    } | changes  # fmt: skip


def writes(words: str, **changes: Any) -> int:
    return int(post("/voice/text/", body_of(words, **changes)).status_code)


def status_of(row: SentText, status: str, **extra: Any) -> int:
    about = {"message_uuid": row.message_id or str(uuid4()), "client_ref": row.public_id.hex, "status": status, "channel": "sms"}
    return int(post("/voice/text/status/", about | {"to": SAM, "from": COMPANY, "timestamp": now_text()} | extra).status_code)


async def answered(words: str) -> None:
    """Written, and answered by whoever answers."""
    assert (await post_async("/voice/text/", body_of(words))).status_code == 204
    await nothing_owed()


def line() -> Interaction:
    return Interaction.objects.select_related("conversation__customer").get(channel="sms")


def test_a_text_is_filed_by_the_number_it_came_from(door: EntryPoint) -> None:
    """The same customer, conversation and turn as for a call from the number; the number is a hint and no proof."""
    assert writes("My boiler is cold.") == 204
    found = line()
    assert (found.party, found.assurance, found.entry_point_id, found.direction) == (f"+{SAM}", "network_hint", door.pk, "inbound")
    assert found.conversation.customer.identifiers.get().value == f"+{SAM}"
    assert list(Entry.objects.filter(kind="message", actor_kind="customer").values_list("body", flat=True)) == ["My boiler is cold."]


def test_a_repeated_webhook_is_one_message_and_the_next_one_goes_on(door: EntryPoint) -> None:
    body = body_of("My boiler is cold.")
    assert [post("/voice/text/", body).status_code for _twice in range(3)] == [204, 204, 204]
    assert writes("And it leaks.") == 204
    assert line().entries.filter(kind="message", actor_kind="customer").count() == 2


def test_who_was_erased_and_writes_again_is_somebody_new(door: EntryPoint) -> None:
    """Nothing of the line that was is left to find the number by, and the next message is not taken for one of it."""
    assert writes("Hello, my boiler is cold") == 204
    before = line()
    threads.end_interaction(before, reason="silence")
    erased = before.conversation.customer
    assert erasing.run(erasure.request(erased, ground="asked", by="maya").pk) == "done"
    before.refresh_from_db()
    assert SAM not in f"{before.provider_id} {before.party}"
    assert writes("Hello again") == 204
    now = Interaction.objects.exclude(pk=before.pk).select_related("conversation").get(channel="sms")
    assert now.conversation.customer != erased
    assert Entry.objects.filter(interaction=now, body="Hello again").count() == 1


@pytest.mark.parametrize("sender", ["AMAZON", "60777"])
def test_a_sender_that_is_no_number_is_taken_note_of_and_nobody(door: EntryPoint, sender: str) -> None:
    """Refused, the platform would send it again and again; nobody could be answered there."""
    assert post("/voice/text/", body_of("Your parcel has arrived", **{"from": sender})).status_code == 204
    assert not Customer.objects.exists()
    assert post("/voice/text/", body_of("Hello", **{"from": ""})).status_code == 400


def test_a_number_that_takes_no_texts_files_none(number: EntryPoint) -> None:
    """STOP is followed all the same."""
    assert writes("My boiler is cold.") == 204
    assert not Interaction.objects.exists()


async def test_the_answer_leaves_from_the_same_number(door: EntryPoint, platform: Platform) -> None:
    """One message with the disclosure and the reply; what the platform named it is kept."""
    await answered("I want to talk to a person")
    await sync_to_async(until)(platform.texts)
    (text,) = platform.texts()
    assert (text["to"], text["from"]) == (SAM, COMPANY)
    assert text["text"].startswith("I am Harbor's AI assistant.")
    await sync_to_async(until)(SentText.objects.filter(state="submitted").exists)
    row = await SentText.objects.aget()
    assert (row.state, row.parts, text["client_ref"]) == ("submitted", texted.parts(text["text"]), row.public_id.hex)
    assert row.message_id


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (["submitted", "delivered"], "delivered"),
        (["delivered", "submitted"], "delivered"),
        (["delivered", "delivered", "undeliverable"], "delivered"),
        (["undeliverable"], "undeliverable"),
        (["rejected", "submitted"], "rejected"),
        (["nonsense"], "submitted"),
    ],
)
def test_what_became_of_it_is_the_same_in_any_order(door: EntryPoint, platform: Platform, told: list[str], state: str) -> None:
    writes("HELP")
    row = SentText.objects.get()
    for each in told:
        assert status_of(row, each) == 204
    row.refresh_from_db()
    assert row.state == state
    failed = Entry.objects.filter(kind="text.failed")
    assert failed.exists() == (state in ("undeliverable", "rejected"))


def test_a_status_that_overtakes_our_own_word_is_kept(door: EntryPoint, platform: Platform) -> None:
    """It names the message by our reference, before the platform's answer has told its id."""
    platform.code = 503
    writes("HELP")
    row = SentText.objects.get()
    assert (row.state, row.message_id) == ("waiting", "")
    assert status_of(row, "delivered") == 204
    row.refresh_from_db()
    assert (row.state, bool(row.message_id)) == ("delivered", True)


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_platform_that_is_busy_is_asked_again(door: EntryPoint, platform: Platform, code: int) -> None:
    platform.code = code
    writes("HELP")
    row = SentText.objects.get()
    assert row.state == "waiting"
    platform.code = 201
    SentText.objects.update(changed_at="2020-01-01T00:00:00Z")
    assert [tasks.send_forgotten_texts() for _twice in range(2)] == [1, 0]
    row.refresh_from_db()
    assert (row.state, row.tries) == ("submitted", 2)


def test_a_platform_that_refuses_is_told_of(door: EntryPoint, platform: Platform) -> None:
    """Staff read that it was not sent; nothing is tried again."""
    platform.code = 422
    writes("HELP")
    assert SentText.objects.get().state == "failed"
    assert "Not sent" in Entry.objects.get(kind="text.failed").body
    assert tasks.send_forgotten_texts() == 0


@pytest.mark.parametrize(
    "words", ["STOP", "Baja", "unsubscribe", "Cancel", "QUIT", "ALTO", "Baja, por favor", "Darse de baja", "¡Deténganse!", "cancelar"]
)
def test_whoever_writes_stop_gets_nothing_more(door: EntryPoint, platform: Platform, words: str) -> None:
    """Not even an answer to HELP; START begins it again."""
    writes("HELP")
    assert len(platform.texts()) == 1
    writes(words)
    assert Suppression.objects.filter(lifted_at__isnull=True).count() == 1
    writes("INFO")
    assert len(platform.texts()) == 1
    writes("START")
    assert not Suppression.objects.filter(lifted_at__isnull=True).exists()
    assert "you get text messages from us again" in platform.texts()[-1]["text"]
    assert len(platform.texts()) == 2
    sms = Consent.objects.filter(purpose="sms").latest("pk")
    assert (sms.decision, sms.wording) == ("given", "START")


@pytest.mark.parametrize(
    ("words", "purpose"),
    [
        ("Stop texting me please", "sms"),
        ("Don't call me again", "outbound_call"),
        ("No me envíen más mensajes", "sms"),
        ("Dejen de escribirme, por favor.", "sms"),
        ("No me llamen más", "outbound_call"),
    ],
)
def test_the_first_thing_that_somebody_writes_may_be_a_no(door: EntryPoint, platform: Platform, words: str, purpose: str) -> None:
    """Nobody had their number before; the record that comes with it has the no, in whichever language, and they are not written to."""
    assert writes(words) == 204
    no = Consent.objects.get(customer=line().conversation.customer)
    assert (no.purpose, no.decision, no.value) == (purpose, "revoked", f"+{SAM}")
    assert platform.texts() == []


def test_who_was_erased_after_stop_may_begin_again(door: EntryPoint, platform: Platform) -> None:
    """Of the number nothing but its keyed hash was left on the list, by which it got nothing; its holder's START takes it off."""
    writes("HELP")
    writes("STOP")
    gone = line()
    threads.end_interaction(gone, reason="silence")
    assert erasing.run(erasure.request(gone.conversation.customer, ground="asked", by="maya").pk) == "done"
    assert (Suppression.objects.get().value, Suppression.objects.get().ends_by_start) == ("", True)
    writes("HELP")
    assert len(platform.texts()) == 1
    writes("START")
    assert not Suppression.objects.filter(lifted_at__isnull=True).exists()
    assert "you get text messages from us again" in platform.texts()[-1]["text"]
    writes("Is anybody there?")
    assert not Suppression.objects.get().value


def test_start_does_not_undo_what_somebody_else_has_put_on_the_list(door: EntryPoint, platform: Platform) -> None:
    """Before STOP or after it: staff's word stands, also when the person was erased meanwhile."""
    writes("STOP")
    suppression.suppress("phone", f"+{SAM}", reason="They asked for it in a letter", added_by="maya")
    writes("START")
    assert Suppression.objects.get().lifted_at is None
    assert platform.texts() == []


def test_a_person_is_told_that_a_stopped_number_got_nothing(door: EntryPoint, platform: Platform) -> None:
    """What they wrote stays in the history as not sent."""
    writes("My boiler is cold.")
    conversation = line().conversation
    agent = rows.agent("Ann")
    takeover.take_over(conversation, agent)
    before = len(platform.texts())
    writes("STOP")
    says(conversation, agent, "When may we come?")
    assert len(platform.texts()) == before
    assert SentText.objects.latest("pk").state == "refused"


def says(conversation: Conversation, agent: Any, words: str) -> None:
    client = Client()
    client.force_login(agent.user)
    said = client.post(f"/inbox/c/{conversation.public_id}/say/", {"text": words, "client_id": uuid4().hex})
    assert said.status_code == 201, said.text


def test_an_agent_answers_by_text_and_sees_whether_it_arrived(door: EntryPoint, platform: Platform) -> None:
    """The button says so, and the bubble has the state."""
    writes("My boiler is cold.")
    conversation = line().conversation
    agent = rows.agent("Ann")
    takeover.take_over(conversation, agent)
    client = Client()
    client.force_login(agent.user)
    page = f"/inbox/c/{conversation.public_id}/"
    assert "Send text message" in client.get(page).text
    says(conversation, agent, "We can come **tomorrow**.")
    assert platform.texts()[-1]["text"].endswith("We can come tomorrow.")
    row = SentText.objects.latest("pk")
    assert status_of(row, "undeliverable", error={"title": "1320", "detail": "Absent subscriber"}) == 204
    shown = client.get(page).text
    assert "Not delivered" in shown
    assert "Absent subscriber" in shown


def test_an_agent_writes_after_the_line_fell_silent(door: EntryPoint, platform: Platform) -> None:
    """A new line goes on in the same conversation, and the answer finds it."""
    writes("My boiler is cold.")
    first = line()
    agent = rows.agent("Ann")
    takeover.take_over(first.conversation, agent)
    Interaction.objects.filter(pk=first.pk).update(state="ended", ended_at=now_text())
    says(first.conversation, agent, "Is it warm again?")
    second = Interaction.objects.filter(channel="sms").latest("pk")
    assert (second.pk != first.pk, second.direction, second.conversation_id) == (True, "outbound", first.conversation_id)
    assert platform.texts()[-1]["text"].endswith("Is it warm again?")
    writes("Yes, thank you")
    assert second.entries.filter(actor_kind="customer").count() == 1


@pytest.mark.parametrize("kind", ["image", "audio", "vcard", "unsupported"])
def test_what_is_no_text_gets_a_kind_answer_once(door: EntryPoint, platform: Platform, kind: str) -> None:
    for _thrice in range(3):
        assert writes("", message_type=kind, image={"url": "https://example.com/x.jpg"}) == 204
    (text,) = platform.texts()
    assert "We can only read text here" in text["text"]
    assert Entry.objects.filter(actor_kind="customer", body__contains=kind).count() == 3


async def test_two_machines_come_to_an_end(door: EntryPoint, platform: Platform) -> None:
    """One that answers every message with the same: after a few answers a person is asked, and nothing more leaves."""
    for _each in range(12):
        await answered("This is an automatic reply. I am away.")
    assert len(platform.texts()) <= 6


async def test_our_own_number_is_nobody(door: EntryPoint, platform: Platform) -> None:
    assert (await post_async("/voice/text/", body_of("Hello", **{"from": COMPANY}))).status_code == 204
    assert not await sync_to_async(Interaction.objects.exists)()


def test_nothing_leaves_twice(door: EntryPoint, platform: Platform) -> None:
    """Whoever asks for delivery, and however often."""
    writes("HELP")
    for _each in range(3):
        delivery.deliver(line().conversation_id)
    assert len(platform.texts()) == 1


@given(st.text(max_size=2_000))
def test_a_text_is_never_longer_than_four_parts(words: str) -> None:
    """Whatever it says, and in whatever alphabet."""
    assert texted.parts(texted.fitting(words)) <= texted.MOST_PARTS


def test_marks_are_left_out_and_choices_are_a_line() -> None:
    data = {"quick_replies": [{"label": "Tuesday"}, {"label": "Friday"}]}
    assert texted.words("**Which day** suits you?", data) == "Which day suits you?\nYou can answer: Tuesday / Friday."


def test_signs_that_cost_are_written_otherwise() -> None:
    assert texted.fitting("“Tuesday” – it’s fine…") == "\"Tuesday\" - it's fine..."
    assert texted.parts("é" * PARTS_OF_ONE) == 1
    assert texted.parts("я" * 71) == 2
