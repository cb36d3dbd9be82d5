"""One customer on two channels, or three: however they come and whatever comes twice, one record and the same decisions."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from django.test import override_settings
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from conversations.models import Conversation, Customer, Entry, EntryPoint, Interaction, MatchCandidate
from tests.story.test_two_hundred_needs import decisions_of, say_it, type_it, unlike_in
from tests.support import host_site
from tests.support.company import empty_the_record
from tests.support.sockets import open_widget
from tests.voice.platform import COMPANY, Caller, now_text, post_async

PHONE = "+447700900123"


CONTACTS = [
    *((*pair, milliseconds) for pair in [("chat", "call"), ("call", "chat")] for milliseconds in (0, 1, 30, 100, 300)),
    *((*pair, 0) for pair in [("text", "chat"), ("chat", "text"), ("text", "call"), ("call", "text")]),
]


@pytest.mark.parametrize(("one", "other", "milliseconds"), CONTACTS)
async def test_first_contacts_on_two_channels_make_one_customer(
    transactional_db: None, one: str, other: str, milliseconds: int
) -> None:
    """A chat whose host site vouches for the number, a call from it or a text message from it begin at almost the same instant."""
    vouched = await database_sync_to_async(_vouched)()
    caller = Caller(number=PHONE.removeprefix("+"))

    async def chat() -> None:
        async with open_widget() as widget:
            await widget.hello(identity=vouched)
            assert (await widget.say("My boiler is cold", client_id="one"))["type"] == "ack"

    async def call() -> None:
        answer = await post_async("/voice/answer/", caller.answer())
        assert answer.status_code == 200
        assert (await post_async("/voice/input/", caller.said("my boiler is cold"))).status_code == 200

    async def text() -> None:
        assert (await post_async("/voice/text/", texted("My boiler is cold", "one"))).status_code == 204

    async def later(start: Any) -> None:
        await asyncio.sleep(milliseconds / 1000)
        await start()

    starts = {"chat": chat, "call": call, "text": text}
    await asyncio.gather(starts[one](), later(starts[other]))
    customers, conversations, interactions = await database_sync_to_async(_counts)()
    assert (customers, conversations, interactions) == (1, 1, 2)
    await database_sync_to_async(_has_no_hole)()


async def test_a_need_is_decided_alike_however_it_comes(transactional_db: None) -> None:
    """Typed into the chat, said on the phone, written by text message: the same need and the same decision."""
    needs = ["My boiler is cold", "I want to talk to a person", "I smell gas in the kitchen", "I have a question about my last invoice"]
    ways = [[await type_it(each), await say_it(each), await _text_it(each, f"4477009003{row:02d}")] for row, each in enumerate(needs)]
    decided = await decisions_of([name for names in ways for name in names])
    assert [unlike_in(decided[typed], decided[each]) for typed, *others in ways for each in others] == [{}] * 8
    assert len({decided[typed]["rule"] for typed, *_others in ways}) > 1


async def _text_it(words: str, number: str) -> str:
    """Writes a first text message; returns our id of the line."""
    assert (await post_async("/voice/text/", texted(words, number) | {"from": number})).status_code == 204
    return (await Interaction.objects.aget(channel="sms", party=f"+{number}")).provider_id


def texted(words: str, message_id: str) -> dict[str, Any]:
    """What the platform posts of a text message from the number."""
    about = {"channel": "sms", "message_type": "text", "message_uuid": message_id, "timestamp": now_text()}
    return about | {"to": COMPANY, "from": PHONE.removeprefix("+"), "text": words}


def _vouched() -> str:
    """A token of the company's site for somebody whose number it has checked."""
    door = EntryPoint.objects.get(channel="chat", address="/harborhome")
    return host_site.token_of(host_site.key_for(door), phone=PHONE, phone_verified=True)


def _counts() -> tuple[int, int, int]:
    return Customer.objects.count(), Conversation.objects.count(), Interaction.objects.count()


