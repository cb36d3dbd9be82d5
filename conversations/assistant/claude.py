"""Claude, by Anthropic's library; nothing else imports it. One request at a time, streamed; every way to fail is a ModelFailed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from typing import Any, Final
from weakref import WeakKeyDictionary

import anthropic
from django.conf import settings

from conversations.assistant.model.exchange import Answered, Asked, ModelFailed, ToolCall, Usage

CONNECT_SECONDS: Final = 3.0
BY_WORD: Final = {
    "rate_limit_error": "rate_limited",
    "overloaded_error": "overloaded",
    "api_error": "provider_error",
    "timeout_error": "provider_error",
    "authentication_error": "refused_key",
    "permission_error": "refused_key",
    "billing_error": "refused_key",
}
BY_STATUS: Final = {408: "provider_error", 429: "rate_limited", 529: "overloaded"} | dict.fromkeys((401, 402, 403), "refused_key")
COUNTED: Final = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
"""In the order of `Usage`."""
Clients = dict[tuple[str, str], anthropic.AsyncAnthropic]
_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Clients] = WeakKeyDictionary()


class Claude:
    """The provider, as the settings name it."""

    async def ask(self, asked: Asked) -> AsyncGenerator[str | Answered, None]:
        """See `exchange.Provider`."""
        ends_at = time.monotonic() + asked.seconds
        stream, answer = None, _Answer()
        try:
            async with asyncio.timeout(min(asked.silence, asked.seconds)):
                # The library's own reading of a whole answer costs twice as much as the events do.
                stream = await _client().messages.create(  # type: ignore[call-overload]  # plain JSON, as the wire has it
                    model=asked.model,
                    max_tokens=asked.max_tokens,
                    system=asked.system,
                    tools=asked.tools,
                    messages=asked.messages,
                    output_config={"effort": asked.effort},
                    tool_choice={"type": "tool", "name": asked.must_call} if asked.must_call else anthropic.omit,
                    timeout=anthropic.Timeout(asked.seconds, connect=CONNECT_SECONDS),
                    stream=True,
                )
            events = aiter(stream)
            while (event := await _next(events, ends_at, asked.silence)) is not None:
                if words := answer.take(event):
                    yield words
            yield answer.whole(stream.response.headers.get("request-id", ""))
        except ModelFailed:
            raise
        except TimeoutError:
            raise ModelFailed("timed_out") from None
        except anthropic.APIError as problem:
            raise _failed(problem) from None
        except Exception as problem:
            # Whatever cannot be read: a stream that is none, events that are no JSON, a connection that breaks off.
            raise ModelFailed("broken_stream", type(problem).__name__) from problem
        finally:
            if stream is not None:
                await stream.close()


async def close() -> None:
    """Closes what the running event loop has open to the provider."""
    for client in _clients.pop(asyncio.get_running_loop(), {}).values():
        await client.close()


def _client() -> anthropic.AsyncAnthropic:
    """The running loop's client: connections belong to a loop, and are kept open between turns."""
    mine = _clients.setdefault(asyncio.get_running_loop(), {})
    wanted = (settings.ANTHROPIC_BASE_URL, settings.ANTHROPIC_API_KEY)
    if wanted not in mine:
        mine[wanted] = anthropic.AsyncAnthropic(
            base_url=settings.ANTHROPIC_BASE_URL,
            api_key=settings.ANTHROPIC_API_KEY,
            max_retries=0,
            timeout=CONNECT_SECONDS,
            # Reads a stream for half of what the library's usual client takes.
            http_client=anthropic.DefaultAioHttpClient(),
        )
    return mine[wanted]


async def _next(events: Any, ends_at: float, silence: float) -> Any:
    """The next event, None after the last."""
    try:
        async with asyncio.timeout(max(0.0, min(silence, ends_at - time.monotonic()))):
            return await anext(events)
    except StopAsyncIteration:
        return None


class _Answer:
    """An answer that is being written, put together from the provider's events."""

    def __init__(self) -> None:
        self._has_begun = False
        self._stop: str | None = None
        self._used: dict[str, int] = {}
        self._blocks: list[dict[str, Any]] = []
        self._arguments: dict[int, str] = {}

    def take(self, event: Any) -> str:
        """One event; returns the words in it. Raises what a stream that is none makes it."""
        if event.type == "message_start":
            self._has_begun = True
            self._count(event.message.usage)
        elif event.type == "content_block_start":
            self._blocks.append(event.content_block.to_dict())
        elif event.type == "content_block_delta":
            return self._add(event.index, event.delta)
        elif event.type == "message_delta":
            self._stop = event.delta.stop_reason
            self._count(event.usage)
        return ""

    def _add(self, index: int, delta: Any) -> str:
        block = self._blocks[index]
        if delta.type == "text_delta":
            block["text"] += delta.text
            return str(delta.text)
        if delta.type == "input_json_delta":
            self._arguments[index] = self._arguments.get(index, "") + delta.partial_json
        elif delta.type == "thinking_delta":
            block["thinking"] += delta.thinking
        elif delta.type == "signature_delta":
            block["signature"] = delta.signature
        return ""

    def _count(self, used: Any) -> None:
        """What is told at the end are totals; what is not told there stays as it was told at the beginning."""
        for name in COUNTED:
            if (tokens := getattr(used, name, None)) is not None:
                self._used[name] = tokens

    def whole(self, request_id: str) -> Answered:
        """The answer after its last event. Raises ModelFailed when that came too early."""
        if not self._has_begun:
            raise ModelFailed("broken_stream", "no answer began")
        if self._stop is None:
            # The library ends such a stream as if it were whole.
            raise ModelFailed("cut", "the stream ended before the answer did")
        calls, content, words = [], [], []
        for index, block in enumerate(self._blocks):
            told = block
            if block["type"] == "tool_use":
                arguments = _object(self._arguments.get(index, ""))
                calls.append(ToolCall(block["id"], block["name"], arguments))
                told = {"type": "tool_use", "id": block["id"], "name": block["name"], "input": arguments or {}}
            elif block["type"] == "text":
                words.append(block["text"])
                told = {"type": "text", "text": block["text"]}
            content.append(told)
        kept = [each for each in content if each["type"] != "text" or each["text"].strip()]
        usage = Usage(*(self._used.get(name, 0) for name in COUNTED))
        return Answered("".join(words).strip(), tuple(calls), self._stop, kept, usage, request_id)


def _object(written: str) -> dict[str, Any] | None:
    """Arguments as the model wrote them: what the library makes of half an object is not what was meant."""
    try:
        found = json.loads(written or "{}")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _failed(problem: anthropic.APIError) -> ModelFailed:
    if isinstance(problem, anthropic.APITimeoutError):
        return ModelFailed("timed_out")
    if isinstance(problem, anthropic.APIConnectionError):
        return ModelFailed("unreachable")
    if not isinstance(problem, anthropic.APIStatusError):
        return ModelFailed("broken_stream", type(problem).__name__)
    # An error inside a stream comes with status 200, so the word counts first.
    status = problem.status_code
    kind = BY_WORD.get(problem.type or "") or BY_STATUS.get(status) or ("provider_error" if status >= 500 else "bad_request")
    return ModelFailed(kind, f"{status} {problem.type or ''}".strip(), retry_after=_seconds(problem.response.headers.get("retry-after")))


def _seconds(written: str | None) -> float | None:
    try:
        return float(written) if written else None
    except ValueError:
        return None
