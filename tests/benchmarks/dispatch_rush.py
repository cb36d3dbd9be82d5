"""A rush through the real distributor: 10,000 pieces, 500 agents, 32 workers in processes of their own, and what the rows say of it.

Workers take, decline, pass on, wrap up and finish until nothing waits. Value: how many things are so that may never be, counted
from the rows by the statements of tests/routing/rush.py: two owners, too much load, inversions, work without an end. Wanted: none.
BENCH_PIECES, BENCH_AGENTS and BENCH_WORKERS change the size.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

from routing.models import AgentProfile, WorkItem
from routing.signals import presence_changed, reservation_changed, work_item_changed
from tests.routing import rush
from tests.routing.conftest import make_company
from tests.support.database import throwaway_database

PIECES = int(os.environ.get("BENCH_PIECES", "10000"))
AGENTS = int(os.environ.get("BENCH_AGENTS", "500"))
WORKERS = int(os.environ.get("BENCH_WORKERS", "32"))


def measure() -> Iterator[dict[str, Any]]:
    """Yields the violations of one rush."""
    for signal in (reservation_changed, work_item_changed, presence_changed):
        signal.receivers = []  # routing alone: what listens to it belongs to others
    with throwaway_database("rush"):
        company = make_company()
        rush.fill_the_line(PIECES)
        agents = rush.crew(company, AGENTS)
        begun = time.monotonic()
        exits = rush.work_through_in_processes(agents, workers=WORKERS, seed=1)
        seconds = time.monotonic() - begun
        unfinished = WorkItem.objects.exclude(state__in=["completed", "canceled"]).count()
        found = rush.violations() | ({"work without an end": unfinished} if unfinished else {})
        yield {
            "name": "dispatch_rush",
            "value": sum(found.values()),
            "unit": "violations",
            "floor": None,
            "ratio": None,
            "wanted": "0",
            "conditions": {
                "pieces": PIECES,
                "agents": AGENTS,
                "workers": WORKERS,
                "workers_that_failed": sum(code != 0 for code in exits),
                "load_left": sum(AgentProfile.objects.values_list("load", flat=True)),
                "pieces_a_second": round(PIECES / seconds, 1),
                "found": found,
                "cores": os.cpu_count(),
                "fsync": True,
            },
        }
