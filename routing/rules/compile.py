"""From the rows that managers write to one decision table in JDM, the rule engine's JSON.

The document has exactly three nodes: input, decision table, output. No other type of node is ever written
or accepted: the engine's function nodes run code and can open network connections.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from routing.models import Rule, RuleSet
from routing.rules.cells import CellError, canonical
from routing.rules.reach import unreachable_rows
from routing.rules.schema import OUTPUTS, Output, Vocabulary

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

ALLOWED_NODES = ("inputNode", "decisionTableNode", "outputNode")
TABLE_NODE = "table"
MOST_ROWS = 2000


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a table. `row` counts from 1; `column` is a fact or an output; `character` counts from 1 in the cell."""

    message: str
    row: int | None = None
    column: str = ""
    column_label: str | StrPromise = ""
    character: int | None = None

    def __str__(self) -> str:
        if self.row is None:
            return self.message
        if not self.column:
            return _("Row %(row)d: %(message)s") % {"row": self.row, "message": self.message}
        return _("Row %(row)d, column “%(column)s”: %(message)s") % {
            "row": self.row,
            "column": self.column_label or self.column,
            "message": self.in_its_cell,
        }

    @property
    def in_its_cell(self) -> str:
        """The message as it stands at the cell itself: where in it, and why."""
        return at_character(self.message, self.character)


def at_character(message: str, character: int | None) -> str:
    """A message about a cell with the place in it, counted from 1; the message alone when it is about the whole cell."""
    if character is None:
        return message
    return _("At character %(character)d: %(message)s") % {"character": character, "message": message}


class TableRefused(ValueError):
    """A table cannot be used; `problems` says what, and in which row and column."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = list(problems)


class NodeNotAllowed(ValueError):
    """A JDM document holds something other than one decision table."""


def compile_rule_set(rule_set: RuleSet, vocabulary: Vocabulary | None = None) -> dict[str, Any]:
    """The JDM document of a set's rows as they stand in the database. Raises TableRefused with every problem."""
    rows = list(rule_set.rules.order_by("position", "id"))
    return compile_rows(rule_set.kind, rows, vocabulary or Vocabulary.current())


def compile_rows(kind: str, rows: Sequence[Rule], vocabulary: Vocabulary) -> dict[str, Any]:
    """The JDM document of rows in the order given. Raises TableRefused with every problem found."""
    if len(rows) > MOST_ROWS:
        raise TableRefused(
            [Problem(_("The table has %(rows)d rows; %(most)d are the most.") % {"rows": len(rows), "most": MOST_ROWS})]
        )
    problems: list[Problem] = []
    conditions = [
        _checked_conditions(kind, row, number, vocabulary, problems) for number, row in enumerate(rows, start=1)
    ]
    outputs = [_checked_outputs(kind, row, number, vocabulary, problems) for number, row in enumerate(rows, start=1)]
    problems += _problems_of_the_whole(conditions, vocabulary)
    if problems:
        raise TableRefused(sorted(problems, key=lambda problem: problem.row or 0))
    numbers = {name for name, fact in vocabulary.declared.items() if fact.type == "number"}
    return document_of_rows(kind, rows, [cells or {} for cells in conditions], outputs, numbers)


def check_nodes(document: Mapping[str, Any]) -> None:
    """Raises NodeNotAllowed unless the document is made of the allowed types of nodes only."""
    for node in document.get("nodes", []):
        if node.get("type") not in ALLOWED_NODES:
            raise NodeNotAllowed(_("A table may not hold a node of type “%(type)s”.") % {"type": node.get("type")})


def checked_output(output: Output, value: object, vocabulary: Vocabulary) -> Any:
    """One output in its stored form; its default when empty. Raises CellError."""
    if value is None or value == "" or value == []:
        if output.required:
            raise CellError(_("This is needed."))
        return list(output.default) if isinstance(output.default, tuple) else output.default
    if output.type == "choice":
        return _known(value, output, vocabulary)
    if output.type == "choices":
        if not isinstance(value, list | tuple):
            raise CellError(_("A list of values belongs here."))
        return [_known(each, output, vocabulary) for each in value]
    if output.type == "whole_number":
        return _whole_number(value, output)
    if output.type == "yes_no":
        if not isinstance(value, bool):
            raise CellError(_("This is yes or no."))
        return value
    return _code(value)


def missing_outputs(answers: Sequence[tuple[Output, Any]]) -> Iterable[tuple[Output, str]]:
    """The empty outputs that another one makes necessary, each with a sentence."""
    said = {output.name: value for output, value in answers}
    for output, value in answers:
        if output.name == "queue" and not value and said.get("handler") == "human":
            yield output, _("A person is to act, so a queue is needed.")
        if output.name == "escalation_reason" and not value and said.get("escalate") is True:
            yield output, _("It escalates, so a word for why is needed.")


def _known(value: object, output: Output, vocabulary: Vocabulary) -> str:
    known = vocabulary.of(output.values)
    if not isinstance(value, str) or value not in known:
        shown = str(value)[:60]
        raise CellError(
            _("There is no “%(value)s”. It can be: %(known)s.") % {"value": shown, "known": ", ".join(sorted(known))}
        )
    return value


def _whole_number(value: object, output: Output) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not output.lowest <= value <= output.highest:
        raise CellError(
            _("This is a whole number from %(lowest)d to %(highest)d.")
            % {"lowest": output.lowest, "highest": output.highest}
        )
    return value


def _code(value: object) -> str:
    if not isinstance(value, str) or len(value) > 40 or not value.replace("_", "").isalnum():
        raise CellError(_("Use a word of at most 40 letters, digits and underscores."))
    return value