def _has_no_hole() -> None:
    """A turn may be writing on; what stands so far is numbered from 1 without a hole."""
    for conversation in Conversation.objects.all():
        seqs = list(conversation.entries.order_by("seq").values_list("seq", flat=True))
        assert seqs == list(range(1, len(seqs) + 1))


IN_ORDER = ["ringing", "answer", "answered", "chat 1", "text 1", "said 1", "chat 2", "said 2", "text 2", "chat 3", "completed"]
PROMISED = (["chat 1", "chat 2", "chat 3"], ["answer", "said 1", "said 2", "completed"], ["text 1", "text 2"])
"""What comes in this order: a socket keeps the order of its messages, a call's questions wait for their answers, and somebody who
writes by text message reads the answer first."""


@st.composite
def arrivals(draw: st.DrawFn) -> list[str]:
    """Any order that the transports may deliver in: what they promise, events at any time, anything once more later."""
    order: list[str] = []
    rows = [list(row) for row in PROMISED]
    while any(rows):
        row = draw(st.sampled_from([row for row in rows if row]))
        order.append(row.pop(0))
    for event in ("ringing", "answered"):
        order.insert(draw(st.integers(0, len(order))), event)
    for repeated in draw(st.lists(st.sampled_from(IN_ORDER), max_size=9)):
        order.insert(draw(st.integers(order.index(repeated) + 1, len(order))), repeated)
    return order


def test_repeated_and_shuffled_events_give_the_same_timeline(transactional_db: None) -> None:
    """However the channels interleave, events come early or late, and anything comes again: the same as in order, once."""
    in_order = _timeline_after(IN_ORDER)
    assert [said for _kind, said in in_order["chat"]["said"]] == ["typed 1", "typed 2", "typed 3"]
    assert [said for _kind, said in in_order["voice"]["said"]] == ["spoken 1", "spoken 2"]
    assert [said for _kind, said in in_order["sms"]["said"]] == ["texted 1", "texted 2"]

    @override_settings(CHAT_MESSAGES_PER_SECOND=1000)
    @settings(max_examples=10, deadline=None, phases=[Phase.generate])
    @given(order=arrivals())
    def gives_the_same(order: list[str]) -> None:
        assert _timeline_after(order) == in_order

    gives_the_same()


def _timeline_after(order: list[str]) -> dict[str, Any]:
    """What the transports brought in this order, per interaction.

    The customer's words in the order of the history; what the platform reports, which may come in any order, sorted.
    Without seq and times, and without what the AI agent made of it.
    """
    empty_the_record()
    async_to_sync(_deliver)(order)
    _has_no_hole()
    assert Customer.objects.count() == Conversation.objects.count() == 1
    return {interaction.channel: _told(interaction) for interaction in Interaction.objects.order_by("channel")}


def _told(interaction: Interaction) -> dict[str, Any]:
    entries = list(interaction.entries.order_by("seq"))
    brought = [entry for entry in entries if entry.kind.startswith(("interaction.", "call.", "disclosure."))]
    return {
        "state": (interaction.state, interaction.end_reason, interaction.assurance),
        "first": entries[0].kind,
        "said": [(entry.kind, entry.body) for entry in entries if entry.actor_kind == Entry.Actor.CUSTOMER],
        "reported": sorted((entry.kind, entry.body, str(entry.data.get("status", ""))) for entry in brought),
    }


@override_settings(CHAT_MESSAGES_PER_SECOND=1000)
@settings(max_examples=7, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(IN_ORDER * 2))
def test_what_comes_in_an_impossible_order_is_filed_at_most_once(transactional_db: None, order: list[str]) -> None:
    """Each sentence stands once, each call and session began once, no seq is missing.

    A sentence before its call's answer is one the platform never sends first; it is refused or filed, never doubled.
    """
    empty_the_record()
    async_to_sync(_deliver)(order)
    said = sorted(Entry.objects.filter(kind="message", actor_kind="customer").values_list("body", flat=True))
    assert [each for each in said if each.startswith("typed")] == ["typed 1", "typed 2", "typed 3"]
    assert [each for each in said if each.startswith("texted")] == ["texted 1", "texted 2"]
    assert len(said) == len(set(said))
    assert _must_be_filed(order) <= set(said)
    for kind in ("interaction.started", "interaction.ended"):
        entries = Entry.objects.filter(kind=kind).values_list("interaction", flat=True)
        assert len(entries) == len(set(entries))
    assert Interaction.objects.filter(channel="voice").count() == 1
    assert Interaction.objects.get(channel="voice").state == "ended"
    assert Customer.objects.count() == 1
    _has_no_hole()


