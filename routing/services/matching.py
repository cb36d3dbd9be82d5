"""Who gets what: the pure heart of a dispatch pass, without a database.

Work is taken in the order given. Of the agents who may take a piece, the preferred one comes first, then those
whose profile names the queue earlier, then the least busy, then the longest idle. A piece that nobody may take
now is passed over, so that it never holds up the ones behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.translation import gettext as _


class ServedQueue(NamedTuple):
    """How a profile serves a queue: its place among the profile's queues, and how long work waits for others first."""

    order: int
    delay: timedelta


class WorkLimit(NamedTuple):
    """What one piece of a kind of work takes of an agent's capacity, and how many of it an agent may have."""

    weight: int
    max_at_once: int


@dataclass(frozen=True, slots=True)
class WaitingWork:
    """One waiting piece. `queue_ids` are the queues it waits in: its own and, after a while, the overflow."""

    id: int
    kind: str
    queue_ids: tuple[int, ...]
    enqueued_at: datetime
    required_skills: frozenset[str] = frozenset()
    preferred_agent_id: int | None = None
    not_now_for: frozenset[int] = frozenset()


@dataclass(slots=True)
class FreeAgent:
    """An available agent with room; `load` and `at_work_on` (pieces by kind) grow as work is matched."""

    id: int
    capacity: int
    load: int
    idle_since: datetime
    skills: frozenset[str]
    queues: dict[int, ServedQueue]
    limits: dict[str, WorkLimit]
    at_work_on: dict[str, int] = field(default_factory=dict)

    def may_take(self, work: WaitingWork, now: datetime) -> bool:
        """Whether capacity, limits, skills, queues and delays all allow it."""
        limit = self.limits.get(work.kind)
        return (
            limit is not None
            and self.load + limit.weight <= self.capacity
            and self.at_work_on.get(work.kind, 0) < limit.max_at_once
            and self.id not in work.not_now_for
            and work.required_skills <= self.skills
            and self._place_of(work, now) is not None
        )

    def rank(self, work: WaitingWork, now: datetime) -> tuple[bool, int, float, datetime, int]:
        """Smallest first; only for work that the agent may take."""
        place = self._place_of(work, now)
        return (
            self.id != work.preferred_agent_id,
            place if place is not None else 0,
            self.load / self.capacity,
            self.idle_since,
            self.id,
        )

    def take(self, work: WaitingWork) -> int:
        """Counts the work as this agent's; returns its weight."""
        weight = self.limits[work.kind].weight
        self.load += weight
        self.at_work_on[work.kind] = self.at_work_on.get(work.kind, 0) + 1
        return weight

    def _place_of(self, work: WaitingWork, now: datetime) -> int | None:
        places = [
            served.order
            for queue_id in work.queue_ids
            if (served := self.queues.get(queue_id)) and now >= work.enqueued_at + served.delay
        ]
        return min(places, default=None)


@dataclass(frozen=True, slots=True)
class Match:
    """One piece of work for one agent, and why this agent."""

    work_id: int
    agent_id: int
    weight: int
    reason: str


def match(line: Iterable[WaitingWork], agents: Sequence[FreeAgent], now: datetime) -> list[Match]:
    """Matches a line, in its order, with agents, whose loads rise as they are matched."""
    matches = []
    for work in line:
        if all(agent.load >= agent.capacity for agent in agents):
            break
        able = [agent for agent in agents if agent.may_take(work, now)]
        if not able:
            continue
        chosen = min(able, key=lambda agent: agent.rank(work, now))
        reason = _reason(chosen, work, len(able), now)
        matches.append(Match(work.id, chosen.id, chosen.take(work), reason))
    return matches


def _reason(agent: FreeAgent, work: WaitingWork, able: int, now: datetime) -> str:
    if agent.id == work.preferred_agent_id:
        return _("The preferred agent, and free.")
    if able == 1:
        return _("The only one free who may take it.")
    if agent.load == 0:
        minutes = max(0, int((now - agent.idle_since).total_seconds() // 60))
        return _("Idle for %(minutes)d min, the longest of %(able)d who could take it.") % {
            "minutes": minutes,
            "able": able,
        }
    return _("The least busy of %(able)d who could take it.") % {"able": able}
