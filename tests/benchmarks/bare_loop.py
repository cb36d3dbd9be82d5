"""The floor of `turn_overhead`: the least that asks a model and reads its answer, with the library that the product uses."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import anthropic

from tests.benchmarks.stamps import seconds_since

REQUEST = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 900,
    "system": "You answer the customers of a company.",
    "messages": [{"role": "user", "content": "Do you repair boilers of that make, and on which days?"}],
}


async def turns(url: str, driven: Callable[[Any], Awaitable[list[tuple[float, float]]]]) -> list[tuple[float, float]]:
    """Seconds of whole answers, and to their first words, as `driven` asks for them."""
    async with anthropic.AsyncAnthropic(base_url=url, api_key="stand-in", max_retries=0) as client:

        async def make(_number: int) -> Callable[[], Awaitable[tuple[float, float]]]:
            async def turn() -> tuple[float, float]:
                began, first = time.monotonic(), None
                async with client.messages.stream(**REQUEST) as stream:
                    async for words in stream.text_stream:
                        if first is None:
                            first = seconds_since(words)
                assert first is not None
                return time.monotonic() - began, first

            return turn

        return await driven(make)
