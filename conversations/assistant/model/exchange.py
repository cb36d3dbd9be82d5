"""One request to a language model and what came of it, as plain values: nothing here knows a provider's library."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

WORTH_A_SECOND_TRY: Final = frozenset({"unreachable", "rate_limited", "overloaded", "provider_error", "cut"})
PROVIDER_IS_DOWN: Final = WORTH_A_SECOND_TRY | {"timed_out", "broken_stream", "refused_key"}
"""Failures that say something of the provider and not of one request."""


class ModelFailed(Exception):
    """The model gave no answer that can be used. `kind` is a word for programs, `retry_after` seconds that the provider asked for."""

    def __init__(self, kind: str, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind
        self.detail = detail
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. `silence` and `seconds` are how long nothing at all, and the whole answer, may take; `must_call` names the tool that
    the answer has to be a call of, when it has to."""

    model: str
    effort: str
    system: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    max_tokens: int
    seconds: float
    silence: float
    must_call: str = ""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model asks for; `arguments` are None when they were no JSON object."""

    id: str
    name: str
    arguments: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens by price."""

    fresh: int = 0
    output: int = 0
    cache_read: int = 0
    cache_written: int = 0


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole answer. `content` is what is sent back when the exchange goes on."""

    text: str
    calls: tuple[ToolCall, ...]
    stop: str
    content: list[dict[str, Any]]
    usage: Usage
    request_id: str


class Provider(Protocol):
    """Who runs the model."""

    def ask(self, asked: Asked) -> AsyncGenerator[str | Answered, None]:
        """Words as they are written, then the whole answer. Raises ModelFailed."""
        ...
