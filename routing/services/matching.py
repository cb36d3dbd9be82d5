"""Who gets what: the pure heart of a dispatch pass, without a database.

Work is taken in the order given. Of the agents who may take a piece, the preferred one comes first, then those
whose profile names the queue earlier, then the least busy, then the longest idle. A piece that nobody may take
now is passed over, so that it never holds up the ones behind it.

Only when nobody free may take a piece that may interrupt other work, somebody lays some of that aside for it: the preferred
one, then whose profile names the queue earlier, then who lays the least aside, then the longest idle.

Agents who are alike (same profile, same skills, same capacity) stand in one crew, the least busy and longest idle first, so that
a piece looks at crews, and at few agents.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.translation import gettext as _

from routing.selectors.line import Lane, Waiting


class ServedQueue(NamedTuple):
    """How a profile serves a queue: its place among the profile's queues, and how long work waits for others first."""

    order: int
    delay: timedelta


class WorkLimit(NamedTuple):
    """What one piece of a kind of work takes of an agent's capacity, and how many of it an agent may have."""

    weight: int
    max_at_once: int
    interrupts: frozenset[str] = frozenset()


class Held(NamedTuple):
    """A piece that an agent has taken: its reservation, kind and weight."""

    reservation_id: int
    kind: str
    weight: int


@dataclass(frozen=True, slots=True)
class Profile:
    """What the agents of one routing profile serve."""

    id: int
    queues: Mapping[int, ServedQueue]
    limits: Mapping[str, WorkLimit]