def _checked_conditions(
    kind: str, row: Rule, number: int, vocabulary: Vocabulary, problems: list[Problem]
) -> dict[str, str] | None:
    """Fact name -> canonical cell, without the cells that match anything; None when a cell cannot be used."""
    before = len(problems)
    if not isinstance(row.conditions, dict):
        problems.append(Problem(_("The conditions are not a set of cells."), number))
        return None
    checked = {}
    for name, cell in row.conditions.items():
        fact = vocabulary.fact_named(name)
        if fact is None:
            shown = name[:60]
            problems.append(Problem(_("“%(name)s” is not a fact that routing knows.") % {"name": shown}, number, shown))
            continue
        if fact.only_in not in ("", kind):
            sentence = _("Only a table of the kind “%(kind)s” may ask for this.") % {"kind": RuleSet.Kind(fact.only_in).label}
            problems.append(Problem(sentence, number, name, fact.label))
            continue
        try:
            expression = canonical(cell, fact, vocabulary)
        except CellError as error:
            character = None if error.at is None else error.at + 1
            problems.append(Problem(str(error), number, name, fact.label, character))
            continue
        if expression:
            checked[name] = expression
    return checked if len(problems) == before else None


def _checked_outputs(
    kind: str, row: Rule, number: int, vocabulary: Vocabulary, problems: list[Problem]
) -> dict[str, Any]:
    if not isinstance(row.outputs, dict):
        problems.append(Problem(_("The outputs are not a set of values."), number))
        return {}
    declared = OUTPUTS[kind]
    for name in sorted(set(row.outputs) - {output.name for output in declared}):
        problems.append(
            Problem(_("“%(name)s” is not an output of this table.") % {"name": name[:60]}, number, name[:60])
        )
    checked = {}
    for output in declared:
        try:
            checked[output.name] = checked_output(output, row.outputs.get(output.name), vocabulary)
        except CellError as error:
            problems.append(Problem(str(error), number, output.name, output.label))
    given = [(output, row.outputs.get(output.name)) for output in declared]
    for output, sentence in missing_outputs(given):
        problems.append(Problem(sentence, number, output.name, output.label))
    return checked


def _problems_of_the_whole(conditions: Sequence[dict[str, str] | None], vocabulary: Vocabulary) -> Iterable[Problem]:
    if not conditions:
        yield Problem(_("The table has no rows. It needs at least a last row without conditions, which matches anything."))
        return
    if conditions[-1] != {}:
        yield Problem(
            _("The last row must match anything: leave all its conditions empty, so that nothing stays undecided."),
            len(conditions),
        )
    for number, cells in enumerate(conditions[:-1], start=1):
        if cells == {}:
            yield Problem(_("This row matches anything, so the rows below it can never match."), number)
            break
    yield from _rows_never_reached(conditions, vocabulary)


def _rows_never_reached(conditions: Sequence[dict[str, str] | None], vocabulary: Vocabulary) -> Iterable[Problem]:
    facts = {name: fact for cells in conditions for name in cells or () if (fact := vocabulary.fact_named(name)) is not None}
    for found in unreachable_rows(conditions, facts):
        if not found.above:
            sentence = _("This row can never match: no need meets all its conditions.")
        elif len(found.above) > 1:
            rows = ", ".join(str(row) for row in found.above)
            sentence = _("This row can never match: rows %(rows)s above it take everything that it could.") % {"rows": rows}
        elif conditions[found.above[0] - 1] == conditions[found.row - 1]:
            sentence = _("This row can never match: row %(row)d above it has the same conditions.") % {"row": found.above[0]}
        else:
            sentence = _("This row can never match: row %(row)d above it takes everything that it could.") % {"row": found.above[0]}
        yield Problem(sentence, found.row)


def document_of_rows(
    kind: str,
    rows: Sequence[Rule],
    conditions: Sequence[dict[str, str]],
    outputs: Sequence[dict[str, Any]],
    numbers: Collection[str] = (),
) -> dict[str, Any]:
    """The JDM document of rows with canonical cells and checked outputs, as many of each as there are rows. Checks nothing.

    Columns of `numbers` are declared facts that are read as numbers. The document says which, so that a version answers alike
    whatever is declared later.
    """
    facts = list(dict.fromkeys(name for cells in conditions for name in cells))
    answers = [output.name for output in OUTPUTS[kind]]
    table = {
        "hitPolicy": "first",
        "inputs": [{"id": f"in:{name}", "name": name, "field": name} | ({"type": "number"} if name in numbers else {}) for name in facts],
        "outputs": [{"id": f"out:{name}", "name": name, "field": name} for name in answers],
        "rules": [
            {
                "_id": str(row.pk),
                "_description": row.description,
                **{f"in:{name}": cells.get(name, "") for name in facts},
                **{f"out:{name}": json.dumps(answer[name], ensure_ascii=False) for name in answers},
            }
            for row, cells, answer in zip(rows, conditions, outputs, strict=True)
        ],
    }
    return {
        "contentType": "application/vnd.gorules.decision",
        "nodes": [
            {"id": "request", "name": "Need", "type": "inputNode", "position": {"x": 0, "y": 0}},
            {
                "id": TABLE_NODE,
                "name": kind,
                "type": "decisionTableNode",
                "position": {"x": 300, "y": 0},
                "content": table,
            },
            {"id": "response", "name": "Outcome", "type": "outputNode", "position": {"x": 600, "y": 0}},
        ],
        "edges": [
            {"id": "in", "sourceId": "request", "targetId": TABLE_NODE, "type": "edge"},
            {"id": "out", "sourceId": TABLE_NODE, "targetId": "response", "type": "edge"},
        ],
    }
