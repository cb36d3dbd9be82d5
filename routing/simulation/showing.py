"""A simulation in words: a table for people, JSON for programs, a file of all pieces for spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from routing.simulation.day import Piece
from routing.simulation.figures import Figures, wait_of
from routing.simulation.run import Result

PIECES_HEAD = ("line", "queue", "arrived_at", "kind", "priority", "outcome", "wait_s", "agent", "finished_at")


def as_json(result: Result) -> dict[str, Any]:
    """Everything, with None where there is no figure; times in seconds, shares in per cent."""
    *queues, everything = [asdict(figures) for figures in result.figures]
    return {"queues": queues, "all": everything, "notes": list(result.notes), "seconds": result.seconds}


def as_table(result: Result) -> Iterator[str]:
    """The lines of a table, one row for each queue and one for all."""
    rows = [_head(), *(_row(figures) for figures in result.figures)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        first, *others = row
        yield "  ".join([first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]).rstrip()
    yield ""
    yield from result.notes


def write_pieces(path: Path, pieces: Sequence[Piece]) -> None:
    """Writes one line for each piece. Raises OSError."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(PIECES_HEAD)
        writer.writerows(_piece(piece) for piece in pieces)


def _piece(piece: Piece) -> list[object]:
    outcome = "answered" if piece.answered_at else "gave_up" if piece.gave_up_at else "still_waiting"
    arrival, finished = piece.arrival, piece.finished_at
    wait = wait_of(piece)
    return [
        arrival.line, piece.queue, arrival.at.isoformat(), arrival.kind, arrival.priority, outcome,
        "" if wait is None else wait, _harmless(piece.agent), finished.isoformat() if finished else "",
    ]


def _harmless(name: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name


def _head() -> list[str]:
    return [
        _("queue"), _("came"), _("answered"), _("gave up"), _("left"), _("waited"), _("mean"), _("median"), _("p95"), _("level"),
        _("in time"), _("occupancy"), _("inversions"),
    ]


def _row(figures: Figures) -> list[str]:
    left = str(figures.still_waiting)
    level = "" if figures.level_seconds is None else _duration(figures.level_seconds)
    counts = [str(figures.came), str(figures.answered), f"{figures.gave_up} ({_percent(figures.abandonment)})", left]
    waits = [_percent(figures.had_to_wait), *(_duration(wait) for wait in (figures.wait_mean, figures.wait_median, figures.wait_p95))]
    shares = [_percent(figures.service_level), _percent(figures.occupancy)]
    return [figures.queue or _("all"), *counts, *waits, level, *shares, str(figures.inversions)]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1f} %"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02} min"
