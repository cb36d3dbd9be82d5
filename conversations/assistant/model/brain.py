"""The brain that asks a language model: one request after the other, with the tools it asks for run in between.

The loop is our own: each call goes through the tool box, where the guard judges it and the history keeps it; an answer that
was cut off runs nothing; and a turn has an end in time, in money and in the number of requests. What cannot be used raises
ModelFailed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final

from django.conf import settings

from conversations.assistant.brain import BrainEvent, HandOff, Reply, StartAgain, TextDelta, ToolBox, ToolResult, TurnContext
from conversations.assistant.model import prompt
from conversations.assistant.model.asking import ASK, HAND_OFF
from conversations.assistant.model.exchange import Answered, ModelFailed, Provider, ToolCall
from conversations.assistant.model.prompt import Known, Prompt
from conversations.assistant.model.reply import Findings, reply_of
from conversations.assistant.model.requests import Requests, Terms, whole_answer
from conversations.assistant.recording import TurnRecord

MOST_REQUESTS: Final = 8
MOST_TIMES_THE_SAME: Final = 2
MOST_TOKENS: Final = {True: 400, False: 900}
"""Of one answer, spoken and written."""
REFERENCE: Final = re.compile(r"\b[A-Z]{2}-[0-9A-Z]{6}\b")


class ModelBrain:
    """Answers by a language model. `provider` runs it."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def answer(self, context: TurnContext, tools: ToolBox, record: TurnRecord) -> AsyncGenerator[BrainEvent, None]:
        """See `assistant.brain.Brain`. Raises ModelFailed, and what the tools raise."""
        known = Known(context)
        first = prompt.build(context, known)
        loop = _Loop(self._provider, context, tools, record, known, first)
        async with aclosing(loop.run()) as events:
            async for event in events:
                yield event


class _Loop:
    """One turn's exchange with the model."""

    def __init__(
        self, provider: Provider, context: TurnContext, tools: ToolBox, record: TurnRecord, known: Known, first: Prompt
    ) -> None:
        self._context = context
        self._tools = tools
        self._record = record
        self._known = known
        self._prompt = first
        self._messages: list[dict[str, Any]] = list(first.messages)
        self._requests = Requests(provider, terms_of(context), record)
        self._found = Findings()
        self._same: Counter[str] = Counter()
        self._record.request = {
            "playbook": f"{context.behaviour.code} v{context.behaviour.version}",
            "tools": [tool["name"] for tool in first.tools],
            "facts": first.system[-1]["text"],
            "messages": list(first.messages),
        }

    async def run(self) -> AsyncGenerator[BrainEvent, None]:
        """The turn's events."""
        shown = False
        for _request in range(MOST_REQUESTS):
            answered = None
            async with aclosing(self._requests.ask(self._prompt.system, self._prompt.tools, self._messages)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Answered):
                        answered = piece
                    else:
                        shown = True
                        yield TextDelta(piece)
            answered = whole_answer(answered)
            results = await self._run(answered)
            if self._found.handed_off:
                yield HandOff(next_step=self._found.handed_off, form_state=self._found.state(self._context))
                return
            if not results:
                yield self._reply(answered.text)
                return
            if shown:
                shown = False
                yield StartAgain()
            self._go_on(answered, results)
        raise ModelFailed("too_many_requests")

    async def _run(self, answered: Answered) -> list[dict[str, Any]]:
        """Runs what was asked for, in its order; the results, or none when nothing comes back that the model needs."""
        needs_more = any(call.name != ASK for call in answered.calls) or (bool(answered.calls) and not answered.text)
        results = []
        for call in answered.calls:
            if call.name == ASK:
                self._found.asks = dict(call.arguments or {})
                results.append(_result(call, {"noted": True}, is_error=False))
                continue
            result = await self._call(call)
            if call.name == HAND_OFF and result.worked:
                self._found.handed_off = str((call.arguments or {}).get("reason", ""))
            told = {"result": result.result} if result.worked else {"error": result.error, "why": result.sentence, **result.result}
            results.append(_result(call, self._known.take_out(told), is_error=not result.worked))
        return results if needs_more else []

    async def _call(self, call: ToolCall) -> ToolResult:
        if call.arguments is None:
            self._count_same(f"{call.name}:broken", call.name)
            return ToolResult(call.name, error="bad_arguments", sentence="The arguments were no JSON object.")
        arguments: Mapping[str, Any] = self._known.put_in(call.arguments)
        self._count_same(f"{call.name}:{json.dumps(arguments, sort_keys=True)}", call.name)
        result = await self._tools.call(call.name, arguments)
        self._found.note(result)
        return result

    def _count_same(self, once: str, tool: str) -> None:
        self._same[once] += 1
        if self._same[once] > MOST_TIMES_THE_SAME:
            raise ModelFailed("tool_loop", tool)

    def _go_on(self, answered: Answered, results: list[dict[str, Any]]) -> None:
        """The next request repeats this one with what came of it, and marks its end as what is to be remembered."""
        for message in self._messages[len(self._prompt.messages) :]:
            for block in message["content"]:
                block.pop("cache_control", None)
        results[-1]["cache_control"] = prompt.REMEMBERED
        self._messages += [{"role": "assistant", "content": answered.content}, {"role": "user", "content": results}]
        self._record.exchanges.append({"results": [{**each} for each in results]})

    def _reply(self, text: str) -> Reply:
        if not text:
            raise ModelFailed("empty")
        if len(text) > settings.MODEL_LONGEST_REPLY:
            raise ModelFailed("too_long", f"{len(text)} characters")
        untold = [reference for reference in self._found.references if reference not in text]
        if untold:
            raise ModelFailed("untold", "what was done is not in the reply")
        named = REFERENCE.findall(text)
        heard = json.dumps([self._record.request, self._record.exchanges[:-1]], default=str) if named else ""
        if any(each not in heard for each in named):
            raise ModelFailed("invented", "a reference that nobody gave")
        return reply_of(self._context, self._found, text)


def terms_of(context: TurnContext) -> Terms:
    """What the settings allow for a turn, spoken or written."""
    tokens = MOST_TOKENS[context.spoken]
    if context.spoken:
        return Terms(settings.VOICE_MODEL, settings.VOICE_MODEL_EFFORT, float(settings.VOICE_MODEL_TIMEOUT_SECONDS), tokens)
    return Terms(settings.CHAT_MODEL, settings.CHAT_MODEL_EFFORT, float(settings.MODEL_TIMEOUT_SECONDS), tokens)


def _result(call: ToolCall, told: Any, *, is_error: bool) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call.id, "content": prompt.as_data(told), "is_error": is_error}
