"""The server's side of the chat socket, for tests of what the widget shows and of what it does when things go wrong.

It speaks the protocol of docs/architecture.md ("The chat socket") and does nothing by itself that a test did not ask for,
but for the welcome and, unless told otherwise, storing and acknowledging what the customer says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Page, WebSocketRoute

GREETING = "Hello, I am the AI agent of Harbor Home Services. How can I help?"
CONVERSATION = "5d2f3c4b0a9847e6b1c2d3e4f5a6b7c8"
BEGIN = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


class ChatDouble:
    """One conversation and the sockets that watch it."""

    def __init__(self, greeting: str = GREETING) -> None:
        self.greeting = greeting
        self.entries: list[dict[str, Any]] = []
        self.received: list[dict[str, Any]] = []
        self.sockets: list[WebSocketRoute] = []
        self.stores = True
        self.acknowledges = True
        self.accepts = True
        self.refuses: dict[str, str] | None = None
        self.welcome: dict[str, Any] = {"state": {"owner": "assistant", "name": ""}, "open": True}
        self.answer_phone: dict[str, Any] | None = None
        self.answer_call: dict[str, Any] | None = None

    def serve(self, page: Page) -> ChatDouble:
        """Answers the page's chat sockets from now on."""
        page.route_web_socket(re.compile(r"/ws/chat/"), self._connected)
        return self

    # ---- What a test makes the server do

    def say(self, body: str = "", *, kind: str = "message", actor: str = "assistant", name: str = "Harbor", **more: Any) -> dict[str, Any]:
        """Appends an entry and pushes it to every socket. `more`: data, channel, redacted."""
        entry = self.append(body, kind=kind, actor=actor, name=name, **more)
        self.push({"type": "entries", "conversation": CONVERSATION, "entries": [entry], "upto": entry["seq"]})
        return entry

    def append(
        self, body: str = "", *, kind: str = "message", actor: str = "assistant", name: str = "Harbor", **more: Any
    ) -> dict[str, Any]:
        entry = {
            "seq": len(self.entries) + 1,
            "kind": kind,
            "actor_kind": actor,
            "actor_name": name,
            "body": body,
            "data": {},
            "audience": "everyone",
            "interaction": "11111111-1111-4111-8111-111111111111",
            "channel": "chat",
            "occurred_at": (BEGIN + timedelta(seconds=len(self.entries))).isoformat(),
            "redacted": False,
            **more,
        }
        self.entries.append(entry)
        return entry

    def push(self, frame: dict[str, Any]) -> None:
        for socket in self.sockets:
            socket.send(json.dumps(frame))

    def cut(self) -> None:
        """Closes every line as a lost network does."""
        sockets, self.sockets = self.sockets, []
        for socket in sockets:
            socket.close(code=1001)

    # ---- What a test asks

    def got(self, kind: str) -> list[dict[str, Any]]:
        """The frames of one type that the widget has sent so far."""
        return [frame for frame in self.received if frame["type"] == kind]

    def said(self) -> list[str]:
        """What customers said, as stored."""
        return [entry["body"] for entry in self.entries if entry["actor_kind"] == "customer"]

    # ---- The protocol

    def _connected(self, socket: WebSocketRoute) -> None:
        socket.on_message(lambda text: self._take(socket, json.loads(text)))
        if not self.accepts:
            socket.close(code=1013)

    def _take(self, socket: WebSocketRoute, frame: dict[str, Any]) -> None:
        self.received.append(frame)
        answers: dict[str, Callable[[], None]] = {
            "hello": lambda: self._hello(socket, frame),
            "resume": lambda: self._entries(socket, frame["after"]),
            "message": lambda: self._message(socket, frame, frame.get("text", "")),
            "person": lambda: self._message(socket, frame, "I would like to talk to a person."),
            "call_me": lambda: socket.send(json.dumps(self.answer_call)) if self.answer_call else None,
            "identify": lambda: self._be(socket, "signed-in"),
            "sign_out": lambda: self._be(socket, "somebody-new"),
            "continue_by_phone": lambda: socket.send(json.dumps(self.answer_phone)) if self.answer_phone else None,
        }
        answers.get(frame["type"], lambda: None)()

    def _hello(self, socket: WebSocketRoute, frame: dict[str, Any]) -> None:
        self.sockets.append(socket)
        welcome = {
            "type": "welcome",
            "token": frame["token"] or "token-1",
            "session": frame["session"] or "session-1",
            "company": "Harbor Home Services",
            "greeting": self.greeting,
            **self.welcome,
        }
        socket.send(json.dumps(welcome))
        self._entries(socket, frame["after"])

    def _be(self, socket: WebSocketRoute, visitor: str) -> None:
        """The browser is another visitor from now on; whose history was shown, their history is over when they left."""
        self.entries = [] if visitor == "somebody-new" else self.entries
        self._hello(socket, {"token": f"token-{visitor}", "session": f"{visitor}.1", "after": 0})

    def _entries(self, socket: WebSocketRoute, after: int) -> None:
        fresh = [entry for entry in self.entries if entry["seq"] > after]
        socket.send(json.dumps({"type": "entries", "conversation": CONVERSATION, "entries": fresh, "upto": len(self.entries)}))

    def _message(self, socket: WebSocketRoute, frame: dict[str, Any], text: str) -> None:
        client_id = frame["client_id"]
        if self.refuses:
            socket.send(json.dumps({"type": "refused", "client_id": client_id, **self.refuses}))
            return
        known = next((entry for entry in self.entries if entry["data"].get("client_id") == client_id), None)
        if not known and self.stores:
            known = self.append(text, actor="customer", name="", data={"client_id": client_id})
        if known and self.acknowledges:
            self.push({"type": "entries", "conversation": CONVERSATION, "entries": [known], "upto": known["seq"]})
            socket.send(json.dumps({"type": "ack", "client_id": client_id, "seq": known["seq"]}))
