"""Finding whose record it may be by what was heard: name, postcode, date of birth, numbers of orders and accounts, phone, email.

It reads only, and says nothing of what a record holds beyond how it agrees with what was said. Finding is not identifying: a
record that is found is nobody's proof.
"""

from __future__ import annotations

import datetime
import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

import numpy as np
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from conversations.likeness import codes, dates, folding, names, weighing
from conversations.likeness.dates import DateReading
from conversations.likeness.weighing import Agreement, Population, Record, Weighed
from conversations.models import Booking, Customer, Identifier
from conversations.models.identifier import NUMBER_AS_SAID
from conversations.models.schedule import REFERENCE_AS_SAID
from conversations.services import identity

FACTS: Final = ("order_number", "account_number", "name", "date_of_birth", "postcode", "phone", "email")
"""What a caller may be found by, in the order in which it is asked for when nothing is known yet."""
CODES: Final = ("order_number", "account_number", "phone", "email")
SURE: Final = 0.99
"""The score from which on no further fact is asked for."""

MOST_HYPOTHESES: Final = 20
MOST_ANSWERS: Final = 6
MOST_FOUND: Final = 10
MOST_WEIGHED: Final = 200
MOST_MATCHING: Final = 4000
MOST_NAMESAKES: Final = 300
"""Records that are looked at for their name alone when more was heard: enough for a rare name, and a common one tells nothing."""
MOST_BY_CODE: Final = 50
SAMPLE: Final = 1000
PAGED_FOR_SAMPLE: Final = 4000
COUNTED_EXACTLY: Final = 20_000
"""Tables that seem smaller than this are counted; of larger ones PostgreSQL's own estimate is taken."""

GROUPS: Final = "123456"
LONGEST_SOUND: Final = 4
"""The groups of consonants, and how many of them make a sound, as `conversations_sounds` in the migrations has it."""
MOST_WIDENED: Final = 2

MOST_SOUNDS, MOST_YEARS, MOST_BIRTHDAYS, MOST_HEADS, MOST_TAILS, MOST_EXACT = 5, 2, 3, 2, 3, 12
"""How many readings of each are looked for: fewer of those that many records share."""

Facts = Mapping[str, Sequence[str] | Sequence[Sequence[str]]]
"""By the name of a fact: the hypotheses of its answer, best first; or those of each answer, when it was asked for several times."""


@dataclass(frozen=True, slots=True)
class Found:
    """A record that may be the caller's: `score` is how likely, 0 to 1, `log_odds` the same as odds in nats, which tells high ones apart.

    `agreement` says for each fact that was heard whether it is the same, like it, different, or unknown to the record.
    """

    customer: Customer
    score: float
    log_odds: float
    agreement: Mapping[str, Agreement]


class _Keys(NamedTuple):
    """Search keys: of `telling` ones a record needs one. The others many records have, so it needs them of two kinds.

    `names` are two words of a name; `years` a word and the year of birth; `heads` one of these and the beginning of the postcode.
    """

    telling: list[str]
    names: list[str]
    years: list[str]
    heads: list[str]


@dataclass(frozen=True, slots=True)
class _Heard:
    """The answers to each fact, cleaned, and how they are read."""

    answers: Mapping[str, list[list[str]]]
    languages: tuple[str, ...]
    region: str
    postcode_lengths: tuple[int, ...] = ()

    def together(self, fact: str) -> list[str]:
        """All hypotheses of all answers."""
        return [hypothesis for answer in self.answers.get(fact, ()) for hypothesis in answer]

    def births(self, hypotheses: Sequence[str]) -> list[DateReading]:
        return dates.read(hypotheses, self.languages, latest_year=timezone.localdate().year)

    def postcodes(self, hypotheses: Sequence[str]) -> list[str]:
        return codes.read(hypotheses, self.languages, lengths=self.postcode_lengths)

    def codes(self, fact: str, hypotheses: Sequence[str]) -> list[str]:
        """Readings of a number in the form in which `_codes` gives those of records."""
        if fact in ("order_number", "account_number"):
            return codes.read(hypotheses, self.languages)
        written = list(hypotheses)
        if fact == "phone":
            read = codes.read(hypotheses, self.languages)
            written += [*read, *(f"+{each}" for each in read)]
        return list(dict.fromkeys(normal for each in written if (normal := _normal(fact, each, self.region))))[: codes.MOST_READINGS]


