"""Who acts next, why, and what an earlier version said."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from routing.models import Decision, Queue, RuleSet, ServiceLevel
from routing.need import Need
from routing.rules.evaluate import Answer, NoPublishedRules, Outcome, published_table, table_of
from routing.rules.explain import explain
from routing.rules.schema import InvalidNeed


class UnknownDestination(LookupError):
    """The matched row names a queue or a service level that does not exist any more."""


@dataclass(frozen=True, slots=True)
class Escalation:
    """Whether the escalation table hands a need to a person, and why."""

    escalate: bool
    reason: str = ""
    sentence: str = ""


def decide(need: Need, *, subject: str) -> Decision:
    """Evaluates the published routing table, stores and returns the Decision.

    Raises NoPublishedRules, InvalidNeed (a fact of the wrong type) or UnknownDestination.
    """
    answer = published_table(RuleSet.Kind.ROUTING).answer(need)
    outcome = answer.outcome
    return Decision.objects.create(
        subject=subject,
        need=need.to_json(),
        rule_set_id=answer.table.rule_set_id,
        rule_id=answer.rule_id,
        handler=outcome.handler,
        queue=_queue(outcome, answer),
        priority_class=outcome.priority_class,
        required_skills=list(outcome.required_skills),
        service_level=_service_level(outcome, answer),
        escalation_reason=outcome.escalation_reason,
        sentence=explain(answer, need),
        trace=answer.trace,
    )


def replay(decision: Decision, need: Need | None = None) -> Outcome:
    """What the stored version answers to the stored (or another) need, storing nothing.

    Compare with `Outcome.of(decision)`.
    """
    asked = need or Need.from_json(decision.need)
    return table_of(decision.rule_set).answer(asked).outcome


def score(need: Need) -> int:
    """The points of the published scoring table; 0 while none is published."""
    try:
        table = published_table(RuleSet.Kind.SCORING)
    except NoPublishedRules:
        return 0
    points: int = table.answer(need).outputs["points"]
    return points


def escalation(need: Need) -> Escalation:
    """What the published escalation table says; not to escalate while none is published."""
    try:
        table = published_table(RuleSet.Kind.ESCALATION)
    except NoPublishedRules:
        return Escalation(escalate=False)
    answer = table.answer(need)
    return Escalation(
        escalate=answer.outputs["escalate"],
        reason=answer.outputs["escalation_reason"],
        sentence=explain(answer, need),
    )


def _queue(outcome: Outcome, answer: Answer) -> Queue | None:
    if not outcome.queue:
        return None
    queue = Queue.objects.select_related("service_level").filter(code=outcome.queue).first()
    if queue is None:
        raise UnknownDestination(
            _("Row %(row)d sends to the queue “%(queue)s”, which does not exist any more.")
            % {"row": answer.row, "queue": outcome.queue}
        )
    return queue


def _service_level(outcome: Outcome, answer: Answer) -> ServiceLevel | None:
    if not outcome.service_level:
        return None
    level = ServiceLevel.objects.filter(code=outcome.service_level).first()
    if level is None:
        raise UnknownDestination(
            _("Row %(row)d names the service level “%(level)s”, which does not exist any more.")
            % {"row": answer.row, "level": outcome.service_level}
        )
    return level


__all__ = [
    "Escalation",
    "InvalidNeed",
    "NoPublishedRules",
    "Outcome",
    "UnknownDestination",
    "decide",
    "escalation",
    "replay",
    "score",
]
