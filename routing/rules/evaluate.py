"""What a table answers to a need, with the row that matched."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import zen

from routing.models import Decision, RuleSet
from routing.need import Need
from routing.rules.compile import TABLE_NODE, check_nodes, compile_rule_set
from routing.rules.schema import DECLARED_FACT_PREFIX, check_need, value_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was decided: codes, not rows, so that two of them can be compared."""

    handler: str
    queue: str | None
    priority_class: int
    required_skills: tuple[str, ...]
    service_level: str | None
    escalation_reason: str

    @classmethod
    def from_outputs(cls, outputs: dict[str, Any], *, escalation: str) -> Outcome:
        """The outcome of one routing row's outputs, for a need that escalates for this reason or, when empty, does not."""
        return cls(
            handler=outputs["handler"],
            queue=outputs["queue"] or None,
            priority_class=outputs["priority_class"],
            required_skills=tuple(sorted(outputs["required_skills"])),
            service_level=outputs["service_level"] or None,
            escalation_reason=escalation,
        )

    @classmethod
    def of(cls, decision: Decision) -> Outcome:
        """What a stored decision answered."""
        return cls(
            handler=decision.handler,
            queue=decision.queue.code if decision.queue else None,
            priority_class=decision.priority_class,
            required_skills=tuple(sorted(decision.required_skills)),
            service_level=decision.service_level.code if decision.service_level else None,
            escalation_reason=decision.escalation_reason,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """One evaluation. `row` counts from 1; `trace` holds the cells of the row and the values they met."""

    table: Table
    need: Need
    row: int
    rule_id: int
    outputs: dict[str, Any]
    trace: dict[str, Any]

    @property
    def outcome(self) -> Outcome:
        """The answer of a routing table."""
        return Outcome.from_outputs(self.outputs, escalation=self.need.escalation)


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row as compiled: its conditions hold canonical cells, without those that match anything; `outputs` by name."""

    rule_id: int
    description: str
    conditions: dict[str, str]
    outputs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """One compiled version, ready to be asked from any thread.

    The engine is asked which row matches, with the facts that some row asks for and without its own trace, which costs more
    than the evaluation; what the row answers, and what it met, is known here. `numbers` are the declared facts that it reads as numbers.
    """

    rule_set_id: int
    kind: str
    version: int
    rows: tuple[TableRow, ...]
    facts: tuple[str, ...]
    numbers: frozenset[str]
    engine: zen.ZenDecision = field(repr=False)

    @classmethod
    def from_document(cls, rule_set: RuleSet, document: dict[str, Any]) -> Table:
        """A table from a JDM document. Raises NodeNotAllowed when it is more than a decision table."""
        check_nodes(document)
        content = next(node for node in document["nodes"] if node["id"] == TABLE_NODE)["content"]
        rows = tuple(
            TableRow(
                rule_id=int(rule["_id"]),
                description=rule["_description"],
                conditions={name.removeprefix("in:"): cell for name, cell in rule.items() if name.startswith("in:") and cell},
                outputs={name.removeprefix("out:"): json.loads(cell) for name, cell in rule.items() if name.startswith("out:")},
            )
            for rule in content["rules"]
        )
        facts = tuple(each["field"] for each in content["inputs"])
        numbers = frozenset(each["field"] for each in content["inputs"] if each.get("type") == "number")
        engine = zen.ZenEngine().create_decision(json.dumps(_numbered(document)))
        return cls(rule_set.pk, rule_set.kind, rule_set.version, rows, facts, numbers, engine)

    def answer(self, need: Need) -> Answer:
        """The first row that matches. Raises InvalidNeed when a fact has the wrong type."""
        check_need(need)
        number = self.row_for(need)
        row = self.rows[number - 1]
        values = {name: self.value_of(need, name) for name in row.conditions}
        return Answer(
            table=self,
            need=need,
            row=number,
            rule_id=row.rule_id,
            outputs=dict(row.outputs),
            trace={"row": number, "cells": row.conditions, "values": values},
        )

    def row_for(self, need: Need) -> int:
        """Asks the engine; counts from 1."""
        number: int = self.engine.evaluate(self._asked_of(need))["result"]["row"]
        return number

    def value_of(self, need: Need, name: str) -> Any:
        """What a need says of a fact, as this version reads it; None for a declared fact that it does not have."""
        return value_of(need, name, number=name in self.numbers)

    def _asked_of(self, need: Need) -> dict[str, Any]:
        """What the engine is told: the facts of a need that are asked for; all declared ones when one of them is."""
        told: dict[str, Any] = {}
        for name in self.facts:
            if not name.startswith(DECLARED_FACT_PREFIX):
                told[name] = getattr(need, name)
            elif "facts" not in told:
                told["facts"] = need.facts
        if self.numbers:
            read = {name.removeprefix(DECLARED_FACT_PREFIX): self.value_of(need, name) for name in self.numbers}
            told["facts"] = need.facts | read
        return told


def _numbered(document: dict[str, Any]) -> dict[str, Any]:
    """The same table with one output, the number of the row."""
    nodes = [_numbering_rows(node) if node["id"] == TABLE_NODE else node for node in document["nodes"]]
    return document | {"nodes": nodes}


def _numbering_rows(node: dict[str, Any]) -> dict[str, Any]:
    rules = [
        {name: cell for name, cell in rule.items() if not name.startswith("out:")} | {"out": str(number)}
        for number, rule in enumerate(node["content"]["rules"], start=1)
    ]
    return node | {"content": node["content"] | {"outputs": [{"id": "out", "name": "row", "field": "row"}], "rules": rules}}


def table_of(rule_set: RuleSet) -> Table:
    """The table of any version: a published or retired one as it was compiled, a draft as it stands now.

    Raises TableRefused when a draft cannot be compiled.
    """
    if rule_set.status == RuleSet.Status.DRAFT:
        return Table.from_document(rule_set, compile_rule_set(rule_set))
    return kept_table(rule_set.pk, rule_set.published_at)


@lru_cache(maxsize=64)
def kept_table(rule_set_id: int, published_at: object) -> Table:
    """The table of a version that was published, compiled once in each process.

    `published_at` is part of the key, so that an id that is used again (a restored database) is read again.
    """
    rule_set = RuleSet.objects.get(pk=rule_set_id, compiled__isnull=False)
    return Table.from_document(rule_set, rule_set.compiled or {})
