"""Adds up what became of the pieces. Each figure's definition stands beside it; docs/recipes/plan-a-day.md has them for managers."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from routing.simulation.day import Piece
from routing.simulation.reading import Shift


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one queue, or of all together (`queue` is empty then). Times in seconds, shares in per cent; None: of nothing."""

    queue: str
    came: int
    answered: int
    gave_up: int
    still_waiting: int
    """When everything that could happen had happened."""
    had_to_wait: float | None
    """Of those that came: nobody took them at once."""
    wait_mean: float | None
    wait_median: float | None
    wait_p95: float | None
    """The waits of those that were answered; 95 % waited at most that long."""
    level_seconds: int | None
    service_level: float | None
    """Of those that came: answered within the seconds of their queue."""
    abandonment: float | None
    """Of those that came: gave up."""
    occupancy: float | None
    """Of the capacity of all agents in their shifts: taken by this work."""
    inversions: int
    """Pieces given to somebody who should have had an earlier one of the same class."""


def add_up(
    pieces: Sequence[Piece], shifts: Sequence[Shift], capacities: Mapping[str, int], levels: Mapping[str, int]
) -> list[Figures]:
    """The figures of each queue by its code, then those of all. `levels` are seconds by queue, `capacities` are by agent."""
    codes = sorted({piece.queue for piece in pieces})
    there = sum((shift.ends - shift.begins).total_seconds() * capacities[shift.agent] for shift in shifts)
    of_agent: dict[str, list[Shift]] = {}
    for shift in shifts:
        of_agent.setdefault(shift.agent, []).append(shift)
    found = [_figures(code, [piece for piece in pieces if piece.queue == code], levels, of_agent, there) for code in codes]
    return [*found, _figures("", pieces, levels, of_agent, there)]


def wait_of(piece: Piece) -> float | None:
    """How many seconds it waited until it was answered or gave up; None when it still waits."""
    until = piece.answered_at or piece.gave_up_at
    return (until - piece.arrival.at).total_seconds() if until else None


def _figures(
    code: str, pieces: Sequence[Piece], levels: Mapping[str, int], shifts: Mapping[str, list[Shift]], there: float
) -> Figures:
    answered = [piece for piece in pieces if piece.answered_at]
    waits = sorted(wait_of(piece) or 0.0 for piece in answered)
    gave_up = sum(piece.gave_up_at is not None for piece in pieces)
    in_time = sum((wait_of(piece) or 0.0) <= levels[piece.queue] for piece in answered)
    at_once = sum(wait == 0 for wait in waits)
    return Figures(
        queue=code,
        came=len(pieces),
        answered=len(answered),
        gave_up=gave_up,
        still_waiting=len(pieces) - len(answered) - gave_up,
        had_to_wait=_share(len(pieces) - at_once, len(pieces)),
        wait_mean=statistics.fmean(waits) if waits else None,
        wait_median=statistics.median(waits) if waits else None,
        wait_p95=waits[math.ceil(0.95 * len(waits)) - 1] if waits else None,
        level_seconds=levels[code] if code else None,
        service_level=_share(in_time, len(pieces)),
        abandonment=_share(gave_up, len(pieces)),
        occupancy=_share(sum(_taken(piece, shifts) for piece in answered), there),
        inversions=sum(piece.went_past for piece in pieces),
    )


def _taken(piece: Piece, shifts: Mapping[str, list[Shift]]) -> float:
    """How much capacity a piece took, in seconds, within the shifts of whoever had it; none while it was laid aside."""
    if piece.answered_at is None or piece.finished_at is None:
        return 0.0
    worked_on = _within(piece.answered_at, piece.finished_at, shifts[piece.agent])
    aside = sum((_within(begins, ends, shifts[piece.agent]) for begins, ends in piece.stood_still), timedelta())
    return piece.weight * (worked_on - aside).total_seconds()


def _within(begins: datetime, ends: datetime, shifts: Sequence[Shift]) -> timedelta:
    overlaps = (min(ends, shift.ends) - max(begins, shift.begins) for shift in shifts)
    return sum((max(overlap, timedelta()) for overlap in overlaps), timedelta())


def _share(part: float, whole: float) -> float | None:
    return 100 * part / whole if whole else None
