"""A table that is asked about thousands of needs at once, of which most are alike to it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from routing.need import Need
from routing.rules.evaluate import Table
from routing.rules.schema import fact_named

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_QUOTED = re.compile(r'"([^"]*)"')
Likeness = Callable[[Any], Any]
"""What of a value a column can tell apart: equal for two values that every cell of it matches alike."""


@dataclass(frozen=True, slots=True)
class RecallingTable(Table):
    """The same answers as the table's; the engine is asked once for all needs that no cell of the table tells apart."""

    likenesses: tuple[Likeness, ...] = field(default=(), repr=False, compare=False)
    known: dict[tuple[Any, ...], int] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, table: Table) -> RecallingTable:
        """The same table, with nothing to recall yet."""
        likenesses = tuple(
            _likeness(name, name in table.numbers, {row.conditions.get(name, "") for row in table.rows}) for name in table.facts
        )
        return cls(table.rule_set_id, table.kind, table.version, table.rows, table.facts, table.numbers, table.engine, likenesses)

    def row_for(self, need: Need) -> int:
        """Asks the engine when it has not answered for a need that is alike; counts from 1."""
        asked = tuple(likeness(self.value_of(need, name)) for name, likeness in zip(self.facts, self.likenesses, strict=True))
        number = self.known.get(asked)
        if number is None:
            number = self.known[asked] = Table.row_for(self, need)
        return number


def _likeness(name: str, is_number: bool, cells: set[str]) -> Likeness:
    fact = fact_named(name)
    if fact is None or fact.type == "yes_no":
        return lambda value: value
    if is_number or fact.type == "number":
        points = sorted({float(number) for cell in cells for number in _NUMBER.findall(cell)})
        return lambda value: None if value is None else (bisect_left(points, value), bisect_right(points, value))
    words = {word for cell in cells for word in _QUOTED.findall(cell)}
    return lambda value: value if value in words else None
