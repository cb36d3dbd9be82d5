"""How long finding a caller takes among a thousand and a million customers.

A caller says name, postcode and date of birth, each with five hypotheses of which the first is misheard half of the time; one in three
leaves a fact out. Floor: one look-up of a customer by public id, same machine, same connection, in between. FIND_SIZES changes the sizes.
"""

from __future__ import annotations

import calendar
import os
import random
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from conversations.models import Customer
from conversations.services import identity
from tests.benchmarks import population
from tests.benchmarks.population import Person
from tests.support.database import throwaway_database

SIZES = tuple(int(size) for size in os.environ.get("FIND_SIZES", "1000,1000000").split(","))
CALLERS = 300
WANTED_MS = 50.0
LETTERS = "abcdefghijklmnoprstuvwyz"


def measure() -> Iterator[dict[str, Any]]:
    """Yields the 95th percentile of a find at each size, beside that of a look-up by key."""
    for size in SIZES:
        with throwaway_database("caller_find"):
            population.fill(size)
            yield _figure(size)


def _figure(size: int) -> dict[str, Any]:
    dice = random.Random(population.SEED)
    callers = [(person, _facts(person, dice)) for person in population.sample(size, CALLERS)]
    ours, theirs, computing, right = [], [], [], 0
    for warm in (True, False):
        for person, facts in callers[:20] if warm else callers:
            before = time.thread_time()
            took, found = _timed(lambda facts=facts: identity.find(facts))
            computed = (time.thread_time() - before) * 1000
            floor_took, _ = _timed(lambda person=person: Customer.objects.filter(public_id=uuid.UUID(int=person.id)).first())
            if not warm:
                ours.append(took)
                computing.append(computed)
                theirs.append(floor_took)
                right += bool(found) and found[0].customer.pk == person.id
    value, floor = (statistics.quantiles(times, n=20)[-1] for times in (ours, theirs))
    return {
        "name": f"caller_find.p95.{size}",
        "value": round(value, 2),
        "unit": "ms",
        "floor": round(floor, 2),
        "ratio": round(value / floor, 1),
        "wanted": f"<= {WANTED_MS}" if size == max(SIZES) else None,
        "conditions": {
            "customers": size,
            "finds": len(ours),
            "p50": round(statistics.median(ours), 2),
            "of_which_computing_p95": round(statistics.quantiles(computing, n=20)[-1], 2),
            "ranked_first_share": round(right / len(ours), 3),
            "hypotheses": 5,
            "facts": "name, postcode, date of birth; a third of callers leave one out",
            "cores": os.cpu_count(),
            "clients": 1,
            "floor": "one customer by public id",
        },
    }


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return (time.perf_counter() - start) * 1000, result


def _facts(person: Person, dice: random.Random) -> dict[str, list[str]]:
    born = person.date_of_birth
    spaced = f"{person.postcode[:-3]} {person.postcode[-3:]}"
    facts = {
        "name": _misheard(person.name, dice),
        "postcode": _misheard(spaced, dice),
        "date_of_birth": _misheard(f"{born.day} {calendar.month_name[born.month]} {born.year}", dice),
    }
    if dice.random() < 1 / 3:
        facts.pop(dice.choice(sorted(facts)))
    return facts


def _misheard(text: str, dice: random.Random) -> list[str]:
    """Five hypotheses; the right one comes first half of the time, else second."""
    wrong = [_changed(text, dice) for _ in range(4)]
    return [text, *wrong] if dice.random() < 0.5 else [wrong[0], text, *wrong[1:]]


def _changed(text: str, dice: random.Random) -> str:
    """One letter or digit replaced by another one of its kind."""
    places = [number for number, character in enumerate(text) if character.isalnum()]
    place = dice.choice(places)
    other = dice.choice("0123456789" if text[place].isdigit() else LETTERS)
    return text[:place] + other + text[place + 1 :]