def _must_be_filed(order: list[str]) -> set[str]:
    """What was said at least once while the call was up: after its answer, before anything said that it was over."""
    began = order.index("answer")
    over = order.index("completed")
    return {each.replace("said", "spoken") for each in order[began:over] if each.startswith("said")}


async def _deliver(order: list[str]) -> None:
    vouched = await database_sync_to_async(_vouched)()
    caller = Caller(number=PHONE.removeprefix("+"))
    today = timezone.now().date().isoformat()
    bodies = {
        "answer": ("/voice/answer/", caller.answer()),
        "said 1": ("/voice/input/", caller.said("spoken 1", timestamp=f"{today}T10:00:01.000Z")),
        "said 2": ("/voice/input/", caller.said("spoken 2", timestamp=f"{today}T10:00:02.000Z")),
        "ringing": ("/voice/event/", caller.event("ringing")),
        "answered": ("/voice/event/", caller.event("answered")),
        "completed": ("/voice/event/", caller.event("completed", duration="12")),
        "text 1": ("/voice/text/", texted("texted 1", "one")),
        "text 2": ("/voice/text/", texted("texted 2", "two")),
    }
    async with open_widget() as widget:
        await widget.hello(identity=vouched)
        for each in order:
            if each.startswith("chat"):
                number = each.removeprefix("chat ")
                assert (await widget.say(f"typed {number}", client_id=f"c{number}"))["type"] == "ack"
            else:
                path, body = bodies[each]
                assert (await post_async(path, body)).status_code < 500


async def test_a_code_from_the_chat_carries_the_conversation_into_the_call(transactional_db: None) -> None:
    """The caller keys in the code: one conversation with both interactions, proven, and nothing is asked again."""
    caller = Caller(number="447700900777")
    async with open_widget() as widget:
        await widget.hello()
        await widget.say("I would like to book a boiler service, my postcode is HB1 4QT", client_id=str(uuid4()))
        await widget.send(type="continue_by_phone")
        code = (await widget.wait_for(lambda frame: frame["type"] == "phone_code"))["code"]
    await post_async("/voice/answer/", caller.answer())
    await post_async("/voice/input/", caller.keyed(code))
    call = await database_sync_to_async(lambda: Interaction.objects.select_related("conversation").get(channel="voice"))()
    chat = await database_sync_to_async(lambda: Interaction.objects.get(channel="chat"))()
    assert call.conversation_id == chat.conversation_id
    assert call.assurance == "verified"
    assert call.conversation.facts["postcode"]["value"] == "HB1 4QT"
    assert await database_sync_to_async(Conversation.objects.filter(joined_into__isnull=True).count)() == 1


async def test_typing_somebody_elses_number_joins_nothing(transactional_db: None) -> None:
    """A visitor who claims a known caller's number gets a record of their own; staff see a candidate, the visitor nothing."""
    caller = Caller(number=PHONE.removeprefix("+"))
    await post_async("/voice/answer/", caller.answer())
    async with open_widget() as widget:
        await widget.hello()
        await widget.say(f"Book a boiler service please, my number is {PHONE}", client_id="one")
        await widget.wait_for_entry(lambda entry: entry["actor_kind"] == "assistant" and entry["kind"] == "message")
        shown = [entry["kind"] for entry in widget.entries]
    assert await database_sync_to_async(Customer.objects.count)() == 2
    assert await database_sync_to_async(MatchCandidate.objects.count)() == 1
    assert "call.answered" not in shown
