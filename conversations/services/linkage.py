"""Which records may be of one person: a statistical model that learns from the records themselves.

The model is Fellegi and Sunter's: each comparison adds or takes away evidence in bits, log2 of how much likelier its outcome is
for one person than for two. How likely it is for two is counted over random pairs; how likely for one is learnt by
expectation maximisation, without labels. Splink does the work, inside DuckDB, in memory that is bounded. Both are an optional extra
(requirements-linkage.txt), loaded when they are needed; nothing else imports them.
"""

from __future__ import annotations

import logging
import math
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any, Final

from django.utils.translation import gettext as _

THRESHOLD: Final = 0.95
FEWEST_PEOPLE: Final = 100
MOST_IN_A_BLOCK: Final = 500
"""A value that more records share than this says little, and comparing all of them takes long."""
SEED: Final = 20_261_126
PAIRS_TO_SAMPLE: Final = 2_000_000
MEMORY: Final = "512MB"
THREADS: Final = 2
BATCH: Final = 10_000
ASSUMED_RECALL: Final = 0.7
"""How many of the pairs that are one person agree on everything in one of SURE_AGREEMENTS."""
SURE_AGREEMENTS: Final = (
    ("given_name", "family_name", "born"),
    ("family_name", "born", "postcode"),
    ("given_name", "born", "postcode"),
    ("given_name", "list_min(phones)"),
    ("given_name", "list_min(emails)"),
)
TAUGHT_BY: Final = (("born",), ("given_name", "family_name"), ("postcode", "family_name"), ("list_min(phones)",), ("list_min(emails)",))
"""What pairs agree on from which the other comparisons are learnt; each comparison is learnt where it is not agreed on."""
COMPARED: Final = (
    *TAUGHT_BY,
    ("given_name", "postcode"),
    ("address",),
)
"""What pairs have to agree on to be compared at all, once for phones and emails each."""
FEWEST_TEACHING_PAIRS: Final = 20
LEVELS: Final[dict[str, tuple[str, ...]]] = {
    "given_name": ("same", "similar", "different"),
    "family_name": ("same", "similar", "different"),
    "born": ("same", "one_slip", "different"),
    "home": ("same", "similar_same_postcode", "similar", "same_postcode", "different"),
    "phones": ("same", "different"),
    "emails": ("same", "different"),
}
"""The outcomes of each comparison, the closest first; a record in which something is missing is compared by the rest."""
_USUAL: Final[dict[str, tuple[float, ...]]] = {
    "given_name": (0.8, 0.1, 0.1),
    "family_name": (0.8, 0.1, 0.1),
    "born": (0.9, 0.05, 0.05),
    "home": (0.4, 0.2, 0.1, 0.1, 0.2),
    "phones": (0.6, 0.4),
    "emails": (0.6, 0.4),
}
"""How often each outcome is to be expected of one person, where the records teach nothing of it."""
_COLUMNS: Final = {
    "unique_id": "BIGINT",
    "given_name": "VARCHAR",
    "family_name": "VARCHAR",
    "born": "VARCHAR",
    "address": "VARCHAR",
    "postcode": "VARCHAR",
    "phones": "VARCHAR[]",
    "emails": "VARCHAR[]",
}
_RARE: Final = "CASE WHEN count(*) OVER (PARTITION BY {0}) <= {1} THEN {0} END AS {0}"
_TITLES: Final = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir"})

logging.getLogger("splink").setLevel(logging.ERROR)


class NotInstalled(Exception):
    """The optional extra is missing; the message says how to install it."""


class TooFew(Exception):
    """There is too little to learn from; the message says what there is."""


@dataclass(frozen=True, slots=True)
class Person:
    """A record to be compared: everything but the number may be empty. Phones and emails in normal form."""

    number: int
    name: str = ""
    born: date | None = None
    address: str = ""
    postcode: str = ""
    phones: Sequence[str] = ()
    emails: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one comparison adds, in bits; below zero it speaks against one person. `level` is one of LEVELS, or missing."""

    comparison: str
    level: str
    weight: float


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records that may be one person: the lower number first, the weights of `evidence` with the first, `prior`, add up to `weight`."""

    one: int
    other: int
    weight: float
    probability: float
    prior: float
    evidence: tuple[Evidence, ...]