def find(facts: Facts, *, language: str = "en", region: str = "") -> list[Found]:
    """The records that what was heard may be about, likeliest first, at most ten; empty when it is like none.

    `facts` are hypotheses by the names in FACTS; other names are left out. `language` is the one spoken, `region` the country of
    phone numbers without a country code. Joined records are found as the one they count for. Takes no locks.
    """
    heard = _clean(facts, language, region)
    if not any(heard.answers.values()):
        return []
    population = _population()
    heard = _Heard(heard.answers, heard.languages, region, tuple(population.postcode_lengths))
    roots = _candidates(heard)
    if not roots:
        return []
    return _ranked(heard, roots, population)


def next_fact(facts: Facts, found: Sequence[Found]) -> str | None:
    """The fact to ask for next: of those not heard yet, the one whose answer would best separate the records found.

    What separates is the entropy of a fact's values over the records, weighed by their scores; the chance that it is none of them
    counts for every fact that the records have. None when one record is sure enough, or nothing is left that could tell more.
    """
    left = [fact for fact in FACTS if not facts.get(fact)]
    if not left or (found and found[0].score >= SURE):
        return None
    if not found:
        return next((fact for fact in ("name", "date_of_birth", "postcode", *left) if fact in left), None)
    values = _values([each.customer for each in found])
    gains = {fact: _entropy([(values[each.customer.pk].get(fact), each.score) for each in found]) for fact in left}
    best = max(left, key=lambda fact: gains[fact])
    return best if gains[best] > 0 else None


def _clean(facts: Facts, language: str, region: str) -> _Heard:
    answers = {fact: _answers(facts[fact]) for fact in FACTS if fact in facts}
    return _Heard(answers, tuple(dict.fromkeys((language, "en"))), region)


def _answers(given: Sequence[str] | Sequence[Sequence[str]]) -> list[list[str]]:
    """The last few answers, each a few usable hypotheses."""
    if isinstance(given, str):
        given = [given]
    flat = [each for each in given if isinstance(each, str)]
    several = [flat] if flat else [list(each) for each in given if not isinstance(each, str)]
    return [answer for each in several[-MOST_ANSWERS:] if (answer := _hypotheses(each))]


def _hypotheses(answer: Iterable[str]) -> list[str]:
    cut = (each[: folding.LONGEST].replace("\x00", " ").encode("utf-8", "ignore").decode().strip() for each in answer)
    return list(dict.fromkeys(each for each in cut if each))[:MOST_HYPOTHESES]


def _population() -> Population:
    """How many customers there are, and up to 1,000 that have a name, from pages spread over the table.

    They are the same ones as long as the table does not change, so the same question gets the same answer.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = 'conversations_customer'::regclass")
        size = int(cursor.fetchone()[0])
        if size < COUNTED_EXACTLY:
            size = Customer.objects.filter(root=None).count()
        cursor.execute(
            "SELECT name, date_of_birth, postcode FROM conversations_customer TABLESAMPLE SYSTEM (%s) REPEATABLE (1)"
            " WHERE root_id IS NULL AND name <> '' LIMIT %s",
            [min(100.0, 100 * PAGED_FOR_SAMPLE / max(size, 1)), SAMPLE],
        )
        return Population(size, [weighing.record(*row) for row in cursor.fetchall()])


def _candidates(heard: _Heard) -> list[int]:
    """The roots of the records that share most with what was heard, the most telling first."""
    by_code = [root for fact in CODES if (readings := heard.codes(fact, heard.together(fact))) for root in _with_code(fact, readings)]
    births = heard.births(heard.together("date_of_birth"))
    postcodes = heard.postcodes(heard.together("postcode"))
    born = [date for reading in births if (date := _date(reading))][:MOST_EXACT]
    keys = _search_keys(_sounds(heard), births, postcodes)
    if not (any(keys) or born or postcodes):
        return list(dict.fromkeys(by_code))
    exact = postcodes[:MOST_EXACT]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH matching AS (
                (
                    SELECT id, root_id, search_keys, date_of_birth, postcode FROM conversations_customer
                    WHERE search_keys && %(telling)s::text[]
                       OR (search_keys && %(years)s::text[] AND search_keys && %(heads)s::text[])
                       OR (search_keys && %(names)s::text[] AND search_keys && (%(years)s::text[] || %(heads)s::text[]))
                       OR date_of_birth = ANY(%(born)s::date[]) OR postcode = ANY(%(exact)s::varchar[])
                    LIMIT %(most_matching)s
                ) UNION (
                    SELECT id, root_id, search_keys, date_of_birth, postcode FROM conversations_customer
                    WHERE search_keys && %(names)s::text[] LIMIT %(most_namesakes)s
                )
            )
            SELECT coalesce(root_id, id) FROM matching
            ORDER BY (SELECT count(*) FROM unnest(search_keys) AS key WHERE key = ANY(%(all)s::text[]))
                   + coalesce((date_of_birth = ANY(%(born)s::date[]))::int, 0) + (postcode = ANY(%(exact)s::varchar[]))::int DESC, id
            LIMIT %(most_weighed)s
            """,
            keys._asdict()
            | {"all": [key for each in keys for key in each], "born": born, "exact": exact}
            | {"most_matching": MOST_MATCHING, "most_namesakes": MOST_NAMESAKES, "most_weighed": MOST_WEIGHED},
        )
        return list(dict.fromkeys([*by_code, *(root for (root,) in cursor.fetchall())]))


