"""What queueing theory and a textbook say of arrivals at random, for comparing the distributor with.

Time is in units of the mean handling time: `load` is in Erlang, `patience` is the mean, `level` is the time to answer within.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from scipy.linalg import expm

MOST_WAITING = 80
"""Where the line of Erlang A is cut off; at the loads used here the chance of a longer one is below 1e-30."""


@dataclass(frozen=True)
class Call:
    """One arrival; without a patience it waits for ever."""

    at: float
    handling: float
    patience: float = math.inf


@dataclass(frozen=True)
class Fate:
    """What became of it: how long it waited, whether it was answered, and when it was gone."""

    at: float
    wait: float
    answered: bool
    gone: float


def calls(number: int, load: float, patience: float, chance: random.Random) -> list[Call]:
    """Poisson arrivals with exponential handling and patience."""
    now, found = 0.0, []
    for _ in range(number):
        now += chance.expovariate(load)
        found.append(Call(now, chance.expovariate(1), chance.expovariate(1 / patience) if math.isfinite(patience) else math.inf))
    return found


def textbook(arrivals: Sequence[Call], agents: int) -> list[Fate]:
    """First come, first served: each goes to whoever is free first, or gives up. Ten lines that share nothing with the product."""
    free = [0.0] * agents
    fates = []
    for call in arrivals:
        begins = max(call.at, free[0])
        if begins - call.at > call.patience:
            fates.append(Fate(call.at, call.patience, False, call.at + call.patience))
            continue
        heapq.heapreplace(free, begins + call.handling)
        fates.append(Fate(call.at, begins - call.at, True, begins + call.handling))
    return fates


def erlang_c(load: float, agents: int, level: float) -> tuple[float, float]:
    """Probability of waiting, and of being answered within `level`. A. K. Erlang 1917; e.g. Gross and Harris, section 2.3."""
    inverse_b = 1.0
    for number in range(1, agents + 1):
        inverse_b = 1 + inverse_b * number / load
    blocked = 1 / inverse_b
    waits = agents * blocked / (agents - load * (1 - blocked))
    return waits, 1 - waits * math.exp(-(agents - load) * level)


def erlang_a(load: float, agents: int, patience: float, level: float) -> tuple[float, float]:
    """Probability of finding nobody free, and of being answered within `level`, when callers give up.

    C. Palm 1957; O. Garnett, A. Mandelbaum, M. Reiman, "Designing a call center with impatient customers", 2002. The line
    is a birth and death process; whoever finds `ahead` waiting moves up at rate agents + k/patience with k before them, is
    answered from the front at rate agents, and gives up at rate 1/patience all the while.
    """
    weights = [1.0]
    for number in range(1, agents + MOST_WAITING):
        weights.append(weights[-1] * load / (min(number, agents) + max(0, number - agents) / patience))
    chances = np.array(weights) / sum(weights)
    moves = np.zeros((MOST_WAITING + 1, MOST_WAITING + 1))
    for ahead in range(MOST_WAITING):
        moves[ahead + 1, ahead] = agents + ahead / patience
        moves[ahead + 1, ahead + 1] = -moves[ahead + 1, ahead] - 1 / patience
    answered = expm(moves * level)[1:, 0]
    waits = float(chances[agents:].sum())
    return waits, float(1 - waits + chances[agents:] @ answered)


@dataclass(frozen=True)
class Interval:
    """An estimate, with how far to both sides it reaches."""

    middle: float
    reach: float

    def holds(self, value: float) -> bool:
        return abs(value - self.middle) <= self.reach


def interval(fates: Sequence[Fate], counts: Callable[[Fate], float], *, among: int) -> Interval:
    """The long-run mean of what `counts` says, from one run that begins empty; of `among` such intervals all hold at 95 %.

    By cycles: whenever somebody arrives while nobody is there, everything begins anew, so cycles are independent and alike,
    and no warm-up has to be cut off (Crane and Iglehart 1975). The last cycle is incomplete and left out. Each interval of
    several is wider, so that they hold together (Bonferroni).
    """
    cycles: list[list[float]] = []
    last_gone = 0.0
    for fate in fates:
        if fate.at >= last_gone:
            cycles.append([])
        cycles[-1].append(counts(fate))
        last_gone = max(last_gone, fate.gone)
    whole = cycles[:-1]
    mean = sum(map(sum, whole)) / sum(map(len, whole))
    spread = math.sqrt(sum((sum(cycle) - mean * len(cycle)) ** 2 for cycle in whole) / (len(whole) - 1))
    widely = NormalDist().inv_cdf(1 - 0.05 / 2 / among)
    return Interval(mean, widely * spread / (sum(map(len, whole)) / len(whole)) / math.sqrt(len(whole)))
