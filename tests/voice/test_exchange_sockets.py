"""The simulator's WebSocket legs: what a bot or a browser at the other end gets, may send, and is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.voice.exchange_side import Application, dial, eventually, rest

FRAME = 640
BUSY = [{"action": "wait", "timeout": 7_000}]


class Bot:
    """An application's socket: notes what it gets, and sends what the test says."""

    def __init__(self) -> None:
        self.texts: list[dict[str, Any]] = []
        self.frames: list[bytes] = []
        self.authorization = ""
        self.connection: ServerConnection | None = None
        self.closed_with: int | None = None
        self.uri = ""

    async def take(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.authorization = connection.request.headers.get("Authorization", "") if connection.request else ""
        try:
            async for message in connection:
                if isinstance(message, bytes):
                    self.frames.append(message)
                else:
                    self.texts.append(json.loads(message))
        except ConnectionClosed:
            pass
        await connection.wait_closed()
        self.closed_with = connection.close_code

    async def send(self, message: Any) -> None:
        assert self.connection is not None
        await self.connection.send(message if isinstance(message, bytes) else json.dumps(message))

    def told(self, event: str) -> list[dict[str, Any]]:
        return [each for each in self.texts if each["event"] == event]


@pytest.fixture
async def bot(application: Application) -> AsyncIterator[Bot]:
    bot = Bot()
    async with serve(bot.take, "127.0.0.1", 0) as server:
        bot.uri = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/bot"
        yield bot


Begin = Callable[..., Awaitable[Any]]


@pytest.fixture
def call(application: Application, bot: Bot) -> Begin:
    """Begins a call that is connected to the bot, and waits until it is."""

    async def begin(*after: dict[str, Any], **endpoint: Any) -> Any:
        asked = {"type": "websocket", "uri": bot.uri, "content-type": "audio/l16;rate=16000", "headers": {"call": "one"}} | endpoint
        connect = {"action": "connect", "endpoint": [asked], "eventUrl": [f"{application.url}/socket-events/"]}
        caller = await dial(application, [connect, *after], speed=1)
        await eventually(lambda: bot.told("websocket:connected") and bot.frames)
        await caller.until(lambda state: state["together"]["hears"])
        return caller

    return begin


async def test_it_begins_with_a_message_and_frames_of_twenty_milliseconds(bot: Bot, call: Begin, application: Application) -> None:
    caller = await call()
    assert bot.texts[0] == {"event": "websocket:connected", "content-type": "audio/l16;rate=16000", "call": "one"}
    assert {len(frame) for frame in bot.frames} == {FRAME}
    assert not any(bot.frames[0])
    await caller.do("say", text="Hello bot")
    await eventually(lambda: any(any(frame) for frame in bot.frames))
    events = application.bodies("socket-events")
    assert {(body["to"], body["headers"]["call"]) for body in events} == {(bot.uri, "one")}


async def test_what_comes_after_it_is_done_as_soon_as_it_is_up(bot: Bot, call: Begin) -> None:
    caller = await call({"action": "talk", "text": "You are speaking to a machine."})
    await caller.until_heard("You are speaking to a machine.")
    await caller.until(lambda state: state["doing"] == "connected")
    assert not (await caller.look())["ended"]


async def test_markers_come_back_when_they_are_reached_and_a_clear_empties_what_is_left(bot: Bot, call: Begin) -> None:
    await call()
    for _frame in range(10):
        await bot.send(bytes(FRAME))
    await bot.send({"action": "notify", "payload": {"sentence": 1}})
    await eventually(lambda: bot.told("websocket:notify"))
    assert bot.told("websocket:notify")[0]["payload"] == {"sentence": 1}
    for _frame in range(500):
        await bot.send(bytes(FRAME))
    await bot.send({"action": "notify", "payload": {"sentence": 2}})
    await bot.send({"action": "clear"})
    await eventually(lambda: bot.told("websocket:cleared"))
    assert len(bot.told("websocket:notify")) == 1


async def test_keys_are_told(bot: Bot, call: Begin) -> None:
    caller = await call()
    await caller.do("key", digit="5")
    (told,) = await eventually(lambda: bot.told("websocket:dtmf"))
    assert (told["digit"], told["duration"]) == ("5", 260)


async def test_a_frame_of_another_size_ends_the_socket_abruptly(bot: Bot, call: Begin, application: Application) -> None:
    await call()
    await bot.send(bytes(FRAME // 2))
    await eventually(lambda: bot.closed_with == 1006)
    await eventually(lambda: any(body["status"] == "disconnected" for body in application.bodies("socket-events")))


async def test_a_socket_that_the_application_closes_is_told_and_the_answer_is_done(bot: Bot, call: Begin, application: Application) -> None:
    caller = await call()
    application.will("socket-events", [{"action": "talk", "text": "The machine is gone."}, *BUSY])
    assert bot.connection is not None
    await bot.connection.close()
    await caller.until_heard("The machine is gone.")
    (event,) = [body for body in application.bodies("socket-events") if body["status"] == "disconnected"]
    assert event["headers"] == {"call": "one"}


async def test_a_socket_that_is_hung_up_on_by_request_is_not_told_as_disconnected(bot: Bot, call: Begin, application: Application) -> None:
    caller = await call()
    leg = application.bodies("socket-events")[0]["uuid"]
    assert (await rest("PUT", f"/v1/calls/{leg}", {"action": "hangup"})).status_code == 204
    await caller.until_over()
    await eventually(lambda: bot.closed_with == 1000)
    assert not [body for body in application.bodies("socket-events") if body["status"] == "disconnected"]


async def test_a_socket_that_cannot_be_reached_is_unanswered_and_the_call_goes_on(application: Application) -> None:
    asked = {"type": "websocket", "uri": "ws://127.0.0.1:1/", "content-type": "audio/l16;rate=8000"}
    connect = {"action": "connect", "endpoint": [asked], "eventType": "synchronous", "eventUrl": [f"{application.url}/socket-events/"]}
    application.will("socket-events", None)
    caller = await dial(application, [connect, {"action": "talk", "text": "Going on."}, *BUSY])
    await caller.until_heard("Going on.")
    assert application.bodies("socket-events")[-1]["status"] == "unanswered"


@pytest.mark.parametrize(
    ("asked", "begins"), [({"type": "custom", "value": "Bearer secret"}, "Bearer secret"), ({"type": "vonage"}, "Bearer ey")]
)
async def test_the_handshake_is_authorised_as_asked(bot: Bot, call: Begin, asked: dict[str, str], begins: str) -> None:
    await call(authorization=asked)
    assert bot.authorization.startswith(begins)


async def test_the_sizes_of_all_rates(bot: Bot, call: Begin) -> None:
    await call(**{"content-type": "audio/l16;rate=24000"})
    await asyncio.sleep(0)
    assert {len(frame) for frame in bot.frames} == {960}
