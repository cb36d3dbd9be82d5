"""What an agent's screen may say over its socket, checked before anything is done."""

import json
from dataclasses import dataclass
from uuid import UUID

LONGEST_FRAME = 4096
LARGEST_SEQ = 2**31 - 1


class NotUnderstood(ValueError):
    """A frame that says nothing we know; the text is meant for whoever wrote the client."""


@dataclass(frozen=True, slots=True)
class Open:
    """Watch this conversation from after a seq; any other one is no longer watched."""

    conversation: UUID
    after: int


@dataclass(frozen=True, slots=True)
class Resume:
    """Send again what comes after a seq of the watched conversation."""

    after: int


@dataclass(frozen=True, slots=True)
class Leave:
    """Watch nothing."""


@dataclass(frozen=True, slots=True)
class Typing:
    """The agent is writing to the customer of the watched conversation, or has stopped."""

    active: bool


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The screen is there."""


Command = Open | Resume | Leave | Typing | Heartbeat


def parse(text: str | None) -> Command:
    """The command in a text frame. Raises NotUnderstood."""
    if text is None or len(text) > LONGEST_FRAME:
        raise NotUnderstood(f"Send text frames of at most {LONGEST_FRAME} characters.")
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        raise NotUnderstood("Send JSON.") from None
    if not isinstance(frame, dict):
        raise NotUnderstood("Send a JSON object.")
    match frame.get("type"):
        case "open":
            return Open(_conversation(frame.get("conversation")), _seq(frame.get("after", 0)))
        case "resume":
            return Resume(_seq(frame.get("after")))
        case "leave":
            return Leave()
        case "typing":
            return Typing(bool(frame.get("active", True)))
        case "heartbeat":
            return Heartbeat()
    raise NotUnderstood("`type` must be open, resume, leave, typing or heartbeat.")


def _conversation(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise NotUnderstood("`conversation` must be a conversation's id.") from None


def _seq(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_SEQ:
        raise NotUnderstood("`after` must be a seq, 0 or more.")
    return value
