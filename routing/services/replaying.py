"""Past decisions asked again: the same need, of the same versions, has to come out the same. Stores nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from routing.models import Decision
from routing.rules.evaluate import Answer, Outcome
from routing.services.decide import replayed


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """How a decision comes out now. `differences` are (name, then, now); `why_not` says why it cannot be asked.

    `answers` are those of the routing table and of the escalation table, where it was asked.
    """

    decision: Decision
    differences: tuple[tuple[str, Any, Any], ...] = ()
    why_not: str = ""
    answers: tuple[Answer, ...] = ()

    @property
    def same(self) -> bool:
        """Whether the same row matched and everything came out as it was stored."""
        return not self.differences and not self.why_not


def ask_again(decision: Decision) -> AskedAgain:
    """Asks the stored versions of both tables about the stored need."""
    if decision.forgotten_at is not None:
        return AskedAgain(decision, why_not=_("What the customer told was erased, so it cannot be asked again."))
    try:
        answer, escalation = replayed(decision)
    except (ValueError, TypeError, LookupError) as error:
        return AskedAgain(decision, why_not=str(error))
    then = asdict(Outcome.of(decision)) | {"rule": decision.rule_id}
    now = asdict(answer.outcome) | {"rule": answer.rule_id}
    differences = tuple((name, then[name], now[name]) for name in then if then[name] != now[name])
    return AskedAgain(decision, differences, answers=(answer,) if escalation is None else (answer, escalation))


def ask_all_again(since: datetime) -> Iterator[AskedAgain]:
    """All decisions since a time, oldest first, but for forgotten ones."""
    decisions = (
        Decision.objects.filter(decided_at__gte=since, forgotten_at__isnull=True)
        .select_related("queue", "service_level", "rule_set", "escalation_rule_set")
        .defer("rule_set__compiled", "escalation_rule_set__compiled", "trace", "sentence")
        .order_by("decided_at", "pk")
    )
    return (ask_again(decision) for decision in decisions.iterator(chunk_size=500))
