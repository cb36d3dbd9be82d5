"""How strongly what was heard speaks for each of some records.

Fellegi and Sunter's model of record linkage (1969): each fact agrees with a record at some level, and weighs the logarithm of how much
likelier that level is for the right record than for any record. How likely it is for any record is counted in a sample of
the record's own table, with the very answers that were heard, so a rare name weighs more than a common one and a long
list of hypotheses less than a short one. How likely it is for the right one (the shares `RIGHT_…`) are round figures for speech.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA, Hamming

from conversations.likeness import names
from conversations.likeness.dates import DateReading
from conversations.likeness.folding import words

Agreement = Literal["same", "like", "different", "unknown"]
Floats = NDArray[np.float64]
Answers = Sequence[Sequence[str]]
"""The hypotheses of each answer to one question, best first: an answer that was asked for again is one more."""

NAME_LEVELS: Final = (0.55, 0.7, 0.85, 0.999)
RIGHT_NAME: Final = (0.08, 0.07, 0.10, 0.20, 0.55)
"""Shares of the right record's words that are unlike what was said, or like it from each of NAME_LEVELS on."""
RIGHT_POSTCODE: Final = (0.65, 0.15, 0.08, 0.12)
"""Shares of right postcodes that are 0, 1, 2, or more edits away from what was heard."""
RIGHT_CODE: Final = (0.80, 0.10, 0.10)
"""Likewise for numbers of orders, accounts and phones: 0, 1, or more edits."""
RIGHT_PART_OF_DATE: Final = (0.85, 0.07, 0.08)
"""Shares of right days, months and years that are the same, one digit away, or different."""
COUNTED_FOR: Final = 0.5
"""What is added to each count in the sample (Jeffreys' prior), so that nothing is impossible."""
REPEATED: Final = 2.0
"""How much a further answer to the same question counts beside all together: see `over_answers` and docs/decisions/finding-a-caller.md."""
DATE_PARTS: Final = (("%04d", 1880, 2100), ("%02d", 1, 12), ("%02d", 1, 31))


@dataclass(frozen=True, slots=True)
class Record:
    """What is compared of a customer: name and codes in the form of `folded` below; empty where nothing is known."""

    words: tuple[str, ...] = ()
    date_of_birth: date | None = None
    postcode: str = ""
    codes: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Population:
    """The table that records come from: how many rows it has, and some of them."""

    size: int
    sample: Sequence[Record]

    @property
    def postcode_lengths(self) -> list[int]:
        """The lengths that postcodes have here, the commonest first."""
        lengths = [len(record.postcode) for record in self.sample if record.postcode]
        return sorted(set(lengths), key=lengths.count, reverse=True)


@dataclass(frozen=True, slots=True)
class Weighed:
    """One fact against each record: the weight in nats (0 where the record says nothing), and how they agree."""

    weights: Floats
    agreements: list[Agreement]


def record(name: str, date_of_birth: date | None, postcode: str, codes_by_fact: Mapping[str, frozenset[str]] | None = None) -> Record:
    """A record as it is compared; `postcode` and codes in capitals and digits."""
    return Record(_name_words(name), date_of_birth, postcode, codes_by_fact or {})


def over_answers(answers: Answers, weigh: Callable[[Sequence[str]], Weighed]) -> Weighed:
    """All hypotheses of all answers weighed together, and each further answer besides, which counts double.

    Recognition fails now and then, so the answers together know more than any one. Who is asked again says it in another way, mostly
    spelled or digit by digit, and is heard anew: what agrees then has been understood, and was not one of many hypotheses by chance.
    """
    together = weigh([hypothesis for answer in answers for hypothesis in answer])
    repeated = [weigh(answer).weights for answer in answers[1:] if answer]
    return Weighed(together.weights + REPEATED * np.sum([np.zeros_like(together.weights), *repeated], axis=0), together.agreements)


