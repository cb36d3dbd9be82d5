"""Every scenario on every channel, one after the other, and what came of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from channels.db import database_sync_to_async

from conversations.evaluation import grading, stage
from conversations.evaluation.outcome import NOTHING_DONE, EndState
from conversations.evaluation.playing import play
from conversations.evaluation.scenario import Scenario
from conversations.services import async_connections

logger = logging.getLogger(__name__)
CROSSING: Final = "chat to phone"


@dataclass(frozen=True, slots=True)
class Graded:
    """One scenario on one channel: what was wrong with the end, what a do-nothing agent would have left wrong, how often something was
    asked again that need not be, how long it took."""

    scenario: Scenario
    channel: str
    faults: tuple[str, ...]
    faults_of_nothing: tuple[str, ...]
    reasked: int
    seconds: float
    end: EndState

    @property
    def right(self) -> bool:
        """Whether everything ended as it should."""
        return not self.faults


def evaluate(chosen: Sequence[Scenario], channels: Sequence[str], *, each: Callable[[Graded], None] = lambda graded: None) -> list[Graded]:
    """Plays the chosen scenarios in a scratch company. `each` is told of every one that was played.

    Raises routing.simulation.database.NoDatabase and scenario.UnreadableScenario.
    """
    with stage.scratch_company():
        return asyncio.run(_all(chosen, channels, each))


async def _all(chosen: Sequence[Scenario], channels: Sequence[str], each: Callable[[Graded], None]) -> list[Graded]:
    found: list[Graded] = []
    try:
        for scenario in chosen:
            for channel in channels:
                if channel in scenario.channels or (scenario.crosses and channel == channels[0]):
                    await database_sync_to_async(_make_ready, thread_sensitive=False)(scenario)
                    found.append(await graded(scenario, channel if not scenario.crosses else "chat"))
                    each(found[-1])
    finally:
        await async_connections.close()
    return found


async def graded(scenario: Scenario, channel: str) -> Graded:
    """Plays one scenario on one channel of the company as it is, and grades it. What goes wrong on the way is a fault, too."""
    began = perf_counter()
    try:
        end = await play(scenario, channel)
    except Exception as problem:
        logger.exception("scenario_broke_off", extra={"scenario": scenario.name})
        end, found = NOTHING_DONE, [f"broke off: {problem!r}"]
    else:
        found = grading.faults(scenario, end)
    return Graded(
        scenario=scenario,
        channel=CROSSING if scenario.crosses else channel,
        faults=tuple(found),
        faults_of_nothing=tuple(grading.faults(scenario, NOTHING_DONE)),
        reasked=len(grading.unexpected_again(scenario.expect, end)),
        seconds=round(perf_counter() - began, 2),
        end=end,
    )


def _make_ready(scenario: Scenario) -> None:
    stage.forget_everybody()
    stage.set_the_clock(is_open=scenario.office_open)