def _sounds(heard: _Heard) -> list[list[str]]:
    """The sounds of the words of each hypothesis of the name, as the database hears them."""
    said = ["".join(each.split()) if names.read([each]).spelled else each for each in heard.together("name")]
    if not said:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conversations_sounds(said) FROM unnest(%s::text[]) WITH ORDINALITY AS heard(said, place) ORDER BY place", [said]
        )
        return [sounds for (sounds,) in cursor.fetchall()]


def _search_keys(sounds: Sequence[Sequence[str]], births: Sequence[DateReading], postcodes: Sequence[str]) -> _Keys:
    """The keys under which records are found that agree in two parts; see `conversations_search_keys` in the migrations."""
    pairs = dict.fromkeys(pair for each in sounds for pair in itertools.combinations(sorted(each), 2))
    if not (births or postcodes):
        pairs |= dict.fromkeys(near for pair in list(pairs)[:MOST_WIDENED] for near in _nearby_pairs(*pair))
    else:
        pairs = dict.fromkeys(list(pairs)[:MOST_SOUNDS])
    words = _first((f"n{sound}" for each in sounds for sound in each), MOST_SOUNDS)
    years = _first((f"y{birth.year:04d}" for birth in births if birth.year), MOST_YEARS)
    days = _first((f"d{birth.month:02d}{birth.day:02d}" for birth in births if birth.month and birth.day), MOST_BIRTHDAYS)
    heads = _first((f"h{postcode[:3]}" for postcode in postcodes), MOST_HEADS)
    tails = _first((f"t{postcode[-3:]}" for postcode in postcodes), MOST_TAILS)
    telling = [*_crossed(words, [*days, *tails]), *_crossed(days, [*heads, *tails]), *_crossed(years, tails)]
    common = [f"n{one}n{other}" for one, other in pairs], _crossed(words, years), _crossed([*words, *years], heads)
    if sum(bool(kind) for kind in common) > 1:
        return _Keys(telling, *common)
    return _Keys([*telling, *itertools.chain(*common)], [], [], [])


def _crossed(ones: Iterable[str], others: Iterable[str]) -> list[str]:
    return [one + other for one, other in itertools.product(ones, others)]


def _nearby_pairs(one: str, other: str) -> Iterator[tuple[str, str]]:
    """Pairs of sounds of which one was misheard by a group of consonants; with nothing but a name, there is no other way to it."""
    for misheard, kept in ((one, other), (other, one)):
        for place in range(len(misheard)):
            before, after = misheard[:place], misheard[place + 1 :]
            for group in ("", *GROUPS):
                for near in (before + group + after, before + group + misheard[place:], before + after + group):
                    first, second = sorted((near[:LONGEST_SOUND] or "0", kept))
                    yield first, second


def _first(values: Iterable[str], count: int) -> list[str]:
    return list(dict.fromkeys(values))[:count]


def _with_code(fact: str, readings: Sequence[str]) -> list[int]:
    """The records that have one of these numbers; a number that very many have finds only some of them."""
    if fact == "order_number":
        rows = Booking.objects.alias(said=REFERENCE_AS_SAID).filter(said__in=readings)
        return list(rows.order_by("pk").values_list("customer", flat=True)[:MOST_BY_CODE])
    known = Identifier.objects.filter(kind=Identifier.Kind.EXTERNAL if fact == "account_number" else fact)
    found = known.alias(said=NUMBER_AS_SAID).filter(said__in=readings) if fact == "account_number" else known.filter(value__in=readings)
    return list(found.order_by("pk").values_list("customer", flat=True)[:MOST_BY_CODE])