def find_pairs(people: Iterable[Person], *, threshold: float = THRESHOLD) -> Iterator[Pair]:
    """The pairs that are one person at least as probably as `threshold`, the surest first.

    The same people give the same pairs. Raises NotInstalled, and TooFew when the records cannot teach the model: there
    are fewer than FEWEST_PEOPLE, or none of them agree on enough. What they teach nothing of is expected as is usual.
    """
    splink, duckdb = _loaded()
    with tempfile.TemporaryDirectory() as spill, duckdb.connect(":memory:") as connection:
        connection.execute(f"SET memory_limit = '{MEMORY}'; SET threads = {THREADS}; SET temp_directory = '{spill}'")
        connection.execute("SET autoinstall_known_extensions = false; SET autoload_known_extensions = false")
        count = _fill(connection, people)
        if count < FEWEST_PEOPLE:
            raise TooFew(_("There are %(count)d records, and it takes %(fewest)d.") % {"count": count, "fewest": FEWEST_PEOPLE})
        linker = _taught(splink, connection)
        yield from _pairs(connection, linker, threshold)


def _loaded() -> tuple[Any, Any]:
    try:
        import duckdb
        import splink
    except ImportError as error:
        raise NotInstalled(
            _("Looking for records of one person needs an extra: pip install -c constraints.txt -r requirements-linkage.txt")
        ) from error
    return splink, duckdb


def _fill(connection: Any, people: Iterable[Person]) -> int:
    """Puts the people into the table `people`, batch by batch, without values that too many of them share; returns how many."""
    import pyarrow

    columns = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
    connection.execute(f"CREATE TABLE everybody ({columns})")
    kinds = {"BIGINT": pyarrow.int64(), "VARCHAR": pyarrow.string(), "VARCHAR[]": pyarrow.list_(pyarrow.string())}
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in _COLUMNS.items()])
    each = iter(people)
    while batch := [_row(person) for person in islice(each, BATCH)]:
        connection.register("batch", pyarrow.Table.from_pylist(batch, schema=schema))
        connection.execute("INSERT INTO everybody SELECT * FROM batch")
        connection.unregister("batch")
    rare = ", ".join(_RARE.format(name, MOST_IN_A_BLOCK) for name in ("born", "address"))
    connection.execute(f"CREATE TABLE people AS SELECT * REPLACE ({rare}) FROM everybody")  # noqa: S608  # names of our own
    connection.execute("DROP TABLE everybody")
    return int(connection.execute("SELECT count(*) FROM people").fetchall()[0][0])


def _row(person: Person) -> dict[str, Any]:
    names = [word for word in _plain(person.name).split() if word not in _TITLES]
    return {
        "unique_id": person.number,
        "given_name": names[0] if names else None,
        "family_name": names[-1] if len(names) > 1 else None,
        "born": person.born.isoformat() if person.born else None,
        "address": _plain(person.address) or None,
        "postcode": _plain(person.postcode).replace(" ", "") or None,
        "phones": sorted(set(person.phones)) or None,
        "emails": sorted(set(person.emails)) or None,
    }


def _plain(text: str) -> str:
    """Small letters and digits without accents, words parted by one space."""
    parted = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.sub(r"[^\w\s]|_", " ", re.sub(r"[\u0300-\u036f'’]", "", parted)).split())


def _taught(splink: Any, connection: Any) -> Any:
    """The linker over the table `people`, having learnt from it. Raises TooFew."""
    database = splink.DuckDBAPI(connection)
    linker = splink.Linker(database.register("people"), _settings(splink), log_level=None)
    training = linker.training
    training.estimate_probability_two_random_records_match([splink.block_on(*rule) for rule in SURE_AGREEMENTS], recall=ASSUMED_RECALL)
    if not 0 < linker._settings_obj._probability_two_random_records_match < 1:
        raise TooFew(_("No two records agree on enough to learn from."))
    training.estimate_u_using_random_sampling(max_pairs=PAIRS_TO_SAMPLE, seed=SEED, min_count_per_level=None)
    for rule in TAUGHT_BY:
        if _pairs_that_agree(connection, rule) >= FEWEST_TEACHING_PAIRS:
            training.estimate_parameters_using_expectation_maximisation(splink.block_on(*rule))
    _forget_nonsense(linker)
    return linker


def _pairs_that_agree(connection: Any, columns: Sequence[str]) -> int:
    known = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    counted = f"SELECT count(*) AS n FROM people WHERE {known} GROUP BY {', '.join(columns)}"  # noqa: S608  # names of our own
    return int(connection.execute(f"SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM ({counted})").fetchall()[0][0])  # noqa: S608


