"""What is sent to the chat over a real network: frames that are too large, broken or too many, beside a customer who means well."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from conversations.models import Conversation, Entry
from tests.record import rows
from tests.support.locks import locked, until, waits_for_lock
from tests.support.processes import WebProcess

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 30
MEGABYTE = 1_000_000
SECONDS_TO_END = 8


@pytest.fixture
def web(transactional_db: None, web_processes: Callable[..., list[WebProcess]]) -> WebProcess:
    """One web process, with a chat where people answer."""
    rows.entry_point()
    rows.everybody_to_people()
    return web_processes(1)[0]


def test_whatever_one_socket_sends_another_is_served(web: WebProcess) -> None:
    """A megabyte in a message, broken JSON, null bytes, bytes instead of text, a flood, and a frame beyond all measure."""
    asyncio.run(_harm_and_be_served(web))
    bodies = list(Entry.objects.filter(kind="message", actor_kind="customer").values_list("body", flat=True))
    assert bodies.count("I have a leak") == 1
    assert bodies.count("still here") == 1
    assert 0 < bodies.count("spam") < 50
    assert "Traceback" not in web.output()
    assert web.is_alive()


async def _harm_and_be_served(web: WebProcess) -> None:
    async with _chat(web) as harmful, _chat(web) as other:
        assert await _refusal(harmful, _message("big", "x" * MEGABYTE)) == "too_long"
        assert await _refusal(harmful, "{") == "not_json"
        assert await _refusal(harmful, _message("nothing", "\x00\x00")) == "empty"
        assert await _refusal(harmful, b"\xff\xfe\x00") == "not_text"
        await harmful.send(_message("well", "still\x00 here"))
        await _until(harmful, "ack")
        for number in range(200):
            await harmful.send(_message(f"flood-{number}", "spam"))
        await other.send(_message("leak", "I have a leak"))
        await _until(other, "ack")
        assert (await _until(harmful, "refused"))["code"] == "too_fast"
    async with _chat(web) as harmful:
        with pytest.raises(ConnectionClosed):
            await _refusal(harmful, _message("huge", "x" * 10 * MEGABYTE))
    async with _chat(web) as again:
        await again.send(_message("after", "And now?"))
        await _until(again, "ack")


@asynccontextmanager
async def _chat(web: WebProcess) -> AsyncIterator[ClientConnection]:
    """A socket that has said hello."""
    async with connect(f"{web.websocket_url}/ws/chat/?entry_point=/harborhome", max_size=None, max_queue=None) as socket:
        await socket.send(json.dumps({"type": "hello", "token": None, "session": None, "conversation": None, "after": 0}))
        await _until(socket, "welcome")
        yield socket


def _message(client_id: str, text: str) -> str:
    return json.dumps({"type": "message", "client_id": client_id, "text": text})


async def _refusal(socket: ClientConnection, frame: str | bytes) -> str:
    """Sends a frame that must be refused, and returns the code of the refusal."""
    await socket.send(frame)
    return str((await _until(socket, "refused", "error"))["code"])


async def _until(socket: ClientConnection, *kinds: str) -> dict[str, str]:
    """The next frame of one of these types."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            frame: dict[str, str] = json.loads(await socket.recv())
            if frame["type"] in kinds:
                return frame


def test_a_web_process_ends_after_the_turn_it_runs(web: WebProcess) -> None:
    """Asked to end while a turn waits for the database, it finishes that turn and is gone by itself."""
    with locked("routing_decision"):
        asyncio.run(_say_and_leave(web))
        until(lambda: waits_for_lock("routing_decision"))
        web.ask_to_end()
    web.wait_for_end(SECONDS_TO_END)
    conversation = Conversation.objects.get()
    assert conversation.turn_done_seq == conversation.turn_wanted_seq


async def _say_and_leave(web: WebProcess) -> None:
    async with _chat(web) as customer:
        await customer.send(_message("one", "My boiler is cold"))
        await _until(customer, "ack")
