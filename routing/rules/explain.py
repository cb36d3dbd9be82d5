"""Why a table answered what it did, in sentences for people."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from routing.models import RuleSet
from routing.rules.cells import matches
from routing.rules.evaluate import Answer, TableRow
from routing.rules.schema import fact_named

ROWS_EXPLAINED = 3
MOST_ROWS_LISTED = 50


@dataclass(frozen=True, slots=True)
class RowAbove:
    """A row above the one that matched, and the first of its cells that did not. `row` counts from 1."""

    row: int
    description: str
    why: str


def which_row(answer: Answer) -> str:
    """Which row matched, and by which facts."""
    matched = answer.table.rows[answer.row - 1]
    return _("Row %(row)d of %(table)s version %(version)d matched, “%(description)s”%(because)s.") % {
        "row": answer.row,
        "table": str(RuleSet.Kind(answer.table.kind).label).lower(),
        "version": answer.table.version,
        "description": matched.description,
        "because": _because(matched, answer),
    }


def explain(answer: Answer, escalation: Answer | None = None) -> str:
    """Which row matched, by which facts, why the nearest rows above it did not, and which row of the escalation table did."""
    sentences = [which_row(answer)]
    above = answer.table.rows[: answer.row - 1]
    unexplained = max(0, len(above) - ROWS_EXPLAINED)
    for number, row in enumerate(above[unexplained:], start=unexplained + 1):
        sentences.append(
            _("Row %(row)d (“%(description)s”) did not: %(why)s.")
            % {"row": number, "description": row.description, "why": _first_mismatch(row, answer)}
        )
    if unexplained == 1:
        sentences.append(_("Neither did row 1."))
    elif unexplained:
        sentences.append(_("Neither did rows 1 to %(last)d.") % {"last": unexplained})
    if escalation is not None:
        sentences.append(which_row(escalation))
    return " ".join(sentences)


def rows_above(answer: Answer) -> tuple[list[RowAbove], int]:
    """Why each row above did not match, the nearest ones in the table's order, and how many above those are not listed."""
    above = list(enumerate(answer.table.rows[: answer.row - 1], start=1))
    listed = [RowAbove(number, row.description, _first_mismatch(row, answer)) for number, row in above[-MOST_ROWS_LISTED:]]
    return listed, len(above) - len(listed)


def _because(row: TableRow, answer: Answer) -> str:
    if not row.conditions:
        return _(", which takes what no other row takes")
    facts = _(" and ").join(_stated(name, answer) for name in row.conditions)
    return _(": %(facts)s") % {"facts": facts}


def _stated(name: str, answer: Answer) -> str:
    return _("%(fact)s is %(value)s") % {"fact": _label(name), "value": _shown(answer.table.value_of(answer.need, name))}


def _first_mismatch(row: TableRow, answer: Answer) -> str:
    for name, cell in row.conditions.items():
        value = answer.table.value_of(answer.need, name)
        if not matches(cell, value):
            return _("%(fact)s is %(value)s, not %(cell)s") % {
                "fact": _label(name),
                "value": _shown(value),
                "cell": _cell_in_words(cell),
            }
    return _("it matches, but a row above it came first")


def _label(name: str) -> str:
    fact = fact_named(name)
    return str(fact.label).lower() if fact else name


def _shown(value: object) -> str:
    if value is None:
        return _("not known")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return f"{value:.9f}".rstrip("0").rstrip(".")
    return str(value) or _("none")


def _cell_in_words(cell: str) -> str:
    words = {"true": _("yes"), "false": _("no")}
    return words.get(cell, cell.replace('"', ""))
