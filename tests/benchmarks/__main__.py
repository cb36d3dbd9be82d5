"""Runs the benchmarks and prints one JSON line per figure; everything else goes to standard error."""

import importlib
import json
import sys
from collections.abc import Iterable
from typing import Any

import django

from tests.support import environment

BENCHMARKS = (
    "message_to_agent",
    "identity_resolve",
    "caller_find",
    "caller_identification",
    "linkage_quality",
    "merge",
    "customer_search",
    "decide",
    "dispatch",
    "dispatch_rush",
    "board",
    "turn_overhead",
    "voice_webhook",
    "rebuild",
    "classify",
    "reason_accuracy",
    "knowledge_recall",
)


def main(names: Iterable[str]) -> int:
    """Runs the named benchmarks, or all of them. Unknown names are an error that lists the known ones."""
    wanted = list(names) or list(BENCHMARKS)
    unknown = sorted(set(wanted) - set(BENCHMARKS))
    if unknown:
        print(f"No benchmark is called {', '.join(unknown)}. There are: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    environment.prepare()
    django.setup()
    services = environment.start_services(durable=True)
    try:
        for name in wanted:
            module: Any = importlib.import_module(f"tests.benchmarks.{name}")
            for figure in module.measure():
                print(json.dumps(figure), flush=True)
    finally:
        environment.stop_services(services)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