def name(hypotheses: Sequence[str], records: Sequence[Record], population: Population) -> Weighed:
    """Weighs each word of a record's name by the slot of what was said that it fits best.

    One word may be the first that was said; the others are among the further ones; any may have been spelled.
    """
    said = names.read(hypotheses)
    slots = ((said.first, False), (said.further, False), (said.spelled, True))
    vocabulary = sorted({word for each in records for word in each.words})
    place = {word: number for number, word in enumerate(vocabulary)}
    sampled = [each.words for each in population.sample if each.words]
    by_slot = np.array([_slot(vocabulary, sampled, slot, spelled=spelled) for slot, spelled in slots])
    exact = _best([names.likeness(vocabulary, slot) for slot, _ in slots if slot], len(vocabulary)) >= NAME_LEVELS[-1]
    weights = np.zeros(len(records))
    agreements: list[Agreement] = []
    for number, each in enumerate(records):
        places = [place[word] for word in each.words]
        if places and any(slot for slot, _ in slots):
            weights[number] = _name_weight(by_slot[:, places], [bool(slot) for slot, _ in slots])
        agreements.append(_agreement(bool(places), bool(places) and bool(exact[places].all()), float(weights[number])))
    return Weighed(weights, agreements)


def date_of_birth(readings: Sequence[DateReading], records: Sequence[Record], population: Population) -> Weighed:
    """Weighs day, month and year one by one, for the reading that fits a record best."""
    known = np.array([_parts(each.date_of_birth) for each in records]).reshape(-1, 3)
    sampled = np.array([_parts(each.date_of_birth) for each in population.sample if each.date_of_birth]).reshape(-1, 3)
    has_date = known[:, 0] > 0
    if not readings:
        return Weighed(np.zeros(len(records)), ["unknown"] * len(records))
    said = [{value for reading in readings if (value := reading[part]) is not None} for part in range(3)]
    levels = [_part_weights(part, said[part], sampled[:, part]) for part in range(3)]
    by_reading = [_reading_weight(reading, known, levels) for reading in readings]
    weights = np.where(has_date, np.max(by_reading, axis=0), 0.0)
    full = {reading for reading in readings if None not in reading}
    same = [tuple(row) in full for row in known.tolist()]
    return Weighed(weights, [_agreement(*each) for each in zip(has_date.tolist(), same, weights.tolist(), strict=True)])


def postcode(readings: Sequence[str], records: Sequence[Record], population: Population) -> Weighed:
    """Weighs by the edits (insertions, deletions, substitutions, swapped neighbours) to the nearest reading."""
    known = [each.postcode for each in records]
    counted = _levels([each.postcode for each in population.sample if each.postcode], readings, len(RIGHT_POSTCODE))
    return _by_level(known, readings, _log_ratios(RIGHT_POSTCODE, counted))


def code(fact: str, readings: Sequence[str], records: Sequence[Record], population: Population) -> Weighed:
    """Weighs numbers of which hardly two records have the same: by the edits from the nearest reading to the nearest one known.

    How many records share a number is counted among `records`, so all that have it must be there. Numbers one edit away are taken to be as
    common as they are where numbers follow each other.
    """
    found = [_levels(sorted(each.codes.get(fact, ())), readings, len(RIGHT_CODE)) for each in records]
    nearest = np.array([levels.min() if len(levels) else -1 for levels in found])
    size = max(population.size, len(records), 2)
    longest = max((len(reading) for reading in readings), default=1)
    same = max(int((nearest == 0).sum()), 1) / size
    like = min(9 * longest / size, 0.5)
    ratios = np.log(np.array(RIGHT_CODE) / np.array([min(same, 0.5), like, 1.0]))
    weights = np.where(nearest >= 0, ratios[nearest], 0.0) if readings else np.zeros(len(records))
    known = (nearest >= 0) & bool(readings)
    return Weighed(weights, [_agreement(*each) for each in zip(known.tolist(), (nearest == 0).tolist(), weights.tolist(), strict=True)])


def log_odds(weights: Floats, size: int) -> Floats:
    """The odds, in nats, that a record is the right one, rather than another of these or none, when each of `size` and none are
    as likely beforehand: Bayes' rule over the records that were weighed.
    """
    if not len(weights):
        return weights
    everything = np.append(weights, math.log(max(size, 1)))
    top = everything.max()
    shares = np.exp(everything - top)
    others = np.array([np.delete(shares, number).sum() for number in range(len(weights))])
    odds: Floats = weights - top - np.log(np.maximum(others, 1e-300))
    return odds


def probability(odds: float) -> float:
    """Odds in nats as a probability."""
    return 1 / (1 + math.exp(-odds)) if odds > -700 else 0.0


