"""The model answers; when it cannot, the rules do, in the same turn and with the same tools.

What the model's tools have changed by then is not done again: the rules tell it, as they tell what a process that died left
behind. What was streamed of an answer that does not stand is taken off the customer's screen.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from conversations.assistant.brain import (
    TURNS_OWN,
    Brain,
    BrainEvent,
    HandOff,
    Reply,
    StartAgain,
    TextDelta,
    ToolBox,
    ToolResult,
    TurnContext,
)
from conversations.assistant.model import breaker
from conversations.assistant.model.exchange import ModelFailed
from conversations.assistant.model.reply import Findings
from conversations.assistant.recording import TurnRecord
from conversations.assistant.tools import TOOLS

logger = logging.getLogger(__name__)


class FallingBack:
    """`model` answers while it can, `rules` otherwise."""

    def __init__(self, model: Brain, rules: Brain) -> None:
        self._model = model
        self._rules = rules

    async def answer(self, context: TurnContext, tools: ToolBox, record: TurnRecord) -> AsyncGenerator[BrainEvent, None]:
        """See `assistant.brain.Brain`. Raises what the tools raise, never what the model does."""
        watched = _Watched(tools)
        found = await breaker.look()
        if not found.asks:
            record.fallback = "left_alone"
        else:
            shown, record.is_trial = False, found.is_trial
            try:
                async with aclosing(self._model.answer(context, watched, record)) as events:
                    async for event in events:
                        shown = (shown or isinstance(event, TextDelta)) and not isinstance(event, StartAgain)
                        if isinstance(event, Reply | HandOff):
                            record.answered_by_model = True
                            await breaker.worked(found)
                            yield event
                            return
                        yield event
                raise ModelFailed("cut", "no last word")
            except Exception as problem:
                if watched.raised is problem:
                    raise
                await note_failure(problem, record)
            if shown:
                yield StartAgain()
        watched.replay()
        async with aclosing(self._by_rules(context, watched, record)) as events:
            async for event in events:
                yield event

    async def instead(
        self, context: TurnContext, tools: ToolBox, record: TurnRecord, found: Sequence[ToolResult]
    ) -> AsyncGenerator[BrainEvent, None]:
        """The rules' answer in place of the model's that may not leave; `found` is what tools answered, which have changed nothing."""
        record.answered_by_model, record.fallback = False, "held_back"
        after = _after_a_code(context, [result for result in found if "to" in result.result])
        async with aclosing(self._rules.answer(after, tools, record)) as events:
            async for event in events:
                yield event

    async def _by_rules(self, context: TurnContext, tools: _Watched, record: TurnRecord) -> AsyncGenerator[BrainEvent, None]:
        if not tools.changed:
            after = _after_a_code(context, tools.sent)
            async with aclosing(self._rules.answer(after, tools, record)) as events:
                async for event in events:
                    yield event
            return
        told: list[Reply] = []
        for result in list(tools.changed):
            async with aclosing(self._rules.answer(_to_tell(context, result), tools, record)) as events:
                told += [event async for event in events if isinstance(event, Reply)]
        yield replace(told[-1], body=" ".join(each.body for each in told))


class _Watched:
    """The tool box, and what came of it: `changed` are the calls that altered something, `sent` those that sent a code.

    What altered something in this turn is not done once more by the same call. From `replay` on, no call that worked is made a
    second time: it costs no time twice, and sends nothing twice.
    """

    def __init__(self, tools: ToolBox) -> None:
        self._tools = tools
        self._before: dict[str, ToolResult] = {}
        self._replays = False
        self.changed: list[ToolResult] = []
        self.sent: list[ToolResult] = []
        self.raised: Exception | None = None

    def replay(self) -> None:
        """Another brain goes on with the same turn."""
        self._replays = True

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """See `brain.ToolBox`."""
        once = f"{name}:{json.dumps(dict(arguments), sort_keys=True, default=str)}"
        if once in self._before and (self._replays or TOOLS[name].changes):
            return self._before[once]
        try:
            result = await self._tools.call(name, arguments)
        except Exception as problem:
            self.raised = problem
            raise
        if not result.worked or name not in TOOLS:
            return result
        self._before[once] = result
        if TOOLS[name].changes:
            self.changed.append(result)
        elif "to" in result.result:
            self.sent.append(result)
        return result


async def note_failure(problem: Exception, record: TurnRecord) -> None:
    """Notes why a model did not answer, in the record, in the log, and for the breaker."""
    failed = problem if isinstance(problem, ModelFailed) else ModelFailed("unexpected", type(problem).__name__)
    record.fallback, record.fallback_detail = failed.kind, failed.detail
    if failed is problem:
        logger.warning("model_failed", extra={"why": failed.kind, "detail": failed.detail})
    else:
        logger.exception("model_failed_unexpectedly", exc_info=problem)
    await breaker.failed(failed)


def _to_tell(context: TurnContext, result: ToolResult) -> TurnContext:
    """The turn with nothing left to do but to tell what was done."""
    kept = {name: value for name, value in context.form_state.items() if name not in TURNS_OWN}
    return replace(context, text="", form_state={**kept, "announce": {"tool": result.tool, "result": dict(result.result)}})


def _after_a_code(context: TurnContext, sent: list[ToolResult]) -> TurnContext:
    """A code that was sent is waited for, not sent again."""
    if not sent:
        return context
    found = Findings()
    found.note(sent[-1])
    return replace(context, form_state={**context.form_state, **found.state(context)})
