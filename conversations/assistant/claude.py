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
Clients = dict[tuple[str, str], anthropic.AsyncAnthropic]
_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Clients] = WeakKeyDictionary()


class Claude:
    """The provider, as the settings name it."""

    async def ask(self, asked: Asked) -> AsyncGenerator[str | Answered, None]:
        """See `exchange.Provider`."""
        ends_at = time.monotonic() + asked.seconds
        stream = None
        written: dict[int, str] = {}
        try:
            manager = _client().messages.stream(
                model=asked.model,
                max_tokens=asked.max_tokens,
                system=asked.system,  # type: ignore[arg-type]  # plain JSON, as the wire has it
                tools=asked.tools,  # type: ignore[arg-type]
                messages=asked.messages,  # type: ignore[arg-type]
                output_config={"effort": asked.effort},  # type: ignore[arg-type]
                tool_choice={"type": "tool", "name": asked.must_call} if asked.must_call else anthropic.omit,
                timeout=asked.seconds,
            )
            async with asyncio.timeout(min(asked.silence, asked.seconds)):
                stream = await manager.__aenter__()
            events = aiter(stream)
            while (event := await _next(events, ends_at, asked.silence)) is not None:
                if event.type == "text":
                    yield event.text
                elif event.type == "content_block_delta" and event.delta.type == "input_json_delta":
                    written[event.index] = written.get(event.index, "") + event.delta.partial_json
            yield _answered(stream.current_message_snapshot, written, stream.request_id or "")
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
            base_url=settings.ANTHROPIC_BASE_URL, api_key=settings.ANTHROPIC_API_KEY, max_retries=0, timeout=CONNECT_SECONDS
        )
    return mine[wanted]


async def _next(events: Any, ends_at: float, silence: float) -> Any:
    """The next event, None after the last."""
    try:
        async with asyncio.timeout(max(0.0, min(silence, ends_at - time.monotonic()))):
            return await anext(events)
    except StopAsyncIteration:
        return None


def _answered(message: Any, written: dict[int, str], request_id: str) -> Answered:
    if message.stop_reason is None:
        # The library ends such a stream as if it were whole.
        raise ModelFailed("cut", "the stream ended before the answer did")
    calls, content, words = [], [], []
    for index, block in enumerate(message.content):
        told = block.to_dict() if hasattr(block, "to_dict") else dict(block)
        if block.type == "tool_use":
            arguments = _object(written.get(index, ""))
            calls.append(ToolCall(block.id, block.name, arguments))
            told = {"type": "tool_use", "id": block.id, "name": block.name, "input": arguments or {}}
        elif block.type == "text":
            words.append(block.text)
            told = {"type": "text", "text": block.text}
        content.append(told)
    kept = [each for each in content if each["type"] != "text" or each["text"].strip()]
    used = message.usage
    usage = Usage(used.input_tokens or 0, used.output_tokens or 0, used.cache_read_input_tokens or 0, used.cache_creation_input_tokens or 0)
    return Answered("".join(words).strip(), tuple(calls), message.stop_reason, kept, usage, request_id)


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
