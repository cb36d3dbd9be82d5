"""The dispatch pass: waiting work meets free agents, one pass per queue group at a time.

Claiming rows with SKIP LOCKED alone gives order inversions, so a pass holds its group's advisory lock, matches the line in
its order, and only then leaves out what somebody else holds. It runs on everything that could free a match (work queued,
agent available, capacity freed, offer ended) and as a sweep. It reads the heads of the lanes that somebody free may take
(`selectors.line`), so it costs the same however long the line is.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from operator import attrgetter

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from routing import clock
from routing.models import AgentProfile, Queue, Reservation, RoutingProfileWork, RoutingStep, WorkItem
from routing.selectors.line import Lane, Waiting, Wanted, heads, is_anything_waiting, lanes
from routing.services.ageing import age_waiting_work
from routing.services.announce import announce_reservation, announce_work_item
from routing.services.free_agents import candidates, lock_free_agents, may_be_interrupted
from routing.services.interrupting import lay_aside, make_room
from routing.services.load import take_all
from routing.services.locks import (
    is_next_for_queue_group,
    lock_idle_queue_group,
    lock_queue_group,
    reserve_idle_waiting_work,
    wait_for_agents,
)
from routing.services.matching import Match, Pool
from routing.services.sweeping import each_by_itself

NOT_AGAIN_FOR = timedelta(seconds=60)
"""How long an agent who declined, missed or gave back a piece of work is not offered it again."""


MOST_PASSES = 3
"""How often `dispatch` goes round because somebody held agents who may be free; the sweep repeats what is left."""
MOST_HEADS = 200
"""How many pieces of a lane are read at a time, at most."""


def dispatch(group: str) -> list[Reservation]:
    """Offers the waiting work of a queue group to free agents; returns the offers made.

    Each pass is one transaction under the group's advisory lock, and waits for no row. When a pass is under way and another
    one waits to follow it, that one sees all that is committed by now, so this call makes none. While work is left and agents
    were held by somebody else, waits for these, holding nothing, and makes another pass; call it outside a transaction.
    """
    made: list[Reservation] = []
    for _number in range(MOST_PASSES):
        found = _pass(group)
        if found is None:
            if not is_next_for_queue_group(group):
                break
            found = _pass(group, waits=True) or ([], [])
        offers, held = found
        made += offers
        if not held:
            break
        wait_for_agents(held)
    return made


def _pass(group: str, *, waits: bool = False) -> tuple[list[Reservation], list[int]] | None:
    """The offers made, and who could not be asked because somebody held them while work was left for them.

    None when another pass was under way and this one does not wait. Nobody is interrupted while somebody with room is held,
    who may be free.
    """
    with transaction.atomic():
        if waits:
            lock_queue_group(group)
        elif not lock_idle_queue_group(group):
            return None
        asked = candidates(group)
        if not asked:
            return [], []
        now = clock.now()
        age_waiting_work(group, now)
        waiting = lanes(group)
        kinds = {lane.kind for lane in waiting}
        wanted = {each.id: each for each in asked if each.has_room or each.interrupted_for & kinds}
        if not waiting or not wanted:
            return [], []
        agents, out_of_balance = lock_free_agents(wanted)
        held = sorted(set(wanted) - {agent.id for agent in agents} - out_of_balance)
        if not any(wanted[agent_id].has_room for agent_id in held):
            may_be_interrupted(agent for agent in agents if wanted[agent.id].interrupted_for & kinds)
        pool = Pool(agents)
        offers = _offer(_matches(group, waiting, pool, now))
        return offers, held if held and is_anything_waiting(group) else []


def _matches(group: str, waiting: list[Lane], pool: Pool, now: datetime) -> list[Match]:
    """Matches the line, in its order, with who is free."""
    served = [lane for lane in waiting if pool.has_room_for(lane)]
    if not served:
        return []
    not_now = _not_now(group, now)
    refused: dict[str, int] = defaultdict(int)
    for lane_key, _agents in not_now.values():
        refused[lane_key] += 1
    wanted = [
        Wanted(lane, min(MOST_HEADS, pool.room_for(lane) + refused[lane.key]), now - pool.shortest_delay(lane)) for lane in served
    ]
    first: dict[str, list[Waiting]] = defaultdict(list)
    for piece in heads(wanted):
        first[piece.lane.key].append(piece)
    line = heapq.merge(*(_lane_in_order(each, first[each.lane.key], pool) for each in wanted), key=attrgetter("place"))
    nobody: tuple[str, frozenset[int]] = ("", frozenset())
    matches = []
    for piece in line:
        found = pool.match(piece, now, not_now.get(piece.id, nobody)[1])
        if found is not None:
            matches.append(found)
            if not pool.is_anybody_free():
                break
    return matches


def _lane_in_order(wanted: Wanted, pieces: list[Waiting], pool: Pool) -> Iterator[Waiting]:
    """The pieces of a lane while somebody has room for one more; further ones are read when they are needed."""
    while pieces:
        yield from pieces
        if len(pieces) < wanted.most or not pool.has_room_for(wanted.lane):
            return
        wanted = Wanted(wanted.lane, MOST_HEADS, wanted.since, after=pieces[-1].place)
        pieces = heads([wanted])


def dispatch_all() -> int:
    """Ages what waits and makes a pass over every group in which something does; returns how many offers were made.

    A group whose pass fails keeps no other from its own. Raises ExceptionGroup afterwards.
    """
    groups = (
        WorkItem.objects.filter(state=WorkItem.State.QUEUED)
        .order_by("queue__group")
        .values_list("queue__group", flat=True)
        .distinct()
    )
    return sum(each_by_itself(list(groups), _age_and_dispatch))


def _age_and_dispatch(group: str) -> int:
    with transaction.atomic():
        age_waiting_work(group, clock.now())
    return len(dispatch(group))


def dispatch_after_commit(group: str) -> None:
    """A pass over one group once the transaction is committed; the sweep repeats one that fails."""
    transaction.on_commit(lambda: dispatch(group), robust=True)


def dispatch_for_agent_after_commit(agent: AgentProfile) -> None:
    """A pass over every group whose work the agent could get, once the transaction is committed."""
    dispatch_for_profile_after_commit(agent.routing_profile_id)


def dispatch_for_profile_after_commit(profile_id: int) -> None:
    """The same for everybody who has a routing profile."""
    transaction.on_commit(lambda: _dispatch_for_profile(profile_id), robust=True)


def dispatch_if_it_may_be_laid_aside(kind: str, agent: AgentProfile) -> None:
    """The same, for an agent who has taken a piece of a kind that other work may interrupt, and which may wait for that."""
    if RoutingProfileWork.objects.filter(profile=agent.routing_profile_id, interrupts__contains=[kind]).exists():
        dispatch_for_agent_after_commit(agent)


def _dispatch_for_profile(profile_id: int) -> None:
    served = Queue.objects.filter(profile_rows__profile_id=profile_id)
    opened = RoutingStep.objects.filter(also_queue__in=served).values("queue")
    groups = Queue.objects.filter(Q(pk__in=served) | Q(pk__in=opened)).values_list("group", flat=True)
    for group in sorted(set(groups)):
        dispatch(group)


def _not_now(group: str, now: datetime) -> dict[int, tuple[str, frozenset[int]]]:
    """Work item -> its lane, and the agents who declined, missed or gave it back a moment ago, or from whom it was taken back last.

    Who missed it and has come back since is asked again: otherwise the most urgent work would wait while they take what is less so.
    """
    since = now - NOT_AGAIN_FOR
    lane_of = dict(
        WorkItem.objects.filter(state=WorkItem.State.QUEUED, given_back_at__gt=since, queue__group=group).values_list("pk", "lane")
    )
    if not lane_of:
        return {}
    ended = Q(state__in=(Reservation.State.REJECTED, Reservation.State.COMPLETED))
    ended |= Q(state=Reservation.State.TIMEOUT, ended_at__gte=F("agent__presence__since"))
    ended |= Q(state=Reservation.State.RESCINDED, ended_at=F("work_item__given_back_at"))
    recently: dict[int, set[int]] = defaultdict(set)
    for work_item_id, agent_id in Reservation.objects.filter(ended, work_item__in=lane_of, ended_at__gt=since).values_list(
        "work_item_id", "agent_id"
    ):
        recently[work_item_id].add(agent_id)
    return {work_item_id: (lane_of[work_item_id], frozenset(agents)) for work_item_id, agents in recently.items()}


def _offer(matches: list[Match]) -> list[Reservation]:
    """Makes the offers, but for work that somebody else holds, or took out of the line since it was read.

    They count from the moment at which their work was locked, so none begins before an earlier one of its work has ended.
    """
    if not matches:
        return []
    waiting = reserve_idle_waiting_work(found.work_id for found in matches)
    made = [found for found in matches if found.work_id in waiting]
    weights: dict[int, int] = defaultdict(int)
    for found in made:
        weights[found.agent_id] += found.weight
    make_room({found.agent_id: sum(piece.weight for piece in found.aside) for found in made if found.aside})
    take_all(weights)
    now = clock.now()
    expires_at = now + timedelta(seconds=settings.RESERVATION_TIMEOUT_SECONDS)
    reservations = Reservation.objects.bulk_create(
        Reservation(
            work_item=waiting[found.work_id],
            agent_id=found.agent_id,
            weight=found.weight,
            reason=found.reason,
            offered_at=now,
            expires_at=expires_at,
        )
        for found in made
    )
    lay_aside(
        {piece.reservation_id: offer for found, offer in zip(made, reservations, strict=True) for piece in found.aside}
    )
    for reservation in reservations:
        announce_work_item(reservation.work_item)
        announce_reservation(reservation)
    return reservations
