"""What a table answers to a need, with the row that matched."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import zen
from django.utils.translation import gettext as _

from routing.models import Decision, RuleSet
from routing.need import Need
from routing.rules.compile import TABLE_NODE, check_nodes, compile_rule_set
from routing.rules.schema import check_need


class NoPublishedRules(LookupError):
    """No version of this kind of table is published yet."""


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
    """A row as compiled: its conditions hold canonical cells, without those that match anything."""

    rule_id: int
    description: str
    conditions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """One compiled version, ready to be asked from any thread."""

    rule_set_id: int
    kind: str
    version: int
    rows: tuple[TableRow, ...]
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
                conditions={
                    name.removeprefix("in:"): cell for name, cell in rule.items() if name.startswith("in:") and cell
                },
            )
            for rule in content["rules"]
        )
        engine = zen.ZenEngine().create_decision(json.dumps(document))
        return cls(rule_set.pk, rule_set.kind, rule_set.version, rows, engine)

    def answer(self, need: Need) -> Answer:
        """The first row that matches. Raises InvalidNeed when a fact has the wrong type."""
        check_need(need)
        response = self.engine.evaluate(need.to_json(), {"trace": True})
        matched = response["trace"][TABLE_NODE]["traceData"]
        row = matched["index"]
        return Answer(
            table=self,
            need=need,
            row=row + 1,
            rule_id=self.rows[row].rule_id,
            outputs=response["result"],
            trace={"row": row + 1, "cells": self.rows[row].conditions, "values": matched["reference_map"]},
        )


def published_table(kind: str) -> Table:
    """The published table of a kind. Raises NoPublishedRules.

    Which version is published is asked of the database each time (one look-up in a partial unique index), so that
    every process follows a publication at once; the compiled engine of a version is kept, since a version never changes.
    """
    found = (
        RuleSet.objects.filter(kind=kind, status=RuleSet.Status.PUBLISHED).values_list("pk", "published_at").first()
    )
    if found is None:
        label = RuleSet.Kind(kind).label
        raise NoPublishedRules(_("No version of the table “%(kind)s” is published yet.") % {"kind": label})
    rule_set_id, published_at = found
    return _kept_table(rule_set_id, published_at)


def table_of(rule_set: RuleSet) -> Table:
    """The table of any version: a published or retired one as it was compiled, a draft as it stands now.

    Raises TableRefused when a draft cannot be compiled.
    """
    if rule_set.status == RuleSet.Status.DRAFT:
        return Table.from_document(rule_set, compile_rule_set(rule_set))
    return _kept_table(rule_set.pk, rule_set.published_at)


@lru_cache(maxsize=64)
def _kept_table(rule_set_id: int, published_at: object) -> Table:
    """`published_at` is part of the key, so that an id that is used again (a restored database) is read again."""
    rule_set = RuleSet.objects.get(pk=rule_set_id, compiled__isnull=False)
    return Table.from_document(rule_set, rule_set.compiled or {})
