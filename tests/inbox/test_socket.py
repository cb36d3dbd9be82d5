"""The agent's socket, through the real ASGI application."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from conversations.flows import takeover
from conversations.models import Conversation, Entry
from conversations.services import announce, timeline
from conversations.services.timeline import APPEND
from cxhub.asgi import application
from routing.models import AgentProfile, Presence, Reservation
from routing.services.presence import set_state
from tests.inbox.conftest import Cast

Offered = Callable[..., tuple[Conversation, Reservation]]
pytestmark = pytest.mark.asyncio


def communicator(cast: Cast, who: AgentProfile | User | None, origin: str = "http://localhost") -> WebsocketCommunicator:
    return communicator_of(cast.client(who), origin)


def communicator_of(browser: Client, origin: str = "http://localhost") -> WebsocketCommunicator:
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items())
    headers = [(b"origin", origin.encode()), (b"cookie", cookie.encode()), (b"host", b"localhost")]
    return WebsocketCommunicator(application, "/ws/inbox/", headers=headers)


@asynccontextmanager
async def screen(cast: Cast, who: AgentProfile | User) -> AsyncIterator[WebsocketCommunicator]:
    socket = await sync_to_async(communicator)(cast, who)
    connected, _code = await socket.connect()
    assert connected
    try:
        yield socket
    finally:
        await socket.disconnect()


async def told(socket: WebsocketCommunicator, kind: str) -> dict[str, Any]:
    """The next frame of a kind; others that come before it are passed over."""
    async with asyncio.timeout(5):
        while True:
            frame = json.loads(await socket.receive_from(timeout=5))
            if frame["type"] == kind:
                return dict(frame)


async def watch(socket: WebsocketCommunicator, conversation: Conversation, after: int) -> None:
    await socket.send_json_to({"type": "open", "conversation": conversation.public_id.hex, "after": after})
    await told(socket, "watching")


@pytest.mark.parametrize("who", ["nobody", "stranger"])
async def test_only_staff_connect(live_cast: Cast, who: str) -> None:
    """Without a sign-in, or with one that is not staff's, the socket is refused."""
    user = live_cast.stranger if who == "stranger" else None
    connected, _code = await (await sync_to_async(communicator)(live_cast, user)).connect()
    assert not connected


async def test_another_site_cannot_open_the_socket(live_cast: Cast) -> None:
    """The browser would send the agent's cookie with it, so the origin is checked."""
    socket = await sync_to_async(communicator)(live_cast, live_cast.ann, "https://evil.example")
    connected, _code = await socket.connect()
    assert not connected


async def test_managers_watch_too(live_cast: Cast) -> None:
    """A manager without an agent profile sees what is said, live."""
    conversation = await sync_to_async(live_cast.chat)()
    async with screen(live_cast, live_cast.manager) as socket:
        await watch(socket, conversation, after=2)
        appended = await sync_to_async(live_cast.says)(conversation, "Hello?")
        frame = await told(socket, "entries")
        assert (frame["upto"], frame["entries"][0]["body"]) == (appended.seq, "Hello?")


async def test_opening_sends_what_the_page_does_not_have_yet(live_cast: Cast) -> None:
    """Everything after the given seq comes in order, then live ones follow without a hole."""
    conversation = await sync_to_async(live_cast.chat)()
    await sync_to_async(live_cast.says)(conversation, "Two")
    async with screen(live_cast, live_cast.ann) as socket:
        await watch(socket, conversation, after=1)
        frame = await told(socket, "entries")
        assert [entry["seq"] for entry in frame["entries"]] == [2, 3]
        await sync_to_async(live_cast.says)(conversation, "Three")
        assert (await told(socket, "entries"))["entries"][0]["seq"] == 4


async def test_a_hole_is_filled_from_the_database_and_a_repetition_dropped(live_cast: Cast) -> None:
    """Pushes may be lost, late or doubled: the screen gets each entry once and in order."""
    conversation = await sync_to_async(live_cast.chat)()
    group = announce.conversation_group(conversation.public_id.hex)
    layer = get_channel_layer()
    async with screen(live_cast, live_cast.ann) as socket:
        await watch(socket, conversation, after=2)
        await sync_to_async(_store_silently)(live_cast, conversation, ["lost one", "lost two"])
        late = await sync_to_async(live_cast.says)(conversation, "arrives")
        assert late.seq == 5
        frame = await told(socket, "entries")
        assert [entry["body"] for entry in frame["entries"]] == ["lost one", "lost two", "arrives"]
        await layer.group_send(group, announce.entries_frame(conversation.public_id.hex, frame["entries"][:1]))
        await layer.group_send(group, announce.entries_frame(conversation.public_id.hex, frame["entries"]))
        await sync_to_async(live_cast.says)(conversation, "next")
        assert [entry["seq"] for entry in (await told(socket, "entries"))["entries"]] == [6]


