"""From how a turn, or what was written for staff, came about to the trace of it that staff can open."""

from __future__ import annotations

import time

from conversations.assistant.preparing import Prepared
from conversations.assistant.recording import TurnRecord
from conversations.models import Conversation, Interaction, TurnTrace
from conversations.services import turn_traces

LONGEST_WORD = 40


def keep(prepared: Prepared, record: TurnRecord, *, outcome: str, reply_seq: int = 0) -> None:
    """Writes the trace of a turn, in one statement."""
    row = _row(prepared.conversation, prepared.interaction, record)
    row.wanted_seq, row.reply_seq, row.outcome = prepared.claim.wanted_seq, reply_seq or None, outcome
    row.words = {"decision": prepared.decision.sentence, **row.words}
    turn_traces.keep(row)


def keep_writing(
    conversation: Conversation, line: Interaction, record: TurnRecord, *, purpose: TurnTrace.Purpose, upto: int, entry_seq: int = 0
) -> TurnTrace | None:
    """Writes the trace of something that a writer wrote for staff, in one statement; None when no model was to write it.

    `upto` is the number of the last words that the writer knew of, `entry_seq` that of the entry that holds what it wrote.
    """
    if not (record.model or record.fallback):
        return None
    row = _row(conversation, line, record)
    row.purpose, row.outcome = purpose, TurnTrace.Outcome.WRITTEN
    row.wanted_seq, row.reply_seq = upto, entry_seq or None
    turn_traces.keep(row)
    return row


def _row(conversation: Conversation, line: Interaction, record: TurnRecord) -> TurnTrace:
    return TurnTrace(
        conversation=conversation,
        interaction=line,
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
            "request": dict(record.request),
            "exchanges": record.exchanges,
            "calls": record.calls,
            "fallback_detail": record.fallback_detail,
        },
    )
