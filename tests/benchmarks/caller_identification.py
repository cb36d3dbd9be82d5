"""How often the right record is found by what callers say, with the recognition's errors.

Data: the Polish part of EVI (Spithourakis et al., 2022; CC BY 4.0), in a folder of its own: EVI_DATA, by default ../shared/data/evi-pl
beside the project. 1,991 dialogues in which callers are asked three times each for postcode, name and date of birth, with the
recognition's hypotheses, and the 10,000 records of which `scenario_id` names the right one.

Each dialogue is gone through turn by turn. Counted are all dialogues: right when the record that ranks first has the named scenario
and its odds reach the threshold; wrong when another one does. The threshold is the lowest at which at most 0.4 % of the dialogues are
wrong.
The floor asks which record has most facts that equal some hypothesis exactly.
"""

from __future__ import annotations

import csv
import itertools
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from conversations.likeness import codes, dates, folding
from conversations.models import Customer
from conversations.services import identity
from tests.support.database import throwaway_database

FOLDER = Path(os.environ.get("EVI_DATA") or settings.BASE_DIR.parent / "shared" / "data" / "evi-pl")
STEP = int(os.environ.get("BENCH_EVERY", "1"))
MOST_WRONG = 0.004
FACTS = {"postcode": "postcode", "name": "name", "dob": "date_of_birth"}
LANGUAGES = ("pl", "en")


@dataclass(frozen=True)
class Dialogue:
    """The answers in the order in which they were given, as (fact, hypotheses)."""

    scenario: str
    turns: list[tuple[str, list[str]]]


@dataclass(frozen=True)
class Outcome:
    """What ranked first after the last turn: how strongly, whether it was right, and whether it agrees in all three facts.

    `scenario_agrees` says whether the record of the scenario has any fact that equals a hypothesis.
    """

    strength: float
    right: bool
    agrees: bool = False
    scenario_agrees: bool = True


def measure() -> Iterator[dict[str, Any]]:
    """Yields the share of right records; at the threshold of the other half; without callers who named another record; ranked first."""
    if not (FOLDER / "dialogues.pl.tsv").exists():
        print(f"The dialogues are not in {FOLDER}: set EVI_DATA to the folder with dialogues.pl.tsv and records.pl.csv.", file=sys.stderr)
        return
    dialogues = _dialogues()[::STEP]
    with throwaway_database("caller_identification"):
        scenarios = _fill()
        floor = _exact(dialogues)
        found, turns = _found(dialogues, scenarios)
    yield _figure("right", found, floor, 0.70)
    yield _figure("right_by_the_other_half_s_threshold", _halves(found), _halves(floor), None, threshold=0.0)
    named_another = [
        number for number, outcome in enumerate(found) if outcome.agrees and not outcome.right and not floor[number].scenario_agrees
    ]
    ours = [outcome for number, outcome in enumerate(found) if number not in named_another]
    theirs = [outcome for number, outcome in enumerate(floor) if number not in named_another]
    yield _figure("right_where_callers_were_not_another", ours, theirs, None, left_out=len(named_another))
    yield {**_figure("ranked_first", found, floor, None, threshold=-1e9), "turns_until_ranked_first": turns}


def _figure(name: str, ours: list[Outcome], theirs: list[Outcome], wanted: float | None, **given: float) -> dict[str, Any]:
    count, left_out = len(ours), given.get("left_out", 0)
    at, floor_at = (given["threshold"] if "threshold" in given else _threshold(outcomes) for outcomes in (ours, theirs))
    value, floor = _right(ours, at) / count, _right(theirs, floor_at) / count
    return {
        "name": f"caller_identification.{name}",
        "value": round(value, 4),
        "unit": "share of dialogues",
        "floor": round(floor, 4),
        "ratio": round(value / floor, 3) if floor else None,
        "wanted": f">= {wanted}" if wanted else None,
        "conditions": {
            "dialogues": count,
            "left_out": left_out,
            "records": 10_000,
            "denominator": "all dialogues" if not left_out else "dialogues not left out",
            "wrong": _wrong(ours, at),
            "floor_wrong": _wrong(theirs, floor_at),
            "most_wrong": MOST_WRONG,
            "threshold_log_odds": round(at, 2),
            "answers": "up to three for each of postcode, name, date of birth",
        },
    }


def _threshold(outcomes: Sequence[Outcome]) -> float:
    """The lowest strength down to which at most 0.4 % of the dialogues are wrong; equal strengths stand or fall together."""
    allowed, wrong, lowest = MOST_WRONG * len(outcomes), 0, float("inf")
    for strength, equal in itertools.groupby(sorted(outcomes, key=lambda each: -each.strength), key=lambda each: each.strength):
        wrong += sum(not each.right for each in equal)
        if wrong > allowed:
            break
        lowest = strength
    return lowest


