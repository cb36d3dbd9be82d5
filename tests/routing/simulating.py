"""Short words for tests that simulate a day: two files, one call of the command."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command

TRACE_HEAD = "arrived_at,patience_s,handling_s,priority,skill,kind,queue"
STAFFING_HEAD = "agent,from,to,skills"


def files(folder: Path, trace: str, staffing: str) -> tuple[Path, Path]:
    """Both files as they are given, or below the usual head when they have none."""
    paths = folder / "trace.csv", folder / "staffing.csv"
    paths[0].write_text(trace if trace.startswith("arrived_at") else f"{TRACE_HEAD}\n{trace}")
    paths[1].write_text(staffing if staffing.startswith("agent") else f"{STAFFING_HEAD}\n{staffing}")
    return paths


def simulate(folder: Path, trace: str, staffing: str, **options: Any) -> dict[str, Any]:
    """What the command prints as JSON."""
    printed = StringIO()
    call_command("simulate_routing", *files(folder, trace, staffing), json=True, stdout=printed, **options)
    found: dict[str, Any] = json.loads(printed.getvalue())
    return found


def pieces(folder: Path, trace: str, staffing: str, **options: Any) -> list[dict[str, str]]:
    """What became of each piece, as the command writes it."""
    path = folder / "pieces.csv"
    simulate(folder, trace, staffing, pieces=path, **options)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
