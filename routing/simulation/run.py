"""One simulation from files to figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

from routing.simulation.company import read_company
from routing.simulation.database import throwaway_database
from routing.simulation.day import Day, Piece
from routing.simulation.figures import Figures, add_up
from routing.simulation.plan import fit, set_the_stage
from routing.simulation.reading import read_staffing, read_trace


@dataclass(frozen=True)
class Result:
    """The figures of each queue and, last, of all; what became of each piece; what managers must know; how long each part took."""

    figures: list[Figures]
    pieces: list[Piece]
    notes: list[str]
    seconds: dict[str, float]


def simulate(trace: Path, staffing: Path, *, queues: Sequence[str], zone: ZoneInfo) -> Result:
    """Plays a trace with a staffing and the company's policy. The company's database is read and never written.

    `zone` is that of times without an offset. Raises UnusableInput for files that cannot be played and NoDatabase when
    the server does not allow a throwaway database.
    """
    began = perf_counter()
    plan = fit(read_company(), read_trace(trace, zone), read_staffing(staffing, zone), queues)
    with throwaway_database():
        stage = set_the_stage(plan)
        ready = perf_counter()
        pieces = Day(plan, stage).pass_by()
    ended = perf_counter()
    levels = {code: queue.service_level.answer_within_seconds for code, queue in stage.queues.items()}
    capacities = {name: agent.capacity for name, agent in stage.agents.items()}
    figures = add_up(pieces, plan.staffing.shifts, capacities, levels)
    return Result(figures, pieces, plan.notes, {"preparing": round(ready - began, 2), "playing": round(ended - ready, 2)})
