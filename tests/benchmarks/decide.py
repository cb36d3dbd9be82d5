"""How long it takes to ask the published tables, beside the rule engine alone with the same compiled documents.

Value: what `decide` does before it stores: the escalation table is asked, its answer becomes a fact, the routing table of 200 rows
is asked, and a need of a wrong type is refused. Floor: the engine's own evaluation of the two documents as they are stored, with
the need already as JSON and without a trace. Both in the same run, need by need one after the other; each round gives a median of
each, and the figure is the median of the rounds' ratios. Then the same with the look-up that proves that the tables are still the
published ones, and with the decision stored, for which there is nothing to hold them against.
"""

from __future__ import annotations

import json
import os
import random
import statistics
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

import zen

from routing.models import Queue, ReasonCode, Rule, RuleSet, RuleSetCase, ServiceLevel
from routing.need import Need
from routing.rules.publish import publish
from routing.rules.published import proven, published, remembered
from routing.services.decide import decide
from tests.support.database import throwaway_database

ROWS = 200
NEEDS = 200
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "15"))
WANTED_RATIO = 1.3
MOODS = ("< -0.5", "-0.5..0.5", "> 0.5")
Row = tuple[str, dict[str, str], dict[str, Any]]
THRESHOLDS: list[Row] = [
    ("Danger", {"urgency": "emergency"}, {"escalate": True, "escalation_reason": "danger"}),
    ("Failures", {"failed_turns": ">= 3"}, {"escalate": True, "escalation_reason": "not_helped"}),
    ("Upset", {"sentiment": "< -0.8"}, {"escalate": True, "escalation_reason": "upset"}),
    ("The rest", {}, {"escalate": False}),
]


def measure() -> Iterator[dict[str, Any]]:
    """Yields the ratio of our evaluation to the engine's, then the times with the look-up and with storing."""
    with throwaway_database("decide"):
        _publish("escalation", THRESHOLDS)
        _publish("routing", _rows())
        needs = _needs()
        asked = [need.to_json() for need in needs]
        alone = [_engine("escalation"), _engine("routing")]
        published()
        medians = _medians(
            len(needs),
            lambda at: [engine.evaluate(asked[at]) for engine in alone],
            lambda at: remembered().decide(needs[at]),
            lambda at: proven(lambda tables: tables.decide(needs[at])),
            lambda at: decide(needs[at], subject="benchmark"),
        )
    floor = [median[0] for median in medians]
    conditions = (
        f"tables of {ROWS} and {len(THRESHOLDS)} rows, {len(needs)} needs that match anywhere in them, {ROUNDS} rounds, medians,"
        " one process; floor: the engine alone, both documents, without a trace"
    )
    names = ("decide", "decide with proof that the tables are published", "decide and store")
    for at, name in enumerate(names, start=1):
        ours = [median[at] for median in medians]
        yield {
            "name": name,
            "value": round(statistics.median(ours), 1),
            "unit": "us",
            "floor": round(statistics.median(floor), 1),
            "ratio": round(statistics.median(one / other for one, other in zip(ours, floor, strict=True)), 2),
            "wanted": WANTED_RATIO if at == 1 else None,
            "conditions": conditions,
        }


def _medians(needs: int, *ways: Callable[[int], object]) -> list[tuple[float, ...]]:
    """For each round the median of each way, in microseconds; the first round warms up and does not count."""
    rounds = []
    for _round in range(ROUNDS + 1):
        taken: list[list[float]] = [[] for _way in ways]
        for at in range(needs):
            for times, way in zip(taken, ways, strict=True):
                begun = perf_counter()
                way(at)
                times.append((perf_counter() - begun) * 1e6)
        rounds.append(tuple(statistics.median(times) for times in taken))
    return rounds[1:]


def _engine(kind: str) -> Any:
    """The engine alone, with the document as it was published."""
    return zen.ZenEngine().create_decision(json.dumps(RuleSet.objects.get(kind=kind, status="published").compiled))


def _rows() -> list[Row]:
    """Two hundred rows, each for a reason, a mood and a time of the day, none of which hides another."""
    for code in range(ROWS // 6 + 1):
        ReasonCode.objects.create(code=f"reason_{code}", name=f"Reason {code}", line_of_business="heating")
    level = ServiceLevel.objects.create(code="standard", name="Standard", answer_within_seconds=60, max_wait_seconds=600)
    Queue.objects.create(code="service", name="Service", service_level=level)
    kinds = [(reason, mood, hours) for reason in range(ROWS // 6 + 1) for mood in MOODS for hours in ("yes", "no")]
    rows: list[Row] = [
        (
            f"Reason {reason}, mood {mood}, open {hours}",
            {"reason": f"reason_{reason}", "sentiment": mood, "in_hours": hours, "escalation": "not upset"},
            {"handler": "human", "queue": "service", "priority_class": 1 + reason % 9},
        )
        for reason, mood, hours in kinds[: ROWS - 1]
    ]
    return [*rows, ("The rest", {}, {"handler": "assistant"})]


def _needs() -> list[Need]:
    dice = random.Random(4)
    return [
        Need(
            reason=f"reason_{dice.randrange(ROWS // 6 + 1)}",
            urgency="high",
            sentiment=round(dice.uniform(-0.8, 1), 3),
            in_hours=dice.random() < 0.7,
            failed_turns=dice.randrange(3),
            facts={"postcode": "HB1 4QT", "building_age": "old"},
        )
        for _each in range(NEEDS)
    ]


def _publish(kind: str, rows: list[Row]) -> None:
    draft = RuleSet.objects.create(kind=kind, version=1)
    Rule.objects.bulk_create(
        Rule(rule_set=draft, position=position, description=description, conditions=conditions, outputs=outputs)
        for position, (description, conditions, outputs) in enumerate(rows, start=1)
    )
    outputs = rows[-1][2]
    RuleSetCase.objects.create(rule_set=draft, name="The rest", need={}, expected=outputs)
    publish(draft, by="benchmark")
