"""What an import did or would do, added up: the figures, and the rows that people should look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from conversations.services.importing import CREATED, LINKED, REFUSED, UNCHANGED, Outcome

MOST_SHOWN: Final = 200


@dataclass(slots=True)
class Report:
    """`shown` has the first rows with conflicts or problems, then the first others, 200 of each at most."""

    rows: int = 0
    created: int = 0
    linked: int = 0
    unchanged: int = 0
    refused: int = 0
    conflicts: int = 0
    problems: int = 0
    troubled: list[Outcome] = field(default_factory=list)
    others: list[Outcome] = field(default_factory=list)

    @property
    def shown(self) -> list[Outcome]:
        """The rows to look at, those with conflicts or problems first."""
        return [*self.troubled, *self.others][:MOST_SHOWN]

    def add(self, outcome: Outcome) -> None:
        """Counts one more row."""
        self.rows += 1
        self.created += outcome.action == CREATED
        self.linked += outcome.action == LINKED
        self.unchanged += outcome.action == UNCHANGED
        self.refused += outcome.action == REFUSED
        self.conflicts += len(outcome.conflicts)
        self.problems += len(outcome.problems)
        kept = self.troubled if outcome.conflicts or outcome.problems else self.others
        if len(kept) < MOST_SHOWN:
            kept.append(outcome)


def add_up(outcomes: Iterable[Outcome]) -> Report:
    """The report of all of them."""
    report = Report()
    for each in outcomes:
        report.add(each)
    return report


def lines(outcome: Outcome) -> Iterator[tuple[int, str, str]]:
    """What there is to say of a row's troubles: line, column, sentence; what cannot be used before what differs."""
    for each in (*outcome.problems, *outcome.conflicts):
        yield each.line, each.column, each.sentence