def _right(outcomes: Sequence[Outcome], threshold: float) -> int:
    return sum(each.right and each.strength >= threshold for each in outcomes)


def _wrong(outcomes: Sequence[Outcome], threshold: float) -> int:
    return sum(not each.right and each.strength >= threshold for each in outcomes)


def _halves(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The outcomes with strengths counted from the threshold that the other half of the dialogues, every second one, gives."""
    limits = [_threshold(outcomes[1::2]), _threshold(outcomes[::2])]
    return [Outcome(each.strength - limits[number % 2], each.right) for number, each in enumerate(outcomes)]


def _found(dialogues: Sequence[Dialogue], scenarios: dict[int, str]) -> tuple[list[Outcome], dict[int, int]]:
    """The outcomes, and how many dialogues have the right record first after how many turns."""
    outcomes = []
    first_right: Counter[int] = Counter()
    for dialogue in dialogues:
        heard: dict[str, list[list[str]]] = defaultdict(list)
        found: list[identity.Found] = []
        for number, (fact, hypotheses) in enumerate(dialogue.turns, 1):
            heard[fact].append(hypotheses)
            found = identity.find(heard, language="pl") if hypotheses else found
            first_right[number] += bool(found) and scenarios[found[0].customer.pk] == dialogue.scenario
        outcomes.append(_outcome(found, scenarios, dialogue))
    return outcomes, dict(sorted(first_right.items()))


def _outcome(found: Sequence[identity.Found], scenarios: dict[int, str], dialogue: Dialogue) -> Outcome:
    if not found:
        return Outcome(float("-inf"), right=False)
    agrees = all(found[0].agreement.get(fact) in ("same", "like") for fact in FACTS.values())
    return Outcome(found[0].log_odds, scenarios[found[0].customer.pk] == dialogue.scenario, agrees)


def _exact(dialogues: Sequence[Dialogue]) -> list[Outcome]:
    """Exact matching: the record with most facts that equal a hypothesis; a tie is nobody."""
    by_value: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in _records():
        for fact, value in (("name", _name(row["name"])), ("postcode", row["postcode"].replace("-", "")), ("date_of_birth", row["dob"])):
            by_value[fact, value].add(row["scenario_id"])
    outcomes = []
    for dialogue in dialogues:
        said = {(fact, value) for fact, hypotheses in dialogue.turns for value in _values(fact, hypotheses)}
        facts_by_scenario: dict[str, set[str]] = defaultdict(set)
        for fact, value in said:
            for scenario in by_value.get((fact, value), ()):
                facts_by_scenario[scenario].add(fact)
        most = max((len(facts) for facts in facts_by_scenario.values()), default=0)
        first = [scenario for scenario, facts in facts_by_scenario.items() if len(facts) == most]
        alone = first[0] if len(first) == 1 else ""
        strength = float(most) if alone else float("-inf")
        outcomes.append(Outcome(strength, alone == dialogue.scenario, scenario_agrees=dialogue.scenario in facts_by_scenario))
    return outcomes


def _values(fact: str, hypotheses: Sequence[str]) -> list[str]:
    if fact == "name":
        return [_name(hypothesis) for hypothesis in hypotheses]
    if fact == "postcode":
        return codes.read(hypotheses, LANGUAGES)
    readings = dates.read(hypotheses, LANGUAGES, latest_year=timezone.localdate().year)
    return [f"{each.year:04d}-{each.month:02d}-{each.day:02d}" for each in readings if None not in each]


def _name(text: str) -> str:
    return " ".join(folding.words(text))


def _fill() -> dict[int, str]:
    """Makes the records customers; their scenarios by number."""
    rows = [
        Customer(name=row["name"], date_of_birth=row["dob"], postcode=row["postcode"].replace("-", ""), language="pl") for row in _records()
    ]
    made = Customer.objects.bulk_create(rows, batch_size=1000)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE conversations_customer")
    return {customer.pk: row["scenario_id"] for customer, row in zip(made, _records(), strict=True)}


def _records() -> list[dict[str, str]]:
    with (FOLDER / "records.pl.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def _dialogues() -> list[Dialogue]:
    dialogues: dict[str, Dialogue] = {}
    with (FOLDER / "dialogues.pl.tsv").open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            dialogue = dialogues.setdefault(row["dialogue_id"], Dialogue(row["scenario_id"], []))
            dialogue.turns.append((FACTS[row["item"]], json.loads(row["nbest"] or "[]")))
    return list(dialogues.values())
