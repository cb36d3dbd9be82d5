"""What an attacker has in hand: browsers, phones, mail and texts of their own; and everything that they are shown or told."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from channels.db import database_sync_to_async
from django.core import mail
from django.test import AsyncClient

from conversations.models import HostSiteKey, SentText
from tests.attacks.victim import Victim
from tests.support.locks import until
from tests.support.sockets import Frame, Widget, open_widget
from tests.support.turns import nothing_owed
from tests.voice.platform import COMPANY, Caller, now_text, post_async, words_of
from tests.voice.rest_side import Platform

ONE_BY_ONE = ("welcome", "error", "refused", "start_over", "phone_code", "calling", "identity", "session")
"""Frames that say something besides entries and are awaited, so that their order is no accident."""

@dataclass
class Scene:
    """One attack as it goes: what the attacker has sent and got. `victim` is None when there is no such customer."""

    platform: Platform
    key: HostSiteKey
    victim: Victim | None
    sent: list[str] = field(default_factory=list)
    got: list[str] = field(default_factory=list)
    seen: list[Any] = field(default_factory=list)

    def note(self, raw: str, shown: Any) -> None:
        """Keeps something that reached the attacker: as it came, and as it reads."""
        self.got.append(raw)
        self.seen.append(shown)

    @asynccontextmanager
    async def chat(self, *, entry_point: str = "/harborhome", **hello: Any) -> AsyncIterator[Chat]:
        """A browser of the attacker's on the company's page, after its hello."""
        async with open_widget(entry_point) as widget:
            chat = Chat(self, widget)
            self.sent += [str(value) for value in hello.values()]
            await widget.hello(**hello)
            try:
                yield chat
            finally:
                self.note(json.dumps(widget.frames), chat.transcript())

    async def call(self, number: str | None) -> Phone:
        """A call that shows this number, whoever makes it; it was answered."""
        phone = Phone(self, Caller(number=number.removeprefix("+") if number else None))
        self.sent.append(number or "")
        phone.greeting = await phone.posts("/voice/answer/", phone.caller.answer())
        return phone

    async def text(self, sender: str, words: str) -> str:
        """A text message that shows this number, whoever writes it; returns what was answered there, which they read."""
        self.sent += [sender, words]
        before = len(self.texted(sender))
        body = {
            "channel": "sms", "message_type": "text", "message_uuid": str(uuid4()), "to": COMPANY, "from": sender.removeprefix("+"),
            "timestamp": now_text(), "text": words,
        }  # fmt: skip
        response = await post_async("/voice/text/", body)
        assert response.status_code == 204, response.content
        await nothing_owed()
        await in_thread(until)(lambda: not SentText.objects.filter(state="waiting").exists() and len(self.texted(sender)) > before)
        answered = self.texted(sender)[before:]
        self.note(json.dumps(answered), answered)
        return " ".join(answered)

    async def page(self, method: str, path: str, data: dict[str, Any] | None = None, *, browser: AsyncClient | None = None) -> Any:
        """A page that the attacker asks for; the answer, which is kept."""
        self.sent += [path, *map(str, (data or {}).values())]
        client = browser or AsyncClient()
        response = await (client.post(path, data or {}) if method == "POST" else client.get(path))
        body = response.content.decode() if hasattr(response, "content") else ""
        self.note(f"{dict(response.items())} {body}", [response.status_code, body])
        return response

    def mailed_code(self, address: str) -> str:
        """The code in the last mail to an address of the attacker's own, or of the victim when they take part."""
        return code_in(next(each.body for each in reversed(mail.outbox) if address in each.to))

    def texted(self, number: str) -> list[str]:
        """The text messages that reached a number."""
        return [each["text"] for each in self.platform.texts() if each["to"] == number.removeprefix("+")]


@dataclass
class Chat:
    """One browser tab of the attacker's."""

    scene: Scene
    widget: Widget

    async def says(self, text: str) -> str:
        """Writes something and returns the words that were answered; "" when it was refused or there was no answer."""
        before = {entry["seq"] for entry in self.widget.entries}
        self.scene.sent.append(text)
        await self.widget.send(type="message", client_id=uuid4().hex, text=text)
        frame = await self.widget.wait_for(lambda frame: frame["type"] in ("ack", "refused", "start_over"))
        if frame["type"] != "ack":
            return ""
        await nothing_owed()
        await self.reads()
        new = (entry for entry in self.widget.entries if entry["seq"] not in before and entry["kind"] == "message")
        return " ".join(entry["body"] for entry in new if entry["actor_kind"] != "customer")

    async def reads(self) -> list[Frame]:
        """Asks for everything there is to see, and waits until it has come: a frame that is none is refused after it."""
        await self.widget.send(type="resume", after=0)
        await self.widget.send(type="that is all")
        await self.widget.wait_for(lambda frame: frame["type"] in ("start_over", "error"))
        return self.widget.entries

    async def sends(self, *wanted: str, **frame: Any) -> Frame:
        """Sends any frame and waits for one of the wanted types."""
        self.scene.sent += [str(value) for value in frame.values()]
        await self.widget.send(**frame)
        return await self.widget.wait_for(lambda came: came["type"] in wanted)

    def transcript(self) -> list[Any]:
        """What the attacker read, in order, without what differs each time."""
        words = [(entry["kind"], entry["actor_kind"], entry["actor_name"], entry["body"], entry["data"]) for entry in self.widget.entries]
        return [[_plain_frame(frame) for frame in self.widget.frames if frame["type"] in ONE_BY_ONE], words]


@dataclass
class Phone:
    """One call of the attacker's."""

    scene: Scene
    caller: Caller
    greeting: str = ""

    async def says(self, *readings: str) -> str:
        """Says something, as the platform heard it; returns what is said back."""
        self.scene.sent += readings
        return await self.posts("/voice/input/", self.caller.said(*readings))

    async def keys(self, digits: str) -> str:
        """Keys something in; returns what is said back."""
        self.scene.sent.append(digits)
        return await self.posts("/voice/input/", self.caller.keyed(digits))

    async def hangs_up(self) -> None:
        """Ends the call."""
        await post_async("/voice/event/", self.caller.event("completed"))

    async def posts(self, path: str, body: dict[str, Any]) -> str:
        """Has the platform post a webhook; returns the words of the answer."""
        response = await post_async(path, body)
        assert response.status_code == 200, response.content
        await nothing_owed()
        words = words_of(response.json())
        self.scene.note(response.content.decode(), words)
        return words


def _plain_frame(frame: Frame) -> Frame:
    dropped = ("token", "session", "code", "expires_at", "client_id")
    return {name: value for name, value in frame.items() if name not in dropped or frame["type"] in ("error", "refused")}


def code_in(text: str) -> str:
    """The six digits of a message."""
    found = re.search(r"\b\d{6}\b", text)
    assert found, text
    return found[0]


def wrong(code: str, by: int = 7) -> str:
    """Another code."""
    return f"{(int(code) + by) % 10**6:06d}"


in_thread = database_sync_to_async