def _ranked(heard: _Heard, roots: Sequence[int], population: Population) -> list[Found]:
    rows = Customer.objects.filter(Q(pk__in=roots) | Q(root__in=roots)).order_by("pk")
    held = list(rows.values_list(Coalesce("root", "pk"), "name", "date_of_birth", "postcode"))
    known_codes = _codes(roots, [fact for fact in CODES if heard.answers.get(fact)])
    records = [weighing.record(name, born, postcode, known_codes[root]) for root, name, born, postcode in held]
    standing = {root: number for number, root in enumerate(dict.fromkeys(root for root, *_ in held))}
    places = [standing[root] for root, *_ in held]
    total = np.zeros(len(standing))
    agreements: list[dict[str, Agreement]] = [{} for _ in standing]
    for fact, answers in heard.answers.items():
        if answers:
            weighed = weighing.over_answers(answers, partial(_weigh, fact, heard, records, population))
            best = _best_of_each(weighed, places, len(standing))
            total += weighed.weights[best]
            for root, number in enumerate(best):
                agreements[root][fact] = weighed.agreements[number]
    odds = weighing.log_odds(total, population.size)
    ranked = sorted((-odds[place], root, place) for root, place in standing.items() if total[place] > 0)[:MOST_FOUND]
    customers = Customer.objects.in_bulk([root for _, root, _ in ranked])
    return [
        Found(customers[root], weighing.probability(float(odds[place])), float(odds[place]), agreements[place])
        for _, root, place in ranked
        if root in customers
    ]


def _weigh(fact: str, heard: _Heard, records: Sequence[Record], population: Population, hypotheses: Sequence[str]) -> Weighed:
    if fact == "name":
        return weighing.name(hypotheses, records, population)
    if fact == "date_of_birth":
        return weighing.date_of_birth(heard.births(hypotheses), records, population)
    if fact == "postcode":
        return weighing.postcode(heard.postcodes(hypotheses), records, population)
    return weighing.code(fact, heard.codes(fact, hypotheses), records, population)


def _best_of_each(weighed: Weighed, places: Sequence[int], count: int) -> list[int]:
    """For each root the number of its record that agrees best; one that knows the fact before one that does not."""
    best = [-1] * count
    for number, place in enumerate(places):
        rank = (weighed.agreements[number] != "unknown", weighed.weights[number])
        if best[place] < 0 or rank > (weighed.agreements[best[place]] != "unknown", weighed.weights[best[place]]):
            best[place] = number
    return best


def _codes(roots: Iterable[int], facts: Sequence[str]) -> dict[int, dict[str, frozenset[str]]]:
    """The numbers that records are known by, by root and fact, in the form in which they are compared."""
    roots = set(roots)
    found: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    if "order_number" in facts:
        for root, said in Booking.objects.filter(customer__in=roots).values_list("customer", REFERENCE_AS_SAID):
            found[root]["order_number"].add(said)
    for fact in set(facts) - {"order_number"}:
        external = fact == "account_number"
        rows = Identifier.objects.filter(customer__in=roots, kind=Identifier.Kind.EXTERNAL if external else fact)
        for root, value in rows.values_list("customer", NUMBER_AS_SAID if external else "value"):
            found[root][fact].add(value)
    return {root: {fact: frozenset(values) for fact, values in found[root].items()} for root in roots}


def _values(customers: Sequence[Customer]) -> dict[int, dict[str, object]]:
    """What each record holds of each fact, for comparing them with one another only."""
    known = _codes([each.pk for each in customers], CODES)
    values: dict[int, dict[str, object]] = {}
    for each in customers:
        own = {"name": each.name.casefold(), "date_of_birth": each.date_of_birth, "postcode": each.postcode}
        values[each.pk] = {**known[each.pk], **{fact: value for fact, value in own.items() if value}}
    return values


def _entropy(held: Sequence[tuple[object, float]]) -> float:
    """The entropy, in nats, of values over records with these scores; what no record was found for has a value of its own, and records
    without a value tell nothing.
    """
    shares: dict[object, float] = defaultdict(float)
    for value, score in held:
        if value is not None:
            shares[value] += score
    if not shares:
        return 0.0
    elsewhere = max(0.0, 1 - sum(score for _, score in held))
    return -sum(share * math.log(share) for share in [*shares.values(), elsewhere] if share > 0)


def _date(reading: DateReading) -> datetime.date | None:
    if not (reading.year and reading.month and reading.day):
        return None
    try:
        return datetime.date(reading.year, reading.month, reading.day)
    except ValueError:
        return None


def _normal(kind: str, value: str, region: str) -> str | None:
    try:
        return identity.normalise(kind, value, region)
    except identity.InvalidIdentifier:
        return None
