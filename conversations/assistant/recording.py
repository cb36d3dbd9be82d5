"""How one turn's answer came about, written down while it does; `services.turn_traces` keeps it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

LONGEST_RESULT: Final = 4000
"""Characters of a tool's result that are kept."""


@dataclass(slots=True)
class TurnRecord:
    """What a turn took. Times are in seconds, `began` by the monotonic clock; `cost` is in US dollars, estimated.

    `request` is the beginning of the first request to a model (later ones repeat it), `exchanges` what was sent after it and what
    came back. `fallback` is a word for why a model did not answer although it was to, `fallback_detail` a sentence.
    `is_trial` says that the provider was down until now, so that whoever waits for this answer waits less for it.
    `first_token` is the time from the first request to the first words that count.
    """

    began: float = field(default_factory=time.monotonic)
    model: str = ""
    answered_by_model: bool = False
    request: Mapping[str, Any] = field(default_factory=dict)
    exchanges: list[dict[str, Any]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    fallback: str = ""
    fallback_detail: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost: Decimal = Decimal(0)
    first_token: float | None = None
    model_seconds: float = 0.0
    tool_seconds: float = 0.0
    is_trial: bool = False

    def note_call(self, tool: str, arguments: Mapping[str, Any], *, result: Mapping[str, Any], error: str, seconds: float) -> None:
        """A tool was called; `arguments` and `result` are without what the history does not keep."""
        self.tool_seconds += seconds
        kept = dict(result)
        if len(str(kept)) > LONGEST_RESULT:
            kept = {"shortened": str(kept)[:LONGEST_RESULT]}
        self.calls.append({"tool": tool, "arguments": dict(arguments), "result": kept, "error": error, "ms": round(seconds * 1000)})
