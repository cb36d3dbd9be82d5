"""The chat socket's frames: what the widget may send, and why a frame is refused.

See "The chat socket" in docs/architecture.md.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

MAX_CHARACTERS = 4000
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Refused(Exception):
    """A frame that cannot be taken: a code for the widget and a reason for the customer."""

    def __init__(self, code: str, reason: str, client_id: str | None = None) -> None:
        super().__init__(reason)
        self.code, self.reason, self.client_id = code, reason, client_id


@dataclass(frozen=True, slots=True)
class Hello:
    """The first frame: who the browser is, and where it stopped reading: after which seq of which conversation.

    `ticket` comes from a link that was opened, and says who the browser is from now on; `identity` is a host site's token that
    says who sits in front of it.
    """

    token: str | None
    session: str | None
    conversation: str | None
    after: int
    ticket: str | None = None
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class Identify:
    """The customer signed in on the host site, and this is its token."""

    jwt: str


@dataclass(frozen=True, slots=True)
class SignOut:
    """The customer has left this browser."""


@dataclass(frozen=True, slots=True)
class Say:
    """A message; `client_id` is the same however often it is sent."""

    client_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Typing:
    """The customer is typing."""


@dataclass(frozen=True, slots=True)
class Resume:
    """The widget asks for everything after a seq."""

    after: int


@dataclass(frozen=True, slots=True)
class ContinueByPhone:
    """The widget asks for a number and a code."""


@dataclass(frozen=True, slots=True)
class CallMe:
    """The customer wants to be called on a number, as they typed it."""

    number: str


@dataclass(frozen=True, slots=True)
class Person:
    """The customer pressed the button for a person."""

    client_id: str


Frame = Hello | Identify | SignOut | Say | Typing | Resume | ContinueByPhone | CallMe | Person
WITHOUT_CONTENT: dict[str, type[SignOut | Typing | ContinueByPhone]] = {
    "sign_out": SignOut,
    "typing": Typing,
    "continue_by_phone": ContinueByPhone,
}


def parse(text: str | None, binary: bytes | None = None) -> Frame:
    """One frame of the widget. Raises Refused with what was wrong and what to do."""
    if text is None:
        raise Refused("not_text", _("Only text frames are understood here."))
    if len(text) > settings.CHAT_MAX_MESSAGE_BYTES or len(text.encode(errors="replace")) > settings.CHAT_MAX_MESSAGE_BYTES:
        raise Refused("too_long", _("This message is too long. Please send at most 4,000 characters at a time."))
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused("not_json", _("This frame is not JSON.")) from None
    if not isinstance(data, dict):
        raise Refused("not_json", _("A frame is a JSON object with a “type”."))
    kind = data.get("type")
    if isinstance(kind, str) and kind in WITHOUT_CONTENT:
        return WITHOUT_CONTENT[kind]()
    match kind:
        case "message":
            return _say(data)
        case "hello":
            return _hello(data)
        case "identify":
            return Identify(_token(data.get("jwt")) or "")
        case "resume":
            return Resume(_seq(data.get("after")))
        case "call_me":
            return CallMe(_short(data.get("number"), 40) or "")
        case "person":
            return Person(_client_id(data))
        case _:
            raise Refused("unknown_type", _("This kind of frame is not known here."))


def _hello(data: dict[str, Any]) -> Hello:
    return Hello(
        _short(data.get("token"), 4000),
        _short(data.get("session"), 100),
        _short(data.get("conversation"), 32),
        _seq(data.get("after")),
        _short(data.get("ticket"), 4000),
        _token(data.get("identity")),
    )


def _say(data: dict[str, Any]) -> Say:
    client_id = _client_id(data)
    text = data.get("text")
    if not isinstance(text, str):
        raise Refused("no_text", _("A message needs a text."), client_id)
    text = text.replace("\x00", "").strip()
    if not text:
        raise Refused("empty", _("This message is empty. Please type something first."), client_id)
    if len(text) > MAX_CHARACTERS:
        raise Refused("too_long", _("This message is too long. Please send at most 4,000 characters at a time."), client_id)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refused("not_unicode", _("This message holds characters that are not valid."), client_id) from None
    return Say(client_id, text)


def _client_id(data: dict[str, Any]) -> str:
    client_id = data.get("client_id")
    if not isinstance(client_id, str) or not _CLIENT_ID.fullmatch(client_id):
        raise Refused("no_client_id", _("A message needs a client_id of at most 64 letters, digits, “-” or “_”."))
    return client_id


def _token(value: Any) -> str | None:
    """A host site's token, whatever its length; what is no text is an unusable one."""
    return value if isinstance(value, str) or value is None else ""


def _short(value: Any, longest: int) -> str | None:
    return value if isinstance(value, str) and len(value) <= longest else None


def _seq(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else 0
