"""Listening to a brain while it answers: drafts are shown, and what has become void is not waited for."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Final

from conversations.assistant import watching
from conversations.assistant.brain import Brain, HandOff, Reply, StartAgain, TextDelta
from conversations.assistant.model.falling_back import FallingBack
from conversations.assistant.outgoing.gate import Gate, Judging
from conversations.assistant.preparing import Prepared
from conversations.assistant.recording import TurnRecord
from conversations.assistant.toolbox import TurnTools
from conversations.services import announce
from conversations.services.roll_out import AssistantStopped
from conversations.services.turns import Claim, TurnLost, TurnOvertaken

DRAFTS_EVERY_SECONDS: Final = 0.5
"""A draft is judged and sent whole each time; the widget has what is new in it appear until the next."""


async def listen(
    brain: Brain, prepared: Prepared, tools: TurnTools, record: TurnRecord, judging: Judging | None = None
) -> Reply | HandOff:
    """The brain's last word, as far as it may leave; what it writes meanwhile is shown as a draft, as far as that may.

    `judging` is what it is judged by, where that was read already.
    Raises turns.TurnLost, turns.TurnOvertaken and AssistantStopped within half a second of a person taking over, of the customer
    saying more and of the AI agent being stopped, but never in the middle of a tool, nor the second when something was done that
    has to be told.
    """
    draft = _Draft(prepared)
    gate = Gate(prepared, judging)
    listening = asyncio.ensure_future(_last_word(brain, gate, tools, record, draft))
    watching = asyncio.ensure_future(_until_void(prepared.claim, tools))
    try:
        done, _others = await asyncio.wait({listening, watching}, return_when=asyncio.FIRST_COMPLETED)
        if listening not in done:
            watching.result()
        return await listening
    except BaseException:
        await draft.take_away()
        raise
    finally:
        for task in (listening, watching):
            task.cancel()
        await asyncio.gather(listening, watching, return_exceptions=True)


async def _last_word(brain: Brain, gate: Gate, tools: TurnTools, record: TurnRecord, draft: _Draft) -> Reply | HandOff:
    """What the brain ends with, or what the gate has said instead."""
    said: Reply | HandOff | None = None
    try:
        async with aclosing(brain.answer(gate.context, gate.watch(tools), record)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    gate.write(event.text)
                    if draft.is_due and (shown := await gate.draft()):
                        await draft.show(shown)
                    if gate.refusal:
                        break
                elif isinstance(event, StartAgain):
                    gate.start_again()
                    await draft.start_again()
                else:
                    said = event
                    break
        if said is None and not gate.refusal:
            raise RuntimeError("The brain ended without a reply.")
        answer = await gate.let_through(said)
        is_models = gate.refusal is not None and isinstance(answer, Reply) and not record.fallback
        if isinstance(brain, FallingBack) and is_models and not gate.has_done_something:
            await draft.start_again()
            return await _rules_word(brain, gate, tools, record)
        return answer
    finally:
        await gate.close()


async def _rules_word(brain: FallingBack, gate: Gate, tools: TurnTools, record: TurnRecord) -> Reply | HandOff:
    """What the rules say where what the model wrote may not leave; for managers, it counts as held back unless they knew an answer."""
    found, said = gate.found, None
    gate.begin_anew()
    async with aclosing(brain.instead(gate.context, gate.watch(tools), record, found)) as events:
        async for event in events:
            said = event if isinstance(event, Reply | HandOff) else said
    answer = await gate.let_through(said)
    return replace(answer, held_back=answer.held_back or answer.failed or answer.unanswered) if isinstance(answer, Reply) else answer


async def _until_void(claim: Claim, tools: TurnTools) -> None:
    """Ends, by an exception, when the turn is not to be gone on with."""
    while True:
        found = await watching.next_look(claim)
        if found.is_stopped and not tools.is_busy:
            raise AssistantStopped
        if tools.is_busy or tools.did_something:
            continue
        if not found.is_held:
            raise TurnLost
        if found.is_overtaken:
            raise TurnOvertaken


class _Draft:
    """What the customer sees of a reply that is being written. On the phone and in drafts for staff nothing is shown."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._is_shown = prepared.live and not prepared.context.spoken
        self._written = ""
        self._at = 0.0

    @property
    def is_due(self) -> bool:
        """Whether the last one was shown long enough ago, or none was."""
        return time.monotonic() - self._at >= DRAFTS_EVERY_SECONDS

    async def show(self, text: str) -> None:
        """The reply so far."""
        self._written, self._at = text, time.monotonic()
        await self._show("draft", text)

    async def start_again(self) -> None:
        """What was written does not stand; more is coming."""
        self._written, self._at = "", 0.0
        await self._show("typing")

    async def take_away(self) -> None:
        """No reply comes of it."""
        if self._written:
            with suppress(Exception):
                await self._show("idle")

    async def _show(self, what: str, text: str = "") -> None:
        if not self._is_shown:
            return
        public_hex = self._prepared.conversation.public_id.hex
        frame = announce.activity(
            public_hex,
            who="assistant",
            name=self._prepared.entry_point.company_name,
            what=what,
            text=text,
            interaction=str(self._prepared.interaction.public_id),
        )
        await announce.send(announce.conversation_group(public_hex), frame)
