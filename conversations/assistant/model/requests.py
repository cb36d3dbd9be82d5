"""Requests to a language model within one budget of time and money, each noted in a record: for a turn, or for something written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings

from conversations.assistant.model import prices
from conversations.assistant.model.exchange import WORTH_A_SECOND_TRY, Answered, Asked, ModelFailed, Provider
from conversations.assistant.recording import TurnRecord

LONGEST_RETRY_WAIT: Final = 1.0
RETRY_WAIT: Final = 0.2
TRIAL_SILENCE: Final = 2.5
"""Seconds without a word from a provider that was down until now: the customer whose turn tries it is not to wait for it."""
USUAL_ENDS: Final = ("end_turn", "tool_use", "stop_sequence")


@dataclass(frozen=True, slots=True)
class Terms:
    """Which model is asked, how much it thinks, and for how long and how much it may write in all."""

    model: str
    effort: str
    seconds: float
    max_tokens: int


class Requests:
    """What `provider` is asked on these terms; the time runs from now on. `record` takes tokens, cost, times and answers."""

    def __init__(self, provider: Provider, terms: Terms, record: TurnRecord) -> None:
        self._provider = provider
        self._terms = terms
        self._record = record
        self._ends_at = time.monotonic() + terms.seconds
        record.model = terms.model

    async def ask(
        self, system: list[dict[str, Any]], tools: list[dict[str, Any]], messages: list[dict[str, Any]], *, must_call: str = ""
    ) -> AsyncGenerator[str | Answered, None]:
        """One request, tried once more when that may help and nothing of it was shown. `must_call` names a tool that it has to call.

        Words as they are written, then the whole answer, however it ended. Raises ModelFailed.
        """
        for attempt in (1, 2):
            shown = False
            try:
                async with aclosing(self._once(system, tools, messages, must_call)) as pieces:
                    async for piece in pieces:
                        shown = True
                        yield piece
                return
            except ModelFailed as problem:
                self._record.exchanges.append({"failed": str(problem)})
                wait = max(RETRY_WAIT, problem.retry_after or 0.0)
                is_worth_it = problem.kind in WORTH_A_SECOND_TRY and wait <= LONGEST_RETRY_WAIT and wait * 2 < self._left()
                if shown or attempt == 2 or not is_worth_it:
                    raise
            await asyncio.sleep(wait)

    async def answer(
        self, system: list[dict[str, Any]], tools: list[dict[str, Any]], messages: list[dict[str, Any]], *, must_call: str = ""
    ) -> Answered:
        """The whole answer to one request, for whoever shows nothing of it before. Raises ModelFailed, also when it ended too early."""
        whole = None
        async with aclosing(self.ask(system, tools, messages, must_call=must_call)) as pieces:
            async for piece in pieces:
                whole = piece if isinstance(piece, Answered) else whole
        return whole_answer(whole)

    async def _once(
        self, system: list[dict[str, Any]], tools: list[dict[str, Any]], messages: list[dict[str, Any]], must_call: str
    ) -> AsyncGenerator[str | Answered, None]:
        if self._left() <= 0:
            raise ModelFailed("timed_out", "the time is over")
        if self._record.cost >= settings.MODEL_TURN_BUDGET_CENTS / 100:
            raise ModelFailed("over_budget", f"{self._record.cost} USD")
        record, began = self._record, time.monotonic()
        asked = Asked(
            model=self._terms.model,
            effort=self._terms.effort,
            system=system,
            tools=tools,
            messages=messages,
            max_tokens=self._terms.max_tokens,
            seconds=self._left(),
            silence=min(TRIAL_SILENCE if record.is_trial else float(settings.MODEL_SILENCE_SECONDS), self._terms.seconds / 2),
            must_call=must_call,
        )
        first_token: float | None = None
        try:
            async with aclosing(self._provider.ask(asked)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Answered):
                        self._note(piece, time.monotonic() - began, first_token)
                    elif first_token is None:
                        first_token = time.monotonic() - began
                        if record.first_token is None:
                            record.first_token = time.monotonic() - record.began
                    yield piece
        finally:
            record.model_seconds += time.monotonic() - began

    def _note(self, answered: Answered, seconds: float, first_token: float | None) -> None:
        record, usage = self._record, answered.usage
        record.input_tokens += usage.fresh
        record.output_tokens += usage.output
        record.cache_read_tokens += usage.cache_read
        record.cache_write_tokens += usage.cache_written
        record.cost += prices.cost_of(record.model, usage)
        record.exchanges.append(
            {
                "answer": answered.content,
                "stop": answered.stop,
                "request_id": answered.request_id,
                "ms": round(seconds * 1000),
                "first_token_ms": None if first_token is None else round(first_token * 1000),
                "tokens": {
                    "input": usage.fresh,
                    "output": usage.output,
                    "cache_read": usage.cache_read,
                    "cache_write": usage.cache_written,
                },
            }
        )

    def _left(self) -> float:
        return self._ends_at - time.monotonic()


def whole_answer(answered: Answered | None) -> Answered:
    """An answer that came to its end as it should. Raises ModelFailed."""
    if answered is None:
        raise ModelFailed("cut", "the exchange ended without an answer")
    if answered.stop not in USUAL_ENDS:
        raise ModelFailed(answered.stop)
    return answered