def _store_silently(cast: Cast, conversation: Conversation, texts: list[str]) -> None:
    """Stores entries as a process that dies between its commit and its push would: nothing is announced."""
    with connection.cursor() as cursor:
        for text in texts:
            cursor.execute(
                APPEND,
                [conversation.pk, "message", "customer", "", text, "{}", "everyone", None, None, None, False],
            )


async def test_resume_sends_again_from_where_the_screen_says(live_cast: Cast) -> None:
    """A page that lost what it had asks by seq."""
    conversation = await sync_to_async(live_cast.chat)()
    async with screen(live_cast, live_cast.ann) as socket:
        await watch(socket, conversation, after=2)
        await socket.send_json_to({"type": "resume", "after": 0})
        assert [entry["seq"] for entry in (await told(socket, "entries"))["entries"]] == [1, 2]


async def test_another_conversation_is_not_heard(live_cast: Cast) -> None:
    """Only the open conversation's words come; opening another one leaves the first."""
    first, second = await sync_to_async(live_cast.chat)(), await sync_to_async(live_cast.chat)(name="Other")
    async with screen(live_cast, live_cast.ann) as socket:
        await watch(socket, first, after=2)
        await watch(socket, second, after=2)
        await sync_to_async(live_cast.says)(first, "unheard")
        await sync_to_async(live_cast.says)(second, "heard")
        assert (await told(socket, "entries"))["entries"][0]["body"] == "heard"


async def test_news_in_my_other_conversations_changes_my_lists(live_cast: Cast) -> None:
    """An agent who has two conversations learns that the one not open has something new."""
    mine = await sync_to_async(live_cast.chat)()
    async with screen(live_cast, live_cast.ann) as socket:
        await sync_to_async(takeover.take_over)(mine, live_cast.ann)
        await told(socket, "offer")
        await sync_to_async(live_cast.says)(mine, "Are you there?")
        async with asyncio.timeout(5):
            while mine.public_id.hex not in (await told(socket, "work"))["conversations"]:
                continue


async def test_an_offer_reaches_its_agent_only(live_cast: Cast, offered: Offered) -> None:
    """The agent's screen is told; a colleague's is only told that lists changed."""
    async with screen(live_cast, live_cast.ann) as anns, screen(live_cast, live_cast.ben) as bens:
        _conversation, reservation = await sync_to_async(offered)(live_cast.ann)
        assert (await told(anns, "offer"))["reservation"] == reservation.pk
        await told(bens, "work")
        await bens.send_json_to({"type": "leave"})
        await bens.send_json_to({"type": "heartbeat"})
        async with asyncio.timeout(5):
            while (frame := json.loads(await bens.receive_from()))["type"] != "heartbeat":
                assert frame["type"] != "offer"


NOT_UNDERSTOOD = [
    "not json",
    "[]",
    "{}",
    '{"type": "open"}',
    '{"type": "open", "conversation": "x"}',
    '{"type": "resume", "after": -1}',
    '{"type": "resume", "after": true}',
    '{"type": "resume", "after": "9"}',
    '{"type": "resume", "after": 99999999999999999999}',
    '{"type": "entries.appended", "conversation": null, "entries": []}',
    "x" * 5000,
    "[" * 4000,
]


async def test_what_is_not_understood_is_said_and_survived(live_cast: Cast) -> None:
    """A broken frame gets an answer each; the socket works on."""
    async with screen(live_cast, live_cast.ann) as socket:
        for text in NOT_UNDERSTOOD:
            await socket.send_to(text_data=text)
            assert (await told(socket, "error"))["code"] == "not_understood", text
        await socket.send_to(bytes_data=b"\x00\xff")
        assert (await told(socket, "error"))["code"] == "not_understood"
        await socket.send_json_to({"type": "heartbeat"})
        await told(socket, "heartbeat")


async def test_an_unknown_conversation_is_not_watched(live_cast: Cast) -> None:
    """There is one sentence for what does not exist and what may not be seen."""
    async with screen(live_cast, live_cast.ann) as socket:
        await socket.send_json_to({"type": "open", "conversation": "0" * 32, "after": 0})
        assert (await told(socket, "error"))["code"] == "not_found"


async def test_typing_is_shown_for_the_owner_only(live_cast: Cast) -> None:
    """The customer sees that their person writes; a colleague who types a note is not shown."""
    conversation = await sync_to_async(live_cast.chat)()
    await sync_to_async(takeover.take_over)(conversation, live_cast.ann)
    async with screen(live_cast, live_cast.ann) as anns, screen(live_cast, live_cast.ben) as bens:
        await watch(anns, conversation, after=999)
        await watch(bens, conversation, after=999)
        await bens.send_json_to({"type": "typing"})
        await bens.send_json_to({"type": "heartbeat"})
        await told(bens, "heartbeat")
        await anns.send_json_to({"type": "typing"})
        frame = await told(bens, "activity")
        assert (frame["who"], frame["name"], frame["what"]) == ("agent", "Ann", "typing")


