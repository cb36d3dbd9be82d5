"""All that routing may know about what a customer needs. There is no channel in it, and there never may be."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

Urgency = Literal["normal", "high", "emergency"]


@dataclass(frozen=True, slots=True)
class Need:
    """What is to be routed.

    `sentiment` runs from -1 (furious) to 1 (delighted); `score` in points; `open_balance` in the
    company's currency; `assistant_answers` says whether the AI agent may answer at all; `facts` holds further
    declared facts by name, as text. `escalation` is what the escalation table answered, the reason or nothing:
    routing fills it in, whoever makes a need leaves it empty.
    """

    reason: str = "unknown"
    urgency: Urgency = "normal"
    sentiment: float = 0.0
    language: str = "en"
    tier: str = "standard"
    score: int = 0
    territory: str = "unknown"
    line_of_business: str = "unknown"
    asked_for_human: bool = False
    failed_turns: int = 0
    open_balance: float = 0.0
    in_hours: bool = True
    assistant_answers: bool = True
    escalation: str = ""
    facts: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The need as plain JSON, for storing beside a decision and for the rule engine."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Need:
        """A need from stored JSON; what is left out has its default.

        Raises ValueError when `data` names something that is not part of a need.
        """
        known = {each.name for each in fields(cls)}
        strange = sorted(set(data) - known)
        if strange:
            raise ValueError(f"Not part of a need: {', '.join(strange)}.")
        return cls(**data)
