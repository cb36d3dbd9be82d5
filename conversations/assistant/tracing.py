"""From how a turn came about to the trace of it that staff can open."""

from __future__ import annotations

import time

from conversations.assistant.preparing import Prepared
from conversations.assistant.recording import TurnRecord
from conversations.models import TurnTrace
from conversations.services import turn_traces

LONGEST_WORD = 40


def keep(prepared: Prepared, record: TurnRecord, *, outcome: str, reply_seq: int = 0) -> None:
    """Writes the trace of a turn, in one statement."""
    turn_traces.keep(
        TurnTrace(
            conversation=prepared.conversation,
            interaction=prepared.interaction,
            wanted_seq=prepared.claim.wanted_seq,
            reply_seq=reply_seq or None,
            outcome=outcome,
            answered_by=TurnTrace.AnsweredBy.MODEL if record.answered_by_model else TurnTrace.AnsweredBy.RULES,
            model=record.model,
            fallback=record.fallback[:LONGEST_WORD],
            input_tokens=record.input_tokens,
            output_tokens=record.output_tokens,
            cache_read_tokens=record.cache_read_tokens,
            cache_write_tokens=record.cache_write_tokens,
            cost=record.cost,
            first_token_ms=None if record.first_token is None else round(record.first_token * 1000),
            model_ms=round(record.model_seconds * 1000),
            tools_ms=round(record.tool_seconds * 1000),
            total_ms=round((time.monotonic() - record.began) * 1000),
            words={
                "decision": prepared.decision.sentence,
                "request": dict(record.request),
                "exchanges": record.exchanges,
                "calls": record.calls,
                "fallback_detail": record.fallback_detail,
            },
        )
    )
