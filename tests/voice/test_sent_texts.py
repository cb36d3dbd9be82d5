"""Codes, links and notices by text message: staff see what became of each, and never what it read."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from conversations import tasks
from conversations.models import Conversation, Entry, EntryPoint, Interaction, OneTimeCode, RetentionRule, SentText, WebhookRecord
from conversations.selectors.invariants import texts_not_filed
from conversations.services import chat_links, company_links, messengers, retention, threads, timeline, verifying
from conversations.services.chat_links import NoLink
from conversations.services.parties import IdentifierClaim
from conversations.services.timeline import NewEntry
from reporting.period import Period
from reporting.reconcile import sessions
from tests.record import rows
from tests.reporting import cast
from tests.support.locks import until
from tests.voice.platform import SAM, post
from tests.voice.rest_side import Platform
from tests.voice.test_text_messages import answered, body_of, door, status_of, writes

__all__ = ["door"]
CLAIM = IdentifierClaim("phone", f"+{SAM}", "verified")
Send = Callable[[Interaction], object]


@pytest.fixture
def line(door: EntryPoint) -> Interaction:
    """A call from the number, beside which there is a web chat."""
    rows.entry_point("chat", "/beside", playbook_code=door.playbook_code)
    call = rows.interaction(door=door, channel="voice", party=f"+{SAM}", provider_id="11111111-2222-4333-8444-555555555555")
    return Interaction.objects.select_related("entry_point", "conversation__customer").get(pk=call.pk)


def code(line: Interaction) -> object:
    return verifying.send(line, CLAIM, made_by="tests")


def chat_link(line: Interaction) -> object:
    return chat_links.send(line, made_by="tests")


def company_link(line: Interaction) -> object:
    return company_links.send(
        line, code="pay", label="Pay", address="https://harborhome.example/pay", to=CLAIM, made_by="tests", key="once"
    )


def page_of(line: Interaction) -> str:
    client = Client()
    client.force_login(rows.agent("Ann").user)
    return client.get(f"/inbox/c/{line.conversation.public_id}/").text


def managers_page_of(line: Interaction) -> str:
    client = Client()
    client.force_login(User.objects.get_or_create(username="maya", is_staff=True, is_superuser=True)[0])
    return client.get(f"/admin/conversations/conversation/{line.conversation_id}/change/").text


@pytest.mark.parametrize(
    ("send", "what", "kind"), [(code, "code", "identity.code_sent"), (chat_link, "link", "link.sent"), (company_link, "link", "link.sent")]
)
@pytest.mark.parametrize(("status", "shown"), [("delivered", "Delivered"), ("undeliverable", "Not delivered")])
def test_staff_see_whether_it_arrived(
    line: Interaction, platform: Platform, send: Send, what: str, kind: str, status: str, shown: str
) -> None:
    """By the entry that tells of it; the code, the link and the whole number stand nowhere."""
    send(line)
    (text,) = platform.texts()
    row = SentText.objects.select_related("entry").get()
    assert row.entry is not None
    assert (row.what, row.state, row.entry.kind, text["client_ref"]) == (what, "submitted", kind, row.public_id.hex)
    assert status_of(row, status, error={"title": "1320", "detail": "Absent subscriber"} if shown != "Delivered" else {}) == 204
    page = page_of(line) + managers_page_of(line)
    assert page.count(f">{shown}</span>") == 2
    secret = re.search(r"\b\d{6}\b|/c/\S+", text["text"])
    assert secret is None or secret[0] not in page
    told = Entry.objects.filter(kind="text.failed")
    assert told.exists() == (status == "undeliverable")
    assert all("message with a" in each.body and "1320" in each.body for each in told)


@pytest.mark.parametrize(("send", "problem"), [(code, messengers.NotSent), (chat_link, NoLink)])
@pytest.mark.parametrize("refusal", [422, 429, 503])
def test_what_did_not_leave_is_told_and_not_tried_again(
    line: Interaction, platform: Platform, send: Send, problem: type[Exception], refusal: int
) -> None:
    """Whoever waits for it asks again: nobody could word it a second time."""
    platform.code = refusal
    with pytest.raises(problem):
        send(line)
    assert SentText.objects.get().state == "failed"
    assert "Not sent" in Entry.objects.get(kind="text.failed").body
    platform.code = 201
    SentText.objects.update(changed_at="2020-01-01T00:00:00Z")
    asked = len(platform.texts())
    assert asked == (3 if refusal == 429 else 1), "only what was asked too often is asked again, while they wait"
    assert tasks.send_forgotten_texts() == 0
    assert len(platform.texts()) == asked


def test_one_whose_process_died_is_not_left_waiting(line: Interaction, platform: Platform) -> None:
    SentText.objects.create(interaction=line, what="code", tries=1, changed_at="2020-01-01T00:00:00Z")
    assert tasks.send_forgotten_texts() == 0
    assert (SentText.objects.get().state, platform.texts()) == ("failed", [])


def test_a_word_that_comes_after_all_corrects_ours(line: Interaction, platform: Platform) -> None:
    """The platform failed at it, so it counts as not sent; then it reports that it arrived."""
    platform.code = 503
    with pytest.raises(messengers.NotSent):
        code(line)
    assert status_of(SentText.objects.get(), "delivered") == 204
    assert SentText.objects.get().state == "delivered"
    assert OneTimeCode.objects.filter(ended_at__isnull=True).count() == 0


async def test_the_system_s_words_leave_by_text_as_well(door: EntryPoint, platform: Platform) -> None:
    """Where no AI agent answers, whoever writes is told that a person will."""
    await sync_to_async(EntryPoint.objects.filter(pk=door.pk).update)(mode=EntryPoint.Mode.SHADOW)
    try:
        await answered("I want to talk to a person")
    finally:
        await sync_to_async(EntryPoint.objects.filter(pk=door.pk).update)(mode=EntryPoint.Mode.LIVE)
    said = await Entry.objects.aget(kind="message", actor_kind="system")
    await sync_to_async(until)(platform.texts)
    (text,) = platform.texts()
    assert said.body.split(".")[0] in text["text"]
    assert (await SentText.objects.aget()).entry_id == said.pk


def counted() -> tuple[int, list[str]]:
    """How many texts of today are seen or recorded, and what is wrong with them."""
    found = [each for each in sessions(Period.ending_today(1)) if each.channel == "sms"]
    return len(found), [mismatch.field for each in found for mismatch in each.mismatches]


def test_reports_look_for_every_text(door: EntryPoint, platform: Platform) -> None:
    """Each that came is filed once, whatever it said; one that is lost, and one that nobody sent, is found."""
    hello = body_of("My boiler is cold.")
    said = [hello, hello, body_of("HELP"), body_of("HELP"), body_of("", message_type="image"), body_of("STOP"), body_of("START")]
    assert [post("/voice/text/", body).status_code for body in said] == [204] * len(said)
    assert counted() == (6, [])
    assert texts_not_filed() == []
    cast.webhook("lost", "text", timezone.now(), body_of("Where is my engineer?"))
    assert counted() == (7, ["missing"])
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert texts_not_filed() == ["Text message lost is in no history."]
    line = Interaction.objects.get(channel="sms")
    invented = NewEntry(kind="message", actor_kind="customer", body="Hi", interaction=line, source_id="text:invented")
    timeline.append(line.conversation_id, invented)
    assert sorted(counted()[1]) == ["missing", "phantom"]


def test_a_text_to_a_number_that_takes_none_is_no_contact(number: EntryPoint) -> None:
    assert writes("My boiler is cold.") == 204
    assert counted() == (0, [])
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert texts_not_filed() == []


def test_the_words_go_from_what_the_platform_delivered_too(door: EntryPoint) -> None:
    """After the time of typed messages, however long webhooks are kept; reports do not take such a text for lost."""
    writes("My boiler is cold.")
    threads.end_interaction(Interaction.objects.get(channel="sms"), reason="silence")
    threads.close(Conversation.objects.get(), actor_kind="system", actor_name="", disposition=None)
    RetentionRule.objects.update(keep_days=None)
    RetentionRule.objects.update_or_create(kind="chat_messages", defaults={"keep_days": 30})
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        retention.apply()
    assert "boiler" not in str(WebhookRecord.objects.get(kind="text").body)
    assert counted() == (0, [])
