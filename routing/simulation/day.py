"""Lets a day pass, event by event, through the real services at the times of the trace.

Agents take what they are offered at once and finish what they have when their shift ends, so no offer runs out. What they lay
aside for it stands still until they take it up again.
The sweep of waiting work comes round as it does in the product, but only where it could find something to do.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from functools import partial
from itertools import count

from django.db import connection
from django.db.models import Min

from routing import clock
from routing.models import AgentProfile, Interruption, Presence, Reservation, RoutingProfileQueue, RoutingProfileWork, WorkItem
from routing.services import presence, queueing, reservations
from routing.services.announce import Told, heard_only_by
from routing.services.dispatch import dispatch_all
from routing.simulation.overtaking import Overtaking
from routing.simulation.plan import Plan, Stage
from routing.simulation.reading import Arrival

SWEPT_EVERY = timedelta(seconds=5)
"""How often the product looks again at what waits (CELERY_BEAT_SCHEDULE)."""
FIRST_SWEEP = datetime(1970, 1, 1, tzinfo=UTC)
ANALYZE_AFTER = 200
"""After so many pieces the database counts its rows, so that it chooses its ways as in a database that is used."""


class Turn(IntEnum):
    """Which comes first of what happens at the same moment: who leaves takes nothing more, who is patient to the end is served."""

    LEAVING = 0
    FINISHING = 1
    COMING = 2
    ARRIVING = 3
    SWEEPING = 4
    GIVING_UP = 5


Done = Callable[[], object]


@dataclass(slots=True)
class Piece:
    """What became of one arrival. Without `answered_at` and `gave_up_at` it still waits when the day is over."""

    arrival: Arrival
    queue: str
    answered_at: datetime | None = None
    gave_up_at: datetime | None = None
    finished_at: datetime | None = None
    agent: str = ""
    weight: int = 0
    went_past: bool = False
    """Whether it was given to somebody who should have had another piece first."""
    stood_still: list[tuple[datetime, datetime]] = field(default_factory=list)
    """From when until when it was laid aside for other work."""
    finishes_at: datetime | None = None
    """When it is done, if nothing interrupts it; None while it is laid aside, and before and after."""

    @property
    def waits(self) -> bool:
        """Whether nobody has it and it has not given up."""
        return self.answered_at is None and self.gave_up_at is None


@dataclass
class Day:
    """One day on a stage, in the database that is connected."""

    plan: Plan
    stage: Stage
    pieces: list[Piece] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._events: list[tuple[datetime, Turn, int, Callable[[], object]]] = []
        self._numbers = count()
        self._offered: list[Reservation] = []
        self._piece_of: dict[int, Piece] = {}
        self._waiting = 0
        self._sweeps: set[datetime] = set()
        self._agents = {agent.pk: agent for agent in self.stage.agents.values()}
        self._in_hand: dict[int, list[tuple[int, str]]] = defaultdict(list)
        self._aside: dict[int, list[tuple[Piece, Done, timedelta]]] = {}
        self._done: dict[int, Done] = {}
        self._interrupts = RoutingProfileWork.objects.exclude(interrupts=[]).exists()
        self._delays = sorted(
            timedelta(seconds=seconds)
            for seconds in RoutingProfileQueue.objects.filter(delay_seconds__gt=0).values_list("delay_seconds", flat=True).distinct()
        )
        self._overtaking = Overtaking(self._agents.values())

    def pass_by(self) -> list[Piece]:
        """Plays everything to its end; returns the pieces in the order in which they came."""
        for name, shifts in self.plan.staffing.by_agent().items():
            for shift in shifts:
                agent = self.stage.agents[name]
                self._at(shift.begins, Turn.COMING, partial(presence.set_state, agent, Presence.State.AVAILABLE))
                self._at(shift.ends, Turn.LEAVING, partial(presence.set_state, agent, Presence.State.OFFLINE))
        for arrival in self.plan.arrivals:
            self._at(arrival.at, Turn.ARRIVING, partial(self._arrive, arrival))
        with heard_only_by(self._hear):
            while self._events:
                moment, _turn, _number, happen = heapq.heappop(self._events)
                with clock.at(moment):
                    happen()
                    self._answer(moment)
        return self.pieces

    def _at(self, moment: datetime, turn: Turn, happen: Callable[[], object]) -> None:
        heapq.heappush(self._events, (moment, turn, next(self._numbers), happen))

    def _hear(self, what: Told) -> None:
        if isinstance(what, Reservation) and what.state == Reservation.State.PENDING:
            self._offered.append(what)

    def _arrive(self, arrival: Arrival) -> None:
        piece = Piece(arrival, self.plan.queue_of[arrival.line])
        self.pieces.append(piece)
        self._waiting += 1
        decision = self.stage.decisions[piece.queue, arrival.priority, arrival.skills]
        work = queueing.enqueue(subject=f"simulation:{arrival.line}", kind=arrival.kind, decision=decision)
        self._piece_of[work.pk] = piece
        if len(self.pieces) == ANALYZE_AFTER:
            _analyze()
        self._answer(arrival.at)
        if piece.waits:
            if arrival.patience is not None:
                self._at(arrival.at + arrival.patience, Turn.GIVING_UP, partial(self._give_up, piece, work.subject))
            for moment in (*(arrival.at + delay for delay in self._delays), work.ages_at):
                self._sweep_after(moment, arrival.at)

    def _answer(self, now: datetime) -> None:
        """Everybody takes at once what they have been offered."""
        while self._offered:
            offer = self._offered.pop(0)
            agent = self._agents[offer.agent_id]
            piece, kind = self._piece_of[offer.work_item_id], offer.work_item.kind
            self._waiting -= 1
            if self._waiting:
                piece.went_past = self._overtaking.happened(offer.work_item_id, agent.pk, self._in_hand[agent.pk], now)
            self._stop_what_is_laid_aside(offer, now)
            reservations.accept(offer.pk, agent)
            piece.answered_at, piece.agent, piece.weight = now, agent.display_name, offer.weight
            self._in_hand[agent.pk].append((offer.weight, kind))
            done = partial(self._finish, piece, offer, agent, (offer.weight, kind))
            self._done[offer.work_item_id] = done
            self._go_on(piece, done, now + piece.arrival.handling)

    def _go_on(self, piece: Piece, done: Done, until: datetime) -> None:
        piece.finishes_at = until
        self._at(until, Turn.FINISHING, done)

    def _finish(self, piece: Piece, offer: Reservation, agent: AgentProfile, load: tuple[int, str]) -> None:
        """Ends a piece and goes on with what was laid aside for it; nothing when it was interrupted since this was planned."""
        now = clock.now()
        if piece.finishes_at != now:
            return
        piece.finishes_at, piece.finished_at = None, now
        self._in_hand[agent.pk].remove(load)
        del self._done[offer.work_item_id]
        reservations.complete(offer.work_item.subject)
        for other, done, left in self._aside.pop(offer.pk, ()):
            other.stood_still[-1] = (other.stood_still[-1][0], now)
            self._go_on(other, done, now + left)

    def _stop_what_is_laid_aside(self, offer: Reservation, now: datetime) -> None:
        """What the agent lays aside for an offer is worked on no more until that ends. One query where profiles let work interrupt."""
        if not self._interrupts:
            return
        for number in Interruption.objects.filter(by=offer, ended_at=None).values_list("laid_aside__work_item", flat=True):
            piece = self._piece_of[number]
            if piece.finishes_at is None:
                raise RuntimeError("Work was laid aside that nobody worked on.")
            self._aside.setdefault(offer.pk, []).append((piece, self._done[number], piece.finishes_at - now))
            piece.stood_still.append((now, now))
            piece.finishes_at = None

    def _give_up(self, piece: Piece, subject: str) -> None:
        if piece.waits:
            piece.gave_up_at = clock.now()
            self._waiting -= 1
            queueing.cancel(subject)

    def _sweep(self) -> None:
        now = clock.now()
        self._sweeps.discard(now)
        if self._waiting:
            dispatch_all()
            ages_at = WorkItem.objects.filter(state=WorkItem.State.QUEUED).aggregate(next=Min("ages_at"))["next"]
            self._sweep_after(ages_at, now)

    def _sweep_after(self, moment: datetime | None, now: datetime) -> None:
        """The sweep that comes next when, from a moment on, waiting changes something."""
        if moment is None:
            return
        rounds = -((FIRST_SWEEP - moment) // SWEPT_EVERY) if moment > now else (now - FIRST_SWEEP) // SWEPT_EVERY + 1
        due = FIRST_SWEEP + SWEPT_EVERY * rounds
        if due not in self._sweeps:
            self._sweeps.add(due)
            self._at(due, Turn.SWEEPING, self._sweep)


def _analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE routing_workitem, routing_reservation, routing_agentprofile, routing_presence")