def _settings(splink: Any) -> Any:
    from splink import comparison_level_library as levels
    from splink import comparison_library as library

    def compared(name: str, missing: Any, *outcomes: Any) -> Any:
        chances = zip([*outcomes, levels.ElseLevel()], _USUAL[name], strict=True)
        usual = (outcome.configure(m_probability=chance) for outcome, chance in chances)
        return library.CustomComparison(output_column_name=name, comparison_levels=[missing, *usual])

    def name_compared(name: str) -> Any:
        exactly = levels.ExactMatchLevel(name, term_frequency_adjustments=True)
        return compared(name, levels.NullLevel(name), exactly, levels.JaroWinklerLevel(name, 0.88))

    def lists_compared(name: str) -> Any:
        return compared(name, levels.NullLevel(name), levels.ArrayIntersectLevel(name, min_intersection=1))

    alike = levels.JaroWinklerLevel("address", 0.85)
    same_postcode = levels.ExactMatchLevel("postcode")
    home = compared(
        "home",
        levels.And(levels.NullLevel("address"), levels.NullLevel("postcode")),
        levels.And(levels.ExactMatchLevel("address"), same_postcode),
        levels.And(alike, same_postcode),
        alike,
        same_postcode,
    )
    born = compared("born", levels.NullLevel("born"), levels.ExactMatchLevel("born"), levels.DamerauLevenshteinLevel("born", 1))
    names = (name_compared("given_name"), name_compared("family_name"))
    exploded = {"list_min(phones)": "phones", "list_min(emails)": "emails"}
    rules = [
        splink.block_on(exploded[rule[0]], arrays_to_explode=[exploded[rule[0]]]) if rule[0] in exploded else splink.block_on(*rule)
        for rule in COMPARED
    ]
    return splink.SettingsCreator(
        link_type="dedupe_only",
        comparisons=[*names, born, home, lists_compared("phones"), lists_compared("emails")],
        blocking_rules_to_generate_predictions=rules,
        retain_intermediate_calculation_columns=True,
    )


def _forget_nonsense(linker: Any) -> None:
    """Expects the usual of a comparison whose outcomes were learnt the wrong way round: agreeing against one person, differing for it.

    That is what the pairs teach when those that agree on the rest are namesakes, not one person.
    """
    for comparison in linker._settings_obj.comparisons:
        told = [level for level in comparison.comparison_levels if not level.is_null_level]
        if told[0].m_probability <= told[0].u_probability or told[-1].m_probability >= told[-1].u_probability:
            for level, chance in zip(told, _USUAL[comparison.output_column_name], strict=True):
                level.m_probability = chance


def _pairs(connection: Any, linker: Any, threshold: float) -> Iterator[Pair]:
    chance = linker._settings_obj._probability_two_random_records_match
    prior = math.log2(chance / (1 - chance))
    scored = linker.inference.predict(threshold_match_probability=threshold, warning_mode="never")
    surest_first = f"SELECT * FROM {scored.physical_name} ORDER BY match_weight DESC, unique_id_l, unique_id_r"  # noqa: S608
    found = connection.execute(surest_first)
    names = [column[0] for column in found.description]
    while rows := found.fetchmany(BATCH):
        for values in rows:
            pair = _pair(dict(zip(names, values, strict=True)), prior)
            if not _may_be_of_one_household(pair):
                yield pair


def _pair(row: dict[str, Any], prior: float) -> Pair:
    evidence = tuple(
        Evidence(name, _level(name, row[f"gamma_{name}"]), row[f"mw_{name}"] + (row.get(f"mw_tf_adj_{name}") or 0.0)) for name in LEVELS
    )
    one, other = sorted((row["unique_id_l"], row["unique_id_r"]))
    return Pair(one, other, row["match_weight"], row["match_probability"], prior, evidence)


def _level(comparison: str, gamma: int) -> str:
    """Splink numbers the outcomes from 0, the last, upwards; -1 is one that is missing."""
    return "missing" if gamma < 0 else LEVELS[comparison][-1 - gamma]


def _may_be_of_one_household(pair: Pair) -> bool:
    """Whether both records name different given names and no date of birth speaks for one person: they share a home, a phone."""
    levels = {each.comparison: each.level for each in pair.evidence}
    return levels["given_name"] == "different" and levels["born"] in ("different", "missing")
