"""What the stand-in does with one request: an answer, or a way in which a provider fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Final

PROVIDERS_WORDS: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
LONG: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Text:
    """Words that are streamed in pieces."""

    words: str


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that is asked for. `written` stands in for the arguments as JSON when they are to be broken."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    written: str | None = None

    @property
    def as_written(self) -> str:
        """The arguments as they go over the wire."""
        return json.dumps(self.arguments) if self.written is None else self.written


@dataclass(slots=True)
class Gate:
    """A place at which the stand-in waits until it is let on: `reached` says that it is there."""

    reached: Event = field(default_factory=Event)
    passed: Event = field(default_factory=Event)


@dataclass(frozen=True, slots=True)
class Scene:
    """One answer. Without `status` 200 it is an error with the provider's word for it and `headers`.

    `first_seconds` pass before anything is sent, `piece_seconds` before each piece of text. After `cut_after` events the
    connection is cut, after `error_after` events an error is streamed, after `gate_after` events `gate` is waited for.
    `raw` is sent instead of events.
    """

    blocks: tuple[Text | Call, ...] = ()
    stop: str = "end_turn"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    first_seconds: float = 0.0
    piece_seconds: float = 0.0
    cut_after: int | None = None
    error_after: int | None = None
    gate_after: int | None = None
    gate: Gate | None = None
    raw: str = ""


def says(words: str, *calls: Call, **how: Any) -> Scene:
    """An answer in words, with tools asked for after them."""
    return Scene((Text(words), *calls) if words else calls, stop="tool_use" if calls else "end_turn", **how)


def calls(*wanted: Call, **how: Any) -> Scene:
    """Nothing but tools that are asked for."""
    return Scene(wanted, stop="tool_use", **how)


def refuses_with(status: int, **headers: str) -> Scene:
    """An error instead of an answer."""
    return Scene(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})


WORDS: Final = "We open at 8 am on weekdays, as far as I can see."
FAULTS: Final[Mapping[str, Callable[[], Scene]]] = {
    "rate_limit": lambda: refuses_with(429, retry_after="30"),
    "overloaded": lambda: refuses_with(529),
    "server_error": lambda: refuses_with(500),
    "wrong_key": lambda: refuses_with(401),
    "bad_request": lambda: refuses_with(400),
    "silence": lambda: says(WORDS, first_seconds=LONG),
    "silence_half_way": lambda: says(WORDS, gate_after=5, gate=Gate()),
    "cut_before_text": lambda: says(WORDS, cut_after=1),
    "cut_after_text": lambda: says(WORDS, cut_after=6),
    "error_in_stream": lambda: says(WORDS, error_after=6),
    "refusal": lambda: Scene((Text("I"),), stop="refusal"),
    "max_tokens": lambda: Scene((Text(WORDS),), stop="max_tokens"),
    "max_tokens_in_a_call": lambda: Scene((Call("search_knowledge", {"query": "hours"}),), stop="max_tokens"),
    "empty": Scene,
    "nonsense": lambda: Scene(raw="<html>Bad gateway</html>"),
    "broken_events": lambda: Scene(raw='event: message_start\ndata: {"type": "mess\n\n'),
    "unknown_tool": lambda: calls(Call("delete_everything", {"why": "fun"})),
    "invalid_json": lambda: calls(Call("search_knowledge", written='{"query": "opening hou')),
    "wrong_types": lambda: calls(Call("search_knowledge", {"query": 7, "limit": "all"})),
}
"""Every way to fail, each made anew, by a name for the command line and for tests."""
