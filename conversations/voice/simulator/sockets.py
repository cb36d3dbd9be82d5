"""WebSocket legs: the platform's side of a socket that an application offers, frame by frame.

Source: Vonage, "WebSockets"; what happens to frames of another size and to more frames than fit is what was seen of the platform.
Twenty milliseconds a frame both ways, fifty frames a second also when nobody speaks: tones while somebody does, otherwise silence.
What the application sends is played at that pace, up to a buffer of a minute; a marker (`notify`) comes back when it is reached.
"""

import asyncio
import json
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from conversations.voice.simulator import exchange, posting
from conversations.voice.simulator.exchange import Exchange, Leg

FRAMES_PER_SECOND: Final = 50
MOST_FRAMES: Final = 3_072
CONNECT_SECONDS: Final = 5.0
PITCH: Final = 440
LOUDNESS: Final = 6_000
Tell = Callable[[str, dict[str, Any]], Awaitable[bool]]
_running: set[asyncio.Task[None]] = set()


def open_for(leg: Leg, tell: Tell) -> None:
    """Connect a leg to its socket, and keep the two together until one of them ends; `tell` has things happen to the leg."""
    task = asyncio.get_running_loop().create_task(_Socket(leg, tell).live())
    _running.add(task)
    task.add_done_callback(_running.discard)


async def close_all() -> None:
    """Let go of all sockets of this process."""
    for task in _running:
        task.cancel()
    await asyncio.gather(*_running, return_exceptions=True)


def frame_bytes(endpoint: dict[str, Any]) -> int:
    """The one size that a frame may have: 20 ms of 16-bit samples."""
    return int(endpoint["content-type"].rpartition("=")[2]) * 2 // FRAMES_PER_SECOND


class _Socket:
    """One leg's socket: what is to be played, and where the clock stands in it."""

    def __init__(self, leg: Leg, tell: Tell) -> None:
        self.leg, self.tell = leg, tell
        self.size = frame_bytes(leg["endpoint"])
        self.buffer: deque[dict[str, Any] | None] = deque()
        self.speech_until = 0.0
        self.step = 0

    async def live(self) -> None:
        endpoint = self.leg["endpoint"]
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await connect(endpoint["uri"], additional_headers=self._authorization(), proxy=None, max_size=2**20)
        except (OSError, InvalidHandshake, InvalidURI, TimeoutError):
            await self.tell(self.leg["uuid"], {"do": "not_answered", "status": "unanswered", "detail": "unavailable"})
            return
        await connection.send(
            json.dumps({"event": "websocket:connected", "content-type": endpoint["content-type"], **endpoint.get("headers", {})})
        )
        await self.tell(self.leg["uuid"], {"do": "answer"})
        clock = asyncio.ensure_future(self._play(connection))
        try:
            async for message in connection:
                if isinstance(message, bytes) and len(message) != self.size:
                    connection.transport.abort()
                    break
                await self._take(connection, message)
        except ConnectionClosed:
            pass
        finally:
            clock.cancel()
            await self.tell(self.leg["uuid"], {"do": "disconnected"})

    async def _take(self, connection: ClientConnection, message: str | bytes) -> None:
        if isinstance(message, bytes):
            if sum(each is None for each in self.buffer) < MOST_FRAMES:
                self.buffer.append(None)
            return
        try:
            asked = json.loads(message)
        except ValueError:
            return
        if asked.get("action") == "clear":
            self.buffer.clear()
            await connection.send(json.dumps({"event": "websocket:cleared"}))
        elif asked.get("action") == "notify":
            self.buffer.append({"event": "websocket:notify", "payload": asked.get("payload", {})})

    async def _play(self, connection: ClientConnection) -> None:
        """One frame each way every 20 ms, by the clock rather than by sleeping; ends when the leg is over."""
        began = time.monotonic()
        async with exchange.opened() as memory:
            while await self._is_live(memory):
                for message in await memory.for_socket(self.leg["uuid"]):
                    if message.get("speech_seconds"):
                        self.speech_until = time.monotonic() + message["speech_seconds"]
                    else:
                        await connection.send(json.dumps(message))
                due = int((time.monotonic() - began) * FRAMES_PER_SECOND)
                while self.step < due:
                    self.step += 1
                    await connection.send(self._frame())
                    await self._drain(connection)
                await asyncio.sleep(max(0.0, began + (self.step + 1) / FRAMES_PER_SECOND - time.monotonic()))
        await connection.close()

    async def _drain(self, connection: ClientConnection) -> None:
        """Play the next frame of the buffer, after the markers that stand before it."""
        while self.buffer and self.buffer[0] is not None:
            await connection.send(json.dumps(self.buffer.popleft()))
        if self.buffer:
            self.buffer.popleft()

    async def _is_live(self, memory: Exchange) -> bool:
        leg = await memory.leg(self.leg["uuid"])
        return leg is not None and leg["phase"] != "ended"

    def _frame(self) -> bytes:
        if time.monotonic() >= self.speech_until:
            return bytes(self.size)
        samples = self.size // 2
        rate = samples * FRAMES_PER_SECOND
        values = (round(LOUDNESS * math.sin(2 * math.pi * PITCH * (self.step * samples + each) / rate)) for each in range(samples))
        return b"".join(value.to_bytes(2, "little", signed=True) for value in values)

    def _authorization(self) -> dict[str, str]:
        """As the endpoint asks: none, a value of the application's own, or the token of webhooks. Source: Vonage, "NCCO reference"."""
        asked = self.leg["endpoint"].get("authorization") or {}
        if asked.get("type") == "custom":
            return {"Authorization": asked["value"]}
        return {"Authorization": posting.signed_headers(b"")["Authorization"]} if asked.get("type") == "vonage" else {}
