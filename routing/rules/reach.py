"""Which rows of a table can never decide: what their cells can match, and what the rows above leave of it.

A row's conditions are a box: for each fact the values that its cell matches. The boxes of the rows above are taken away from it
one by one; when nothing is left, no need ever reaches the row. That is exact for every type of cell, but for the limit
`MOST_PIECES`, beyond which a row is only compared with each row above alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from routing.rules.schema import DECLARED_FACT_PREFIX, Fact

MOST_PIECES = 200
Edge = tuple[Decimal, int]
"""A number, and whether just under it (-1), at it (0) or just over it (1)."""
_COMPARED = re.compile(r"(>=|<=|==|!=|>|<) (\S+)")
_SPANNED = re.compile(r"([\[(])(.+)\.\.(.+)([\])])")
_QUOTED = re.compile(r'"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Words:
    """The listed texts or, with `others`, every text but them, a missing one included."""

    listed: frozenset[str]
    others: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.listed and not self.others

    def within(self, other: Any) -> Words:
        """What both hold; `other` is of the same class."""
        if self.others and other.others:
            return Words(self.listed | other.listed, others=True)
        if other.others:
            return Words(self.listed - other.listed)
        return Words(other.listed - self.listed if self.others else self.listed & other.listed)

    def without(self, other: Any) -> Words:
        """What this holds and the other does not."""
        return self.within(Words(other.listed, not other.others))


@dataclass(frozen=True, slots=True)
class Numbers:
    """Spans of numbers, each from its first to its last edge, in order and apart."""

    spans: tuple[tuple[Edge, Edge], ...]

    @property
    def is_empty(self) -> bool:
        return not self.spans

    def within(self, other: Any) -> Numbers:
        """What both hold; `other` is of the same class."""
        both = ((max(low, other_low), min(high, other_high)) for low, high in self.spans for other_low, other_high in other.spans)
        return Numbers(tuple(span for span in both if span[0] <= span[1]))

    def without(self, other: Any) -> Numbers:
        """What this holds and the other does not."""
        left = self
        for low, high in other.spans:
            left = left.within(Numbers(((_LOWEST, (low[0], low[1] - 1)), ((high[0], high[1] + 1), _MISSING))))
        return left


Values = Words | Numbers
Box = Mapping[str, Values]
_LOWEST: Edge = (Decimal("-Infinity"), 0)
_HIGHEST: Edge = (Decimal("Infinity"), 0)
_MISSING: Edge = (Decimal("Infinity"), 1)
"""Stands for a declared number that a need does not have: beyond all numbers, so that comparisons leave it out."""
_ANY_WORD = Words(frozenset(), others=True)
_YES_OR_NO = Words(frozenset(("true", "false")))


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A row that never decides. `above` are the rows that take all it could match; without any, its own cells exclude everything."""

    row: int
    above: tuple[int, ...]


def unreachable_rows(conditions: Sequence[Mapping[str, str] | None], facts: Mapping[str, Fact]) -> list[Unreachable]:
    """The rows with canonical cells that no need can reach, in order; rows count from 1. A row that cannot be read is None.

    A last row without conditions is never among them: it is compulsory, whatever the rows above it take. A row without
    conditions elsewhere hides all below it; they are not listed one by one.
    """
    everything = {name: _everything(fact) for name, fact in facts.items()}
    boxes: list[Box | None] = []
    found = []
    for number, cells in enumerate(conditions, start=1):
        if cells is None:
            boxes.append(None)
            continue
        box = {name: everything[name].within(_values(cell, facts[name])) for name, cell in cells.items()}
        if any(values.is_empty for values in box.values()):
            found.append(Unreachable(number, ()))
        elif box:
            if above := _taken_by(box, boxes, everything):
                found.append(Unreachable(number, above))
        elif number < len(conditions):
            break
        boxes.append(box)
    return found


def _taken_by(box: Box, above: Sequence[Box | None], everything: Box) -> tuple[int, ...]:
    """The rows above that together match all that a box holds: one alone where there is one; none when something is left."""
    meeting = [(number, other) for number, other in enumerate(above, start=1) if other is not None and _meet(box, other)]
    for number, other in meeting:
        if all(_of(box, name, everything).without(values).is_empty for name, values in other.items()):
            return (number,)
    pieces: list[Box] = [box]
    taken = []
    for number, other in meeting:
        left = [part for piece in pieces for part in _without(piece, other, everything)]
        if left != pieces:
            taken.append(number)
        if not left:
            return tuple(taken)
        if len(left) > MOST_PIECES:
            return ()
        pieces = left
    return ()


def _meet(one: Box, other: Box) -> bool:
    """Whether some need is in both boxes."""
    return not any(name in one and one[name].within(values).is_empty for name, values in other.items())


def _without(piece: Box, other: Box, everything: Box) -> list[Box]:
    """What is left of a piece, in pieces that have nothing in common."""
    if not _meet(piece, other):
        return [piece]
    left: list[Box] = []
    for name, values in other.items():
        whole = _of(piece, name, everything)
        outside = whole.without(values)
        if not outside.is_empty:
            left.append({**piece, name: outside})
        piece = {**piece, name: whole.within(values)}
    return left


def _of(box: Box, name: str, everything: Box) -> Values:
    return box[name] if name in box else everything[name]


def _everything(fact: Fact) -> Values:
    """All that a need can say of a fact: a declared one may be missing, and says what customers say, whatever its span."""
    if fact.type == "yes_no":
        return _YES_OR_NO
    if fact.type == "number" and fact.name.startswith(DECLARED_FACT_PREFIX):
        return Numbers(((_LOWEST, _HIGHEST), (_MISSING, _MISSING)))
    if fact.type == "number":
        low = _LOWEST if fact.lowest is None else (Decimal(str(fact.lowest)), 0)
        high = _HIGHEST if fact.highest is None else (Decimal(str(fact.highest)), 0)
        return Numbers(((low, high),))
    return _ANY_WORD


def _values(cell: str, fact: Fact) -> Values:
    """What a canonical cell matches."""
    if fact.type == "yes_no":
        return Words(frozenset((cell,)))
    if fact.type != "number":
        return Words(frozenset(_QUOTED.findall(cell)), others=cell.startswith(("!=", "not in")))
    if span := _SPANNED.fullmatch(cell):
        opening, low, high, closing = span.groups()
        edges = (Decimal(low), int(opening == "(")), (Decimal(high), -int(closing == ")"))
        return Numbers((edges,) if edges[0] <= edges[1] else ())
    values = Numbers(((_LOWEST, _MISSING),))
    for operator, number in _COMPARED.findall(cell) or [("==", cell)]:
        values = values.within(Numbers(_compared(operator, Decimal(number))))
    return values


def _compared(operator: str, number: Decimal) -> tuple[tuple[Edge, Edge], ...]:
    spans: dict[str, tuple[tuple[Edge, Edge], ...]] = {
        "==": (((number, 0), (number, 0)),),
        "!=": ((_LOWEST, (number, -1)), ((number, 1), _MISSING)),
        ">": (((number, 1), _HIGHEST),),
        ">=": (((number, 0), _HIGHEST),),
        "<": ((_LOWEST, (number, -1)),),
        "<=": ((_LOWEST, (number, 0)),),
    }
    return spans[operator]
