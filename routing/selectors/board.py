"""How things stand now: what waits in each queue, who is there and what they have. For supervisors.

Every question costs the same few statements however many queues and agents there are; each reads through an index that holds
only what is live, or what happened since a moment, so that years of ended work cost nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from routing.models import AgentProfile, Interruption, Presence, Queue, Reservation, RoutingProfileWork, WorkItem
from routing.selectors.line import in_order

LATELY = timedelta(minutes=30)
_LIVE = """
    SELECT queue_id AS queue, priority_class, state, count(*) AS pieces, min(enqueued_at) AS longest_since,
           count(*) FILTER (WHERE deadline < %(now)s) AS late
      FROM routing_workitem WHERE state IN ('queued', 'reserved', 'assigned', 'wrapping') GROUP BY queue_id, priority_class, state
"""
_ANSWERED = """
    SELECT queue_id AS queue, count(*) FILTER (WHERE answered_at >= %(today)s) AS today,
           count(*) FILTER (WHERE answered_at >= %(today)s AND answered_at <= deadline) AS today_in_time,
           count(*) FILTER (WHERE answered_at >= %(lately)s) AS lately,
           count(*) FILTER (WHERE answered_at >= %(lately)s AND answered_at <= deadline) AS lately_in_time
      FROM routing_workitem WHERE answered_at >= %(since)s GROUP BY queue_id
"""
_ABANDONED = """
    SELECT queue_id AS queue, count(*) FILTER (WHERE ended_at >= %(today)s) AS today,
           count(*) FILTER (WHERE ended_at >= %(today)s AND ended_at > deadline) AS today_late,
           count(*) FILTER (WHERE ended_at >= %(lately)s AND ended_at > deadline) AS lately_late
      FROM routing_workitem WHERE answered_at IS NULL AND ended_at >= %(since)s GROUP BY queue_id
