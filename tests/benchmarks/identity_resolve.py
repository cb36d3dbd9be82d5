"""How long it takes to find out whose record a returning party's identifiers belong to, at a thousand and a million customers.

Value: the 95th percentile at a million. Floor: the same at a thousand, in the same run; rounds alternate between the two
databases, and each round's percentile goes into a median. Every party is a returning one: a caller by number, a browser by its
token, or both at once; each is resolved in a transaction of its own, which is committed. The database is warm.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator
from time import perf_counter
from typing import Any

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from conversations.services import identity
from conversations.services.parties import IdentifierClaim
from tests.benchmarks import population
from tests.support.database import other_database, throwaway_database

SMALL = 1_000
LARGE = int(os.environ.get("BENCH_CUSTOMERS", "1000000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
CONTACTS = 600
WANTED_RATIO = 1.5
WANTED_STATEMENTS = 3


def measure() -> Iterator[dict[str, Any]]:
    """Yields the percentile at a million beside the one at a thousand, and the statements of the common path."""
    with throwaway_database("identity_small"):
        population.fill(SMALL)
        small = str(connection.settings_dict["NAME"])
        with throwaway_database("identity_large"):
            population.fill(LARGE)
            large = str(connection.settings_dict["NAME"])
            sides = {small: _contacts(SMALL), large: _contacts(LARGE)}
            rounds: dict[str, list[tuple[float, float]]] = {small: [], large: []}
            statements = 0
            for number in range(ROUNDS + 1):
                for name, contacts in sides.items():
                    with other_database(name):
                        figures = _round(contacts)
                        statements = max(statements, _statements(contacts[0]))
                    if number:  # the first round warms caches
                        rounds[name].append(figures)
    conditions = (
        f"{CONTACTS} returning parties a round (half callers by number, half browsers), {ROUNDS} alternating rounds after a warm-up,"
        f" one connection, one committed transaction each, fsync on; floor: the same with {SMALL:,} customers in the same run; p50"
        f" {1000 * statistics.median(p50 for p50, _ in rounds[large]):.2f} ms beside"
        f" {1000 * statistics.median(p50 for p50, _ in rounds[small]):.2f} ms"
    )
    value, floor = (1000 * statistics.median(p95 for _, p95 in rounds[name]) for name in (large, small))
    yield {
        "name": f"identity_resolve p95 at {LARGE:,} customers",
        "value": round(value, 3),
        "unit": "ms",
        "floor": round(floor, 3),
        "ratio": round(value / floor, 2),
        "wanted": f"at most {WANTED_RATIO} times the floor",
        "conditions": conditions,
    }
    yield {
        "name": "identity_resolve statements of a returning party",
        "value": statements,
        "unit": "statements",
        "floor": WANTED_STATEMENTS,
        "ratio": round(statements / WANTED_STATEMENTS, 2),
        "wanted": f"at most {WANTED_STATEMENTS}",
        "conditions": "without the transaction's own begin and commit",
    }


def _contacts(count: int) -> list[IdentifierClaim]:
    found = []
    for number, person in enumerate(population.sample(count, min(count, 2 * CONTACTS))):
        kind, assurance = ("phone", "network_hint") if number % 2 else ("visitor", "verified")
        known = [value for each, value, held in person.identifiers if (each, held) == (kind, assurance)]
        if known:
            found.append(IdentifierClaim(kind, known[0], assurance))
    return found[:CONTACTS]


def _round(contacts: list[IdentifierClaim]) -> tuple[float, float]:
    """The median and the 95th percentile, in seconds."""
    taken = []
    for claim in contacts:
        begun = perf_counter()
        with transaction.atomic():
            identity.resolve([claim], source="benchmark")
        taken.append(perf_counter() - begun)
    return statistics.median(taken), statistics.quantiles(taken, n=20)[-1]


def _statements(claim: IdentifierClaim) -> int:
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        identity.resolve([claim], source="benchmark")
    return len(queries)
