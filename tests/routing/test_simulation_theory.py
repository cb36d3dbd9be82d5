"""Arrivals at random, through the real distributor: does it do what queueing theory says of first come, first served?

Two steps, each of which can fail. The distributor plays the same arrivals as ten lines from a textbook, and everybody
must fare alike, piece by piece. The textbook is quick enough for long runs, whose 95 % interval must hold what Erlang C
and A say. Together: theory stands within the interval of the distributor, its own arrivals corrected by a control variate
whose difference to them is nothing at all. The plain interval of so few arrivals would be no proof: tried on 300 seeds of
400 arrivals, it held theory in 51 to 94 of 100.
"""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.routing.simulating import STAFFING_HEAD, pieces
from tests.routing.theory import Call, Fate, calls, erlang_a, erlang_c, interval, textbook

LOAD = 2.0
HANDLING_SECONDS = 60
LEVEL = 20 / HANDLING_SECONDS
"""The service level of a queue that is made up is 20 seconds."""
PATIENCE = 2.0
WITH_ERLANG_C, WITH_ERLANG_A = [(agents, math.inf) for agents in (3, 4, 5)], [(agents, PATIENCE) for agents in (1, 2, 3)]
STAFFINGS = [*WITH_ERLANG_C, *WITH_ERLANG_A]
THROUGH_THE_DISTRIBUTOR = 150
LONG_RUN = 100_000
BEGINS = datetime(2026, 11, 27, 9, tzinfo=UTC)


def theory(agents: int, patience: float) -> tuple[float, float]:
    return erlang_c(LOAD, agents, LEVEL) if math.isinf(patience) else erlang_a(LOAD, agents, patience, LEVEL)


def waited(fate: Fate) -> float:
    return fate.wait > 0


def in_time(fate: Fate) -> float:
    return fate.answered and fate.wait <= LEVEL


def distributed(folder: Path, arrivals: list[Call], agents: int) -> list[Fate]:
    """The same arrivals through the command, in seconds there, in handling times here."""
    trace = ["arrived_at,patience_s,handling_s,priority,skill,kind"]
    for call in arrivals:
        patience = "" if math.isinf(call.patience) else f"{call.patience * HANDLING_SECONDS:.6f}"
        trace.append(f"{_moment(call.at).isoformat()},{patience},{call.handling * HANDLING_SECONDS:.6f},3,,call")
    until = _moment(arrivals[-1].at + 100).isoformat()
    staffing = [STAFFING_HEAD, *(f"agent {number},{BEGINS.isoformat()},{until}," for number in range(agents))]
    return [_fate(row) for row in pieces(folder, "\n".join(trace), "\n".join(staffing))]


def _moment(units: float) -> datetime:
    return BEGINS + timedelta(seconds=units * HANDLING_SECONDS)


def _fate(row: dict[str, str]) -> Fate:
    at = (datetime.fromisoformat(row["arrived_at"]) - BEGINS).total_seconds() / HANDLING_SECONDS
    wait = float(row["wait_s"]) / HANDLING_SECONDS
    gone = (datetime.fromisoformat(row["finished_at"]) - BEGINS).total_seconds() / HANDLING_SECONDS if row["finished_at"] else at + wait
    return Fate(at, wait, row["outcome"] == "answered", gone)


@pytest.mark.parametrize(("agents", "patience"), STAFFINGS)
def test_the_distributor_fares_like_the_textbook(transactional_db: None, tmp_path: Path, agents: int, patience: float) -> None:
    """Everybody waits as long, to the hundredth of a second, and the same ones give up."""
    arrivals = calls(THROUGH_THE_DISTRIBUTOR, LOAD, patience, random.Random(f"{agents} {patience}"))
    expected = textbook(arrivals, agents)
    played = distributed(tmp_path, arrivals, agents)
    assert [fate.answered for fate in played] == [fate.answered for fate in expected]
    hundredth = 0.01 / HANDLING_SECONDS
    assert [fate.wait for fate in played] == pytest.approx([fate.wait for fate in expected], abs=hundredth)
    assert [fate.gone for fate in played] == pytest.approx([fate.gone for fate in expected], abs=hundredth)
    assert sum(map(waited, expected)) > THROUGH_THE_DISTRIBUTOR / 50


@pytest.mark.parametrize(("agents", "patience"), STAFFINGS)
def test_theory_stands_within_the_interval(agents: int, patience: float) -> None:
    """And what theory says of one agent more does not, so that a small error would show."""
    fates = textbook(calls(LONG_RUN, LOAD, patience, random.Random(f"long {agents} {patience}")), agents)
    for figure, expected, other in zip((waited, in_time), theory(agents, patience), theory(agents + 1, patience), strict=True):
        simulated = interval(fates, figure, among=2 * len(STAFFINGS))
        assert simulated.holds(expected)
        assert not simulated.holds(other)
        assert simulated.reach < 0.03


def test_the_formulas_are_those_that_others_compute() -> None:
    """By pyworkforce 0.5.4 (MIT), whose ErlangC and ErlangA gave these; it needs Python 3.12 and OR-Tools, so it is not installed."""
    within = 2 / 3
    assert erlang_c(2, 3, within) == pytest.approx((0.4444444444444444, 0.7718146137632924))
    assert erlang_c(2, 5, within) == pytest.approx((0.05970149253731344, 0.9919202815978142))
    assert erlang_a(2, 1, 2, within) == pytest.approx((0.9253705585449035, 0.18451128092565994))
    assert erlang_a(2, 3, 1, within) == pytest.approx((0.3233235838169366, 0.8599745354276136))