"""
_OF_AGENT = (
    "pk", "display_name", "team__name", "load", "capacity",
    "presence__state", "presence__away_reason", "presence__since", "presence__set_by",
)  # fmt: skip
WAITING = (WorkItem.State.QUEUED, WorkItem.State.RESERVED)
WORKED_ON = (WorkItem.State.ASSIGNED, WorkItem.State.WRAPPING)


@dataclass(slots=True)
class Answered:
    """How much work should have been answered in some time, and how much of it was in time."""

    due: int = 0
    in_time: int = 0

    @property
    def percent(self) -> int | None:
        """The service level, rounded; None when nothing was due."""
        return round(100 * self.in_time / self.due) if self.due else None


@dataclass(slots=True)
class Standing:
    """One queue, or all of them.

    `waiting` are the pieces that nobody was offered yet, `late` those not taken that are past their deadline, `abandoned` those
    of today that ended before anybody took them. `longest_since` is when the one that waits longest came in.
    """

    waiting: int = 0
    offered: int = 0
    in_work: int = 0
    late: int = 0
    abandoned: int = 0
    longest_since: datetime | None = None
    lately: Answered = field(default_factory=Answered)
    today: Answered = field(default_factory=Answered)


@dataclass(frozen=True, slots=True)
class QueueNow:
    """A queue and how it stands."""

    queue: Queue
    standing: Standing


@dataclass(frozen=True, slots=True)
class ClassNow:
    """What waits in one priority class over all queues, and since when the first of it."""

    priority_class: int
    waiting: int
    longest_since: datetime


@dataclass(frozen=True, slots=True)
class Queues:
    """All queues by name, all of them together, and what waits by priority class."""

    queues: list[QueueNow]
    total: Standing
    classes: list[ClassNow]


@dataclass(frozen=True, slots=True)
class Held:
    """One piece that somebody has or is offered: `state` is the reservation's, `since` when they took it.

    `ends_at` is when the writing-up ends by itself, `laid_aside` whether they do other work first.
    """

    work_id: int
    subject: str
    state: str
    since: datetime | None
    ends_at: datetime | None
    laid_aside: bool


@dataclass(frozen=True, slots=True)
class AgentNow:
    """A person with what they have, the oldest first. Who never came is offline, `since` no time."""

    id: int
    name: str
    team: str
    load: int
    capacity: int
    state: str
    away_reason: str
    since: datetime | None
    set_by: str
    held: list[Held]


@dataclass(frozen=True, slots=True)
class InLine:
    """One piece that waits, of a kind of work; `offered_to` names the agent who is asked now, or nobody."""

    id: int
    subject: str
    queue: str
    priority_class: int
    since: datetime
    deadline: datetime
    kind: str
    offered_to: str


@dataclass(frozen=True, slots=True)
class AgentsAsked:
    """Which agents are wanted: `state` empty for those who are there (available or away), `all` for everybody."""

    state: str = ""
    team: int | None = None
    name: str = ""
    most: int = 30


def queues(now: datetime, *, today: datetime) -> Queues:
    """How every queue stands at `now`; `today` is when the day began for the reader. Four statements."""
    standings: dict[int, Standing] = defaultdict(Standing)
    classes: dict[int, ClassNow] = {}
    for row in _live(now):
        _add_live(standings[row["queue"]], row)
        if row["state"] in WAITING:
            _add_to_class(classes, row)
    for row in _answered(now, today):
        standing = standings[row["queue"]]
        _add(standing.today, row["today"], row["today_in_time"])
        _add(standing.lately, row["lately"], row["lately_in_time"])
    for row in _abandoned(now, today):
        standing = standings[row["queue"]]
        standing.abandoned = row["today"]
        _add(standing.today, row["today_late"], 0)
        _add(standing.lately, row["lately_late"], 0)
    found = [QueueNow(queue, standings[queue.pk]) for queue in Queue.objects.select_related("hours")]
    return Queues(found, _together(standings.values()), sorted(classes.values(), key=lambda each: each.priority_class))


def agents(asked: AgentsAsked) -> list[AgentNow]:
    """The first agents by name that were asked for, with what they have. Two statements."""
    found = AgentProfile.objects.filter(active=True).order_by("display_name", "pk")
    if asked.state == "":
        found = found.filter(presence__state__in=(Presence.State.AVAILABLE, Presence.State.AWAY))
    elif asked.state == Presence.State.OFFLINE:
        found = found.filter(Q(presence__isnull=True) | Q(presence__state=Presence.State.OFFLINE))
    elif asked.state != "all":
        found = found.filter(presence__state=asked.state)
    if asked.team is not None:
        found = found.filter(team=asked.team)
    if asked.name:
        found = found.filter(display_name__icontains=asked.name)
    rows = list(found.values_list(*_OF_AGENT)[: asked.most])
    held = _held_by([row[0] for row in rows])
    return [
        AgentNow(number, name, team or "", load, capacity, state or Presence.State.OFFLINE, reason or "", since, by or "", held[number])
        for number, name, team, load, capacity, state, reason, since, by in rows
    ]


def agents_by_state() -> dict[str, int]:
    """How many active agents are in each state; who never came is offline. One statement."""
    rows = AgentProfile.objects.filter(active=True).order_by().values_list("presence__state").annotate(Count("pk"))
    counts = dict.fromkeys(Presence.State.values, 0)
    for state, number in rows:
        counts[state or Presence.State.OFFLINE] += number
    return counts


def first_in_line(most: int, *, queue: int | None = None) -> list[InLine]:
    """What waits or is offered, in the order in which it is offered, of one queue or of all. One statement."""
    waiting = WorkItem.objects.filter(state__in=WAITING)
    line = in_order(waiting if queue is None else waiting.filter(queue=queue))
    offers = Reservation.objects.filter(work_item=OuterRef("pk"), state=Reservation.State.PENDING)
    named = line.annotate(offered_to=Coalesce(Subquery(offers.values("agent__display_name")[:1]), Value("")))
    columns = ("pk", "subject", "queue__name", "priority_class", "enqueued_at", "deadline", "kind", "offered_to")
    return [InLine(*row) for row in named.values_list(*columns)[:most]]


def held_as(works: Iterable[WorkItem]) -> dict[int, Reservation]:
    """The live reservation of each piece that has one, by the work item's id, with its agent. One statement."""
    found = Reservation.objects.filter(work_item__in=[work.pk for work in works], state__in=Reservation.LIVE_STATES)
    return {each.work_item_id: each for each in found.select_related("agent")}