@lru_cache(maxsize=10_000)
def _name_words(name: str) -> tuple[str, ...]:
    """The folded words of a record's name; those of the sample are asked for at every find."""
    return tuple(words(name))


def _slot(vocabulary: Sequence[str], sampled: Sequence[tuple[str, ...]], said: Sequence[str], *, spelled: bool) -> Floats:
    """The weight of each word of the vocabulary in one slot."""
    if not said:
        return np.zeros(len(vocabulary))
    common = sorted({word for each in sampled for word in each})
    levels = dict(zip(common, np.digitize(names.likeness(common, said, spelled=spelled), NAME_LEVELS), strict=True))
    counted = np.array([max(levels[word] for word in each) for each in sampled], int)
    ratios = _log_ratios(RIGHT_NAME, counted)
    weights: Floats = ratios[np.digitize(names.likeness(vocabulary, said, spelled=spelled), NAME_LEVELS)]
    return weights


def _name_weight(by_slot: Floats, used: Sequence[bool]) -> float:
    """The best sum over the words of a name, one of them in the slot of first words, the others in that of further ones."""
    first, further, spelled = by_slot
    if used[2]:
        first = np.maximum(first, spelled) if used[0] else spelled
        further = np.maximum(further, spelled) if used[1] else spelled
    return float(further.sum() + (first - further).max())


def _best(likenesses: Sequence[NDArray[np.float32]], length: int) -> NDArray[np.float32]:
    best: NDArray[np.float32] = np.array([np.zeros(length, np.float32), *likenesses]).max(axis=0)
    return best


def _parts(born: date | None) -> tuple[int, int, int]:
    return (born.year, born.month, born.day) if born else (0, 0, 0)


def _part_weights(part: int, said: set[int], sampled: NDArray[np.int_]) -> Floats:
    """The weights of a part of a date that is the same, one digit away, or different."""
    near = _one_digit_away(part, said)
    same_share = np.isin(sampled, list(said))
    near_share = np.isin(sampled, list(near)) & ~same_share
    counted = np.where(same_share, 0, np.where(near_share, 1, 2))
    return _log_ratios(RIGHT_PART_OF_DATE, counted)


def _reading_weight(reading: DateReading, known: NDArray[np.int_], levels: Sequence[Floats]) -> Floats:
    total = np.zeros(len(known))
    for part, value in enumerate(reading):
        if value is not None:
            near = np.isin(known[:, part], list(_one_digit_away(part, {value})))
            total += levels[part][np.where(known[:, part] == value, 0, np.where(near, 1, 2))]
    return total


def _one_digit_away(part: int, values: set[int]) -> set[int]:
    form, first, last = DATE_PARTS[part]
    written = [form % value for value in values]
    return {number for number in range(first, last + 1) if any(Hamming.distance(form % number, other) == 1 for other in written)}


def _levels(known: Sequence[str], readings: Sequence[str], count: int) -> NDArray[np.int_]:
    """The edits from each known code to the nearest reading, at most `count` - 1."""
    if not known or not readings:
        return np.full(len(known), count - 1)
    edits = process.cdist(known, readings, scorer=OSA.distance, score_cutoff=count - 1, dtype=np.int32).min(axis=1)
    nearest: NDArray[np.int_] = np.minimum(edits, count - 1)
    return nearest


def _by_level(known: Sequence[str], readings: Sequence[str], ratios: Floats) -> Weighed:
    has = np.array([bool(each) and bool(readings) for each in known], bool)
    levels = _levels(known, readings, len(ratios))
    weights = np.where(has, ratios[levels], 0.0)
    return Weighed(weights, [_agreement(*each) for each in zip(has.tolist(), (levels == 0).tolist(), weights.tolist(), strict=True)])


def _log_ratios(right: Sequence[float], counted: NDArray[np.int_]) -> Floats:
    """The logarithm of how much likelier each level is for the right record than for any, as counted in the sample."""
    counts = np.bincount(counted, minlength=len(right)) + COUNTED_FOR
    ratios: Floats = np.log(np.array(right) / (counts / counts.sum()))
    return ratios


def _agreement(known: bool, same: bool, weight: float) -> Agreement:
    if not known:
        return "unknown"
    if same:
        return "same"
    return "like" if weight > 0 else "different"