async def test_closing_a_tab_changes_nothing_about_presence(live_cast: Cast) -> None:
    """A reload is not going home; the heartbeat keeps the agent there meanwhile."""
    await Presence.objects.filter(agent=live_cast.ann).aupdate(state=Presence.State.AVAILABLE)
    async with screen(live_cast, live_cast.ann) as socket:
        await socket.send_json_to({"type": "heartbeat"})
        await told(socket, "heartbeat")
    presence = await Presence.objects.aget(agent=live_cast.ann)
    assert presence.state == Presence.State.AVAILABLE
    assert presence.last_heartbeat_at is not None


async def test_an_account_that_is_closed_loses_its_socket(live_cast: Cast) -> None:
    """At the next heartbeat the socket of somebody who may no longer be here is closed."""
    async with screen(live_cast, live_cast.ann) as socket:
        await AgentProfile.objects.filter(pk=live_cast.ann.pk).aupdate(active=False)
        await socket.send_json_to({"type": "heartbeat"})
        closed = await socket.receive_output(timeout=5)
        while closed["type"] == "websocket.send":
            closed = await socket.receive_output(timeout=5)
        assert (closed["type"], closed["code"]) == ("websocket.close", 4403)


async def test_signing_out_closes_the_screens_of_that_browser_only(live_cast: Cast) -> None:
    """A tab left open after signing out hears nothing more; another browser of the same agent does."""
    first, second = await sync_to_async(live_cast.client)(live_cast.ann), await sync_to_async(live_cast.client)(live_cast.ann)
    left = communicator_of(first)
    other = communicator_of(second)
    assert (await left.connect())[0]
    assert (await other.connect())[0]
    await sync_to_async(first.post)("/accounts/logout/")
    async with asyncio.timeout(10):
        while (await left.receive_output(timeout=10))["type"] != "websocket.close":
            continue
    await other.send_json_to({"type": "heartbeat"})
    await told(other, "heartbeat")
    await other.disconnect()


async def test_who_signs_out_is_offline(live_cast: Cast) -> None:
    """And what was offered to them goes to others at once; before, it rang for somebody who had gone until it ran out."""
    client = await sync_to_async(live_cast.client)(live_cast.ann)
    await sync_to_async(set_state)(live_cast.ann, Presence.State.AVAILABLE)
    await sync_to_async(client.post)("/accounts/logout/")
    assert (await Presence.objects.aget(agent=live_cast.ann)).state == Presence.State.OFFLINE


async def test_following_on_needs_no_database(live_cast: Cast) -> None:
    """The hot path: a pushed entry without a hole is passed along, and nothing is asked of the database."""
    conversation = await sync_to_async(live_cast.chat)()
    group = announce.conversation_group(conversation.public_id.hex)
    async with screen(live_cast, live_cast.ann) as socket:
        await watch(socket, conversation, after=2)
        entry = await sync_to_async(_wire)(conversation)
        # The consumer's queries run in the one thread that sync_to_async uses, so they are counted there.
        asked = CaptureQueriesContext(connection)
        await sync_to_async(asked.__enter__)()
        for seq in range(3, 23):
            frame = announce.entries_frame(conversation.public_id.hex, [{**entry, "seq": seq}])
            await get_channel_layer().group_send(group, frame)
            assert (await told(socket, "entries"))["upto"] == seq
        assert await sync_to_async(len)(asked) == 0
        await socket.send_json_to({"type": "resume", "after": 0})
        await told(socket, "entries")
        assert await sync_to_async(len)(asked) == 1
        await sync_to_async(asked.__exit__)(None, None, None)


def _wire(conversation: Conversation) -> dict[str, Any]:
    return announce.wire_entry_of(conversation.entries.select_related("interaction").get(seq=2))


async def test_a_screen_is_told_what_was_taken_out(live_cast: Cast) -> None:
    """Of entries that it has; it draws them anew. The others come without their words anyway."""
    conversation = await sync_to_async(live_cast.chat)()
    said = await sync_to_async(live_cast.says)(conversation, "4242 4242")
    async with screen(live_cast, live_cast.ann) as socket:
        await watch(socket, conversation, after=said.seq)
        entry = await Entry.objects.aget(conversation=conversation, seq=said.seq)
        await sync_to_async(timeline.redact)(entry, reason="Part of a card number")
        frame = await told(socket, "redacted")
        assert (frame["conversation"], frame["seqs"]) == (conversation.public_id.hex, [said.seq])