def who_has_room(kind: str) -> QuerySet[AgentProfile]:
    """Agents who are there, do this kind of work and have room for a piece of it, those who are available first."""
    limits = RoutingProfileWork.objects.filter(kind=kind)
    return (
        AgentProfile.objects.filter(
            active=True,
            laid_aside=0,
            presence__state__in=(Presence.State.AVAILABLE, Presence.State.AWAY),
            routing_profile__work_rows__in=limits,
            load__lte=F("capacity") - F("routing_profile__work_rows__weight"),
        )
        .select_related("presence")
        .order_by("presence__state", "display_name")
    )


def _live(now: datetime) -> Iterable[Mapping[str, Any]]:
    return _rows(_LIVE, {"now": now})


def _answered(now: datetime, today: datetime) -> Iterable[Mapping[str, Any]]:
    """Only the first time that somebody took the work counts, by its deadline."""
    return _rows(_ANSWERED, {"today": today, "lately": now - LATELY, "since": min(today, now - LATELY)})


def _abandoned(now: datetime, today: datetime) -> Iterable[Mapping[str, Any]]:
    return _rows(_ABANDONED, {"today": today, "lately": now - LATELY, "since": min(today, now - LATELY)})


def _rows(statement: str, values: Mapping[str, datetime]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _add_live(standing: Standing, row: Mapping[str, Any]) -> None:
    pieces = row["pieces"]
    if row["state"] in WORKED_ON:
        standing.in_work += pieces
        return
    if row["state"] == WorkItem.State.QUEUED:
        standing.waiting += pieces
    else:
        standing.offered += pieces
    standing.late += row["late"]
    _add(standing.today, row["late"], 0)
    _add(standing.lately, row["late"], 0)
    standing.longest_since = _earlier(standing.longest_since, row["longest_since"])


def _add_to_class(classes: dict[int, ClassNow], row: Mapping[str, Any]) -> None:
    number, pieces, since = row["priority_class"], row["pieces"], row["longest_since"]
    before = classes.get(number)
    if before is not None:
        pieces, since = pieces + before.waiting, min(since, before.longest_since)
    classes[number] = ClassNow(number, pieces, since)


def _add(answered: Answered, due: int, in_time: int) -> None:
    answered.due += due
    answered.in_time += in_time


def _together(standings: Iterable[Standing]) -> Standing:
    total = Standing()
    for each in standings:
        total.waiting += each.waiting
        total.offered += each.offered
        total.in_work += each.in_work
        total.late += each.late
        total.abandoned += each.abandoned
        _add(total.lately, each.lately.due, each.lately.in_time)
        _add(total.today, each.today.due, each.today.in_time)
        if each.longest_since:
            total.longest_since = _earlier(total.longest_since, each.longest_since)
    return total


def _earlier(first: datetime | None, second: datetime) -> datetime:
    return second if first is None else min(first, second)


def _held_by(agent_ids: Sequence[int]) -> dict[int, list[Held]]:
    held: dict[int, list[Held]] = defaultdict(list)
    live = Reservation.objects.filter(agent__in=agent_ids, state__in=Reservation.LIVE_STATES).order_by("offered_at", "pk")
    aside = Exists(Interruption.objects.filter(laid_aside=OuterRef("pk"), ended_at=None))
    rows = live.values_list("agent", "work_item", "work_item__subject", "state", "accepted_at", "wraps_up_until", aside)
    for agent_id, *piece in rows:
        held[agent_id].append(Held(*piece))
    return held
