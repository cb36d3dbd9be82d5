"""Who acts next, why, and what an earlier version said."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from routing.models import Decision, Queue, RuleSet, ServiceLevel
from routing.need import Need
from routing.rules.evaluate import Answer, Outcome, Table, table_of
from routing.rules.explain import explain
from routing.rules.published import NoPublishedRules, Tables, escalation_of, proven, published
from routing.rules.schema import InvalidNeed


class UnknownDestination(LookupError):
    """The matched row names a queue or a service level that does not exist any more."""


def decide(need: Need, *, subject: str) -> Decision:
    """Asks the published escalation table, then the published routing table; stores and returns the Decision.

    What the first answers is the fact `escalation` of the need that the second is asked about, and that is stored.
    Raises NoPublishedRules (no routing table), InvalidNeed (a fact of the wrong type) or UnknownDestination.
    """
    return _stored(*proven(lambda tables: tables.decide(need)), subject=subject)


def score_and_decide(need: Need, *, subject: str) -> tuple[Need, Decision]:
    """The need with the points of the published scoring table as its score, and `decide` about that; one look-up proves all tables."""
    scored, (answer, escalation) = proven(lambda tables: _scored(tables, need))
    return scored, _stored(answer, escalation, subject=subject)


def _scored(tables: Tables, need: Need) -> tuple[Need, tuple[Answer, Answer | None]]:
    scored = replace(need, score=tables.points(need))
    return scored, tables.decide(scored)


STORE: Final = """
INSERT INTO routing_decision AS made (
    subject, need, rule_set_id, rule_id, escalation_rule_set_id, handler, queue_id, priority_class, required_skills, service_level_id,
    escalation_reason, sentence, trace, decided_at
) VALUES (%s, %s::jsonb, %s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s, %s::jsonb, %s)
RETURNING id, (handler, rule_id, queue_id) IS DISTINCT FROM (
        SELECT (earlier.handler, earlier.rule_id, earlier.queue_id) FROM routing_decision AS earlier
         WHERE earlier.subject = made.subject ORDER BY earlier.id DESC LIMIT 1),
    set_config('synchronous_commit', CASE WHEN %s THEN 'off' ELSE current_setting('synchronous_commit') END, true)
"""
"""With whether it is another one than the subject's last: the statement does not see its own row. Alone in its transaction it does not
wait for the disk, since nothing follows from a decision but what is written after it."""


def _stored(answer: Answer, escalation: Answer | None, *, subject: str) -> Decision:
    decision = _made(answer, escalation, subject=subject)
    written = (json.dumps(each) for each in (decision.need, decision.required_skills, decision.trace))
    need, skills, trace = written
    with connection.cursor() as cursor:
        cursor.execute(
            STORE,
            [
                subject, need, decision.rule_set_id, decision.rule_id, decision.escalation_rule_set_id, decision.handler, decision.queue_id,
                decision.priority_class, skills, decision.service_level_id, decision.escalation_reason, decision.sentence, trace,
                decision.decided_at, not connection.in_atomic_block,
            ],
        )  # fmt: skip
        decision.pk, decision.is_new, _committed = cursor.fetchone()
    decision._state.adding, decision._state.db = False, connection.alias
    return decision


def _made(answer: Answer, escalation: Answer | None, *, subject: str) -> Decision:
    outcome = answer.outcome
    return Decision(
        decided_at=timezone.now(),
        subject=subject,
        need=answer.need.to_json(),
        rule_set_id=answer.table.rule_set_id,
        rule_id=answer.rule_id,
        escalation_rule_set_id=escalation.table.rule_set_id if escalation else None,
        handler=outcome.handler,
        queue=_queue(outcome, answer),
        priority_class=outcome.priority_class,
        required_skills=list(outcome.required_skills),
        service_level=_service_level(outcome, answer),
        escalation_reason=outcome.escalation_reason,
        sentence=explain(answer, escalation),
        trace=answer.trace | ({"escalation": escalation.trace} if escalation else {}),
    )


def who_acts(need: Need) -> str:
    """The handler that the published tables name for a need, storing nothing. Raises NoPublishedRules and InvalidNeed."""
    return proven(lambda tables: tables.decide(need))[0].outcome.handler


def ask(table: Table, need: Need) -> tuple[Answer, Answer | None]:
    """What a table answers to a need, and what the escalation table answered before, storing nothing.

    Only for a routing table is the published escalation table asked, unless the need says already why it escalates.
    Raises InvalidNeed.
    """
    if table.kind != RuleSet.Kind.ROUTING or need.escalation:
        return table.answer(need), None
    return published().with_table(table).decide(need)


def replay(decision: Decision, need: Need | None = None) -> Outcome:
    """What the stored versions of both tables answer to the stored (or another) need, storing nothing.

    A decision without a version of the escalation table keeps its reason. Compare with `Outcome.of(decision)`.
    """
    return replayed(decision, need)[0].outcome


def replayed(decision: Decision, need: Need | None = None) -> tuple[Answer, Answer | None]:
    """The answers behind `replay`: of the routing table, and of the escalation table when it was asked then."""
    asked = replace(need or Need.from_json(decision.need), escalation="")
    if decision.escalation_rule_set is None:
        return table_of(decision.rule_set).answer(replace(asked, escalation=decision.escalation_reason)), None
    escalation = table_of(decision.escalation_rule_set).answer(asked)
    return table_of(decision.rule_set).answer(replace(asked, escalation=escalation_of(escalation))), escalation


def score(need: Need) -> int:
    """The points of the published scoring table; 0 while none is published."""
    return proven(lambda tables: tables.points(need))


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
    "InvalidNeed",
    "NoPublishedRules",
    "Outcome",
    "UnknownDestination",
    "ask",
    "decide",
    "replay",
    "replayed",
    "score",
    "score_and_decide",
    "who_acts",
]
