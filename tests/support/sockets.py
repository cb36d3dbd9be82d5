"""A customer's widget as a test sees it: a socket to the real application, without a network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from asgiref.testing import ApplicationCommunicator

from conversations.services import async_connections

PATIENCE_SECONDS = 15.0
Frame = dict[str, Any]


class Socket:
    """One websocket to the real application.

    Built on asgiref's communicator: the one of channels.testing keeps database connections open, and a pool runs dry.
    """

    def __init__(self, path: str, query: str = "", headers: list[tuple[bytes, bytes]] | None = None) -> None:
        from cxhub.asgi import application

        scope = {
            "type": "websocket",
            "path": path,
            "query_string": query.encode(),
            "client": ("127.0.0.1", 50_000),
            "headers": headers or [],
            "subprotocols": [],
        }
        self.communicator = ApplicationCommunicator(application, scope)

    async def connect(self) -> bool:
        """Whether the application took the socket."""
        await self.communicator.send_input({"type": "websocket.connect"})
        return bool((await self.communicator.receive_output(PATIENCE_SECONDS))["type"] == "websocket.accept")

    async def send_text(self, text: str) -> None:
        await self.communicator.send_input({"type": "websocket.receive", "text": text})

    async def send_bytes(self, data: bytes) -> None:
        await self.communicator.send_input({"type": "websocket.receive", "bytes": data})

    async def receive(self) -> Frame:
        """The next frame. Raises SocketClosed, with the code, when the application closed."""
        output = await self.communicator.receive_output(PATIENCE_SECONDS)
        if output["type"] == "websocket.close":
            raise SocketClosed(output.get("code", 1000))
        return dict(json.loads(output["text"]))

    async def close(self) -> None:
        """Leaves, and waits until the application has noticed."""
        await self.communicator.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.communicator.wait(PATIENCE_SECONDS)


class SocketClosed(Exception):
    """The application closed the socket."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Widget:
    """One open chat socket. `frames` keeps everything that came, in order."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.frames: list[Frame] = []
        self.welcome: Frame = {}

    async def hello(
        self,
        *,
        token: str | None = None,
        session: str | None = None,
        conversation: str | None = None,
        after: int = 0,
        identity: str | None = None,
    ) -> Frame:
        """Says hello and waits for the welcome and the entries that follow it; `identity` is a host site's token."""
        await self.send(type="hello", token=token, session=session, conversation=conversation, after=after, identity=identity)
        self.welcome = await self.wait_for(lambda frame: frame["type"] == "welcome")
        await self.wait_for(lambda frame: frame["type"] == "entries")
        return self.welcome

    async def send(self, **frame: Any) -> None:
        await self.socket.send_text(json.dumps(frame))

    async def say(self, text: str, *, client_id: str) -> Frame:
        """Sends a message and returns its ack or refusal."""
        await self.send(type="message", client_id=client_id, text=text)
        return await self.wait_for(lambda frame: frame["type"] in ("ack", "refused") and frame.get("client_id") == client_id)

    async def wait_for(self, wanted: Callable[[Frame], bool]) -> Frame:
        """The next frame that fits; what comes before it is kept in `frames`."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                frame = await self.socket.receive()
                self.frames.append(frame)
                if wanted(frame):
                    return frame

    async def wait_for_entry(self, wanted: Callable[[Frame], bool]) -> Frame:
        """The next entry that fits, among those already shown too."""
        for entry in self.entries:
            if wanted(entry):
                return entry
        while True:
            frame = await self.wait_for(lambda frame: bool(_entries_of(frame)))
            for entry in _entries_of(frame):
                if wanted(entry):
                    return dict(entry)

    @property
    def entries(self) -> list[Frame]:
        """Every entry shown so far, once, in order."""
        shown = {entry["seq"]: entry for frame in self.frames for entry in _entries_of(frame)}
        return [shown[seq] for seq in sorted(shown)]


def _entries_of(frame: Frame) -> list[Frame]:
    """The entries a frame shows: those pushed or read, or one's own message with its ack."""
    return list(frame.get("entries") or ([frame["entry"]] if frame.get("entry") else []))


@asynccontextmanager
async def open_widget(
    entry_point: str = "/harborhome", *, origin: str | None = None, forwarded_for: str | None = None
) -> AsyncIterator[Widget]:
    """A connected socket, closed at the end together with the connections of this event loop."""
    try:
        async with one_of_many_widgets(entry_point, origin=origin, forwarded_for=forwarded_for) as widget:
            yield widget
    finally:
        await async_connections.close()


@asynccontextmanager
async def one_of_many_widgets(
    entry_point: str = "/harborhome", *, origin: str | None = None, forwarded_for: str | None = None
) -> AsyncIterator[Widget]:
    """A connected socket among others on the same event loop; who opens them calls `async_connections.close` after the last."""
    named = {"host": "testserver", "origin": origin, "x-forwarded-for": forwarded_for}
    headers = [(name.encode(), value.encode()) for name, value in named.items() if value]
    socket = Socket("/ws/chat/", f"entry_point={entry_point}", headers)
    if not await socket.connect():
        raise ConnectionRefusedError(entry_point)
    try:
        yield Widget(socket)
    finally:
        await socket.close()
