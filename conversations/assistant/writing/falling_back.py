"""The model writes; when it cannot, the writer without one does, at once and from the same words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from conversations.assistant.model import breaker
from conversations.assistant.model.falling_back import note_failure
from conversations.assistant.recording import TurnRecord
from conversations.assistant.writing.base import Draft, Heard, MayLeave, Passage, WrapUp, Writer

T = TypeVar("T")
PLAINEST = "tidy"


class WritingFallsBack:
    """See `Writer`. `model` writes while it can, `rules` otherwise, and what rules do rightly anyway."""

    name = "model"

    def __init__(self, model: Writer, rules: Writer) -> None:
        self._model = model
        self._rules = rules
        self.styles = (*rules.styles, *model.styles)

    async def wrap_up(self, heard: Heard, record: TurnRecord) -> WrapUp:
        """See `Writer`."""
        return await _one_or_other(lambda: self._model.wrap_up(heard, record), lambda: self._rules.wrap_up(heard, record), record)

    async def summary(self, heard: Heard, record: TurnRecord) -> str:
        """See `Writer`."""
        return await _one_or_other(lambda: self._model.summary(heard, record), lambda: self._rules.summary(heard, record), record)

    async def reply(
        self, heard: Heard, question: str, passages: tuple[Passage, ...], may_leave: MayLeave, record: TurnRecord
    ) -> Draft | None:
        """See `Writer`."""
        given = (heard, question, passages, may_leave, record)
        return await _one_or_other(lambda: self._model.reply(*given), lambda: self._rules.reply(*given), record)

    async def summary_and_reply(
        self, heard: Heard, seen: Heard, question: str, passages: tuple[Passage, ...], may_leave: MayLeave, record: TurnRecord
    ) -> tuple[str, Draft | None]:
        """See `Writer`: where either cannot be used, neither is."""
        given = (heard, seen, question, passages, may_leave, record)
        return await _one_or_other(
            lambda: self._model.summary_and_reply(*given), lambda: self._rules.summary_and_reply(*given), record
        )

    async def rewrite(self, text: str, style: str, known: Mapping[str, str], record: TurnRecord) -> str:
        """See `Writer`: when a style needs the model and it fails, the text is only tidied up, and `record.fallback` says why."""
        if style in self._rules.styles:
            return await self._rules.rewrite(text, style, known, record)
        if style not in self._model.styles:
            raise KeyError(style)

        async def tidied() -> str:
            return await self._rules.rewrite(text, PLAINEST, known, record)

        async def written_again() -> str:
            again = await self._model.rewrite(text, style, known, record)
            return await self._rules.rewrite(again, PLAINEST, known, record)

        return await _one_or_other(written_again, tidied, record)


async def _one_or_other(by_model: Callable[[], Awaitable[T]], by_rules: Callable[[], Awaitable[T]], record: TurnRecord) -> T:
    found = await breaker.look()
    if not found.asks:
        record.fallback = "left_alone"
        return await by_rules()
    try:
        written = await by_model()
    except Exception as problem:
        await note_failure(problem, record)
        return await by_rules()
    record.answered_by_model = True
    await breaker.worked(found)
    return written