@dataclass(slots=True, eq=False)
class FreeAgent:
    """An available agent; `load` and `at_work_on` (pieces by kind) grow as work is matched.

    `has_taken` is what may be laid aside, in the order in which it is, and empty for who cannot be interrupted now.
    """

    id: int
    profile: Profile
    capacity: int
    load: int
    idle_since: datetime
    skills: Mapping[str, int]
    at_work_on: dict[str, int] = field(default_factory=dict)
    has_taken: tuple[Held, ...] = ()

    def pieces_that_fit(self, kind: str) -> int:
        """How many pieces of a kind the agent has room for."""
        limit = self.profile.limits.get(kind)
        if limit is None:
            return 0
        return min((self.capacity - self.load) // limit.weight, limit.max_at_once - self.at_work_on.get(kind, 0))

    def would_lay_aside(self, kind: str) -> tuple[Held, ...]:
        """What makes room for one piece of a kind that does not fit; empty when too little may be laid aside for it."""
        limit = self.profile.limits.get(kind)
        if limit is None or self.at_work_on.get(kind, 0) >= limit.max_at_once:
            return ()
        missing = self.load + limit.weight - self.capacity
        aside: list[Held] = []
        for piece in self.has_taken:
            if missing > 0 and piece.kind in limit.interrupts:
                aside.append(piece)
                missing -= piece.weight
        return () if missing > 0 else tuple(aside)

    def take(self, kind: str) -> int:
        """Counts a piece as this agent's; returns its weight."""
        weight = self.profile.limits[kind].weight
        self.load += weight
        self.at_work_on[kind] = self.at_work_on.get(kind, 0) + 1
        return weight

    def interrupt(self, kind: str, aside: Sequence[Held]) -> int:
        """Counts a piece as this agent's that others are laid aside for, who then takes nothing more; returns its weight."""
        self.load -= sum(piece.weight for piece in aside)
        self.has_taken = ()
        return self.take(kind)

    def __lt__(self, other: FreeAgent) -> bool:
        """The less busy first, then the longer idle."""
        return self._turn < other._turn

    @property
    def _turn(self) -> tuple[float, datetime, int]:
        return self.load / self.capacity, self.idle_since, self.id


@dataclass(frozen=True, slots=True)
class Match:
    """One piece of work for one agent, why this agent, and what they lay aside for it."""

    work_id: int
    agent_id: int
    weight: int
    reason: str
    aside: tuple[Held, ...] = ()


class Crew:
    """Agents who are alike, in the order of whose turn it is."""

    def __init__(self, members: Sequence[FreeAgent]) -> None:
        self.members = sorted(agent for agent in members if agent.load < agent.capacity)
        self.may_be_interrupted = [agent for agent in members if agent.has_taken]
        first = members[0]
        self.profile, self.skills = first.profile, first.skills

    def serves(self, lane: Lane) -> bool:
        """Whether they take such work at all, sooner or later."""
        return (
            lane.kind in self.profile.limits
            and any(queue_id in self.profile.queues for queue_id in lane.queue_ids)
            and all(self.skills.get(skill, 0) >= lane.min_proficiency for skill in lane.required_skills)
        )

    def place_of(self, work: Waiting, now: datetime) -> int | None:
        """Where the work's queues stand in their profile; None when it has not waited long enough for them."""
        queues = self.profile.queues
        waited = now - work.enqueued_at
        places = [queues[queue].order for queue in work.lane.queue_ids if queue in queues and waited >= queues[queue].delay]
        return min(places, default=None)

    def shortest_delay(self, lane: Lane) -> timedelta:
        """How long such work waits for others before they may take it."""
        return min(self.profile.queues[queue].delay for queue in lane.queue_ids if queue in self.profile.queues)

    def next_for(self, work: Waiting, not_now: frozenset[int]) -> FreeAgent | None:
        """Whose turn it is among those who have room for the work and have not just given it back."""
        kind = work.lane.kind
        return next((agent for agent in self.members if agent.id not in not_now and agent.pieces_that_fit(kind) > 0), None)

    def take(self, agent: FreeAgent, kind: str) -> int:
        """Counts a piece as the agent's, who goes behind those who are less busy; returns its weight."""
        self.members.remove(agent)
        weight = agent.take(kind)
        if agent.load < agent.capacity:
            insort(self.members, agent)
        return weight

    def could_interrupt(self, kind: str) -> list[tuple[FreeAgent, tuple[Held, ...]]]:
        """Who has no room for a piece of a kind but could make some, with what they would lay aside."""
        asked = [agent for agent in self.may_be_interrupted if agent.pieces_that_fit(kind) <= 0]
        return [(agent, aside) for agent in asked if (aside := agent.would_lay_aside(kind))]

    def interrupt(self, agent: FreeAgent, kind: str, aside: Sequence[Held]) -> int:
        """Counts a piece as the agent's, who lays others aside for it and is asked no more; returns its weight."""
        self.may_be_interrupted.remove(agent)
        if agent in self.members:
            self.members.remove(agent)
        return agent.interrupt(kind, aside)


class Pool:
    """Everybody who is free, and what they have been matched with."""

    def __init__(self, agents: Iterable[FreeAgent]) -> None:
        alike: dict[tuple[object, ...], list[FreeAgent]] = {}
        for agent in agents:
            alike.setdefault((agent.profile.id, agent.capacity, frozenset(agent.skills.items())), []).append(agent)
        self.crews = [Crew(members) for members in alike.values()]
        self._serving: dict[str, list[Crew]] = {}
        self._were_free: dict[str, int] = {}

    def is_anybody_free(self) -> bool:
        """Whether anybody has room at all, or could make some."""
        return any(crew.members or crew.may_be_interrupted for crew in self.crews)

    def room_for(self, lane: Lane) -> int:
        """How many pieces of a lane fit, all agents together, at most."""
        fits = sum(agent.pieces_that_fit(lane.kind) for crew in self.crews_for(lane) for agent in crew.members)
        return fits + sum(len(crew.may_be_interrupted) for crew in self.crews_for(lane))

    def has_room_for(self, lane: Lane) -> bool:
        """Whether a piece of a lane fits, or could be made to."""
        crews = self.crews_for(lane)
        fits = any(agent.pieces_that_fit(lane.kind) > 0 for crew in crews for agent in crew.members)
        return fits or any(crew.could_interrupt(lane.kind) for crew in crews)

    def shortest_delay(self, lane: Lane) -> timedelta:
        """How long work of a lane that somebody serves waits before anybody may take it."""
        return min(crew.shortest_delay(lane) for crew in self.crews_for(lane))

    def crews_for(self, lane: Lane) -> list[Crew]:
        """Who serves a lane."""
        if lane.key not in self._serving:
            self._serving[lane.key] = [crew for crew in self.crews if crew.serves(lane)]
        return self._serving[lane.key]

    def match(self, work: Waiting, now: datetime, not_now: frozenset[int]) -> Match | None:
        """The one who gets a piece, counted as theirs; None when nobody may take it now. `not_now`: who just gave it back."""
        free = self._free_for(work.lane)
        able = []
        for crew in self.crews_for(work.lane):
            place = crew.place_of(work, now)
            if place is None:
                continue
            preferred = self._preferred(crew, work, not_now)
            if preferred is not None:
                able = [(place, preferred, crew)]
                break
            agent = crew.next_for(work, not_now)
            if agent is not None:
                able.append((place, agent, crew))
        if not able:
            return self._interrupt(work, now, not_now)
        _place, chosen, crew = min(able, key=lambda each: each[:2])
        reason = _reason(chosen, work, free, now)
        return Match(work.id, chosen.id, crew.take(chosen, work.lane.kind), reason)

    def _interrupt(self, work: Waiting, now: datetime, not_now: frozenset[int]) -> Match | None:
        """The one who lays other work aside for a piece; None when nobody may."""
        kind = work.lane.kind
        able = []
        for crew in self.crews_for(work.lane):
            place = crew.place_of(work, now) if crew.may_be_interrupted else None
            if place is None:
                continue
            for agent, aside in crew.could_interrupt(kind):
                if agent.id not in not_now:
                    turn = (agent.id != work.preferred_agent_id, place, sum(piece.weight for piece in aside), agent.idle_since, agent.id)
                    able.append((turn, agent, aside, crew))
        if not able:
            return None
        _turn, chosen, aside, crew = min(able, key=lambda each: each[0])
        reason = _("Nobody was free; they lay other work aside for it.")
        return Match(work.id, chosen.id, crew.interrupt(chosen, kind, aside), reason, aside)

    def _preferred(self, crew: Crew, work: Waiting, not_now: frozenset[int]) -> FreeAgent | None:
        wanted = work.preferred_agent_id
        if wanted is None or wanted in not_now:
            return None
        return next((agent for agent in crew.members if agent.id == wanted and agent.pieces_that_fit(work.lane.kind) > 0), None)

    def _free_for(self, lane: Lane) -> int:
        """How many were free for a lane when its first piece was matched."""
        if lane.key not in self._were_free:
            crews = self.crews_for(lane)
            self._were_free[lane.key] = sum(agent.pieces_that_fit(lane.kind) > 0 for crew in crews for agent in crew.members)
        return self._were_free[lane.key]


def _reason(agent: FreeAgent, work: Waiting, free: int, now: datetime) -> str:
    if agent.id == work.preferred_agent_id:
        return _("The preferred agent, and free.")
    if free == 1:
        return _("The only one free who may take it.")
    if agent.load == 0:
        minutes = max(0, int((now - agent.idle_since).total_seconds() // 60))
        return _("Idle for %(minutes)d min, the longest of %(able)d who could take it.") % {
            "minutes": minutes,
            "able": free,
        }
    return _("The least busy of %(able)d who could take it.") % {"able": free}
