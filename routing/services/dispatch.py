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
from functools import partial
from operator import attrgetter

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet

from routing import clock
from routing.models import (
    AgentProfile,
    AgentSkill,
    Presence,
    Queue,
    Reservation,
    RoutingProfileQueue,
    RoutingProfileWork,
    RoutingStep,
    WorkItem,
)
from routing.selectors.line import Lane, Waiting, Wanted, heads, lanes
from routing.services.ageing import age_waiting_work
from routing.services.announce import announce_reservation, announce_work_item
from routing.services.load import take_all
from routing.services.locks import (
    lock_idle_rows_of_agents,
    lock_idle_waiting_work,
    lock_queue_group,
    wait_for_agents,
)
from routing.services.matching import FreeAgent, Match, Pool, Profile, ServedQueue, WorkLimit

NOT_AGAIN_FOR = timedelta(seconds=60)
"""How long an agent who declined, missed or gave back a piece of work is not offered it again."""


MOST_PASSES = 3
"""How often `dispatch` goes round because somebody held agents who may be free; the sweep repeats what is left."""
MOST_HEADS = 200
"""How many pieces of a lane are read at a time, at most."""


def dispatch(group: str) -> list[Reservation]:
    """Offers the waiting work of a queue group to free agents; returns the offers made.

    Each pass is one transaction under the group's advisory lock, and waits for no row. While work is left and agents
    were held by somebody else, waits for these, holding nothing, and makes another pass; call it outside a transaction.
    """
    made: list[Reservation] = []
    for _number in range(MOST_PASSES):
        offers, held = _pass(group)
        made += offers
        if not held:
            break
        wait_for_agents(held)
    return made


def _pass(group: str) -> tuple[list[Reservation], list[int]]:
    """The offers made, and who could not be asked because somebody held them while work was left for them."""
    with transaction.atomic():
        lock_queue_group(group)
        now = clock.now()
        age_waiting_work(group, now)
        waiting = lanes(group)
        if not waiting:
            return [], []
        able = _able_agents(waiting)
        could_be_free = sorted(able.values_list("pk", flat=True))
        locked = lock_idle_rows_of_agents(could_be_free)
        held = [agent_id for agent_id in could_be_free if agent_id not in locked]
        pool = Pool(_free_agents(able.filter(pk__in=locked)))
        offers = _offer(_matches(group, waiting, pool, now), now)
    return offers, held if held and _is_left(waiting, held) else []


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
    matches = (pool.match(piece, now, not_now.get(piece.id, nobody)[1]) for piece in line)
    return [found for found in matches if found is not None]


def _lane_in_order(wanted: Wanted, pieces: list[Waiting], pool: Pool) -> Iterator[Waiting]:
    """The pieces of a lane while somebody has room for one more; further ones are read when they are needed."""
    while pieces:
        for piece in pieces:
            if not pool.has_room_for(wanted.lane):
                return
            yield piece
        if len(pieces) < wanted.most:
            return
        wanted = Wanted(wanted.lane, MOST_HEADS, wanted.since, after=pieces[-1].place)
        pieces = heads([wanted])


def _is_left(waiting: list[Lane], held: list[int]) -> bool:
    """Whether work is left that those who were held may take."""
    pool = Pool(_free_agents(_able_agents(waiting).filter(pk__in=held)))
    return any(heads([Wanted(lane, 1, clock.now())]) for lane in waiting if pool.has_room_for(lane))


def dispatch_all() -> int:
    """A pass over every group in which something waits; returns how many offers were made."""
    groups = (
        WorkItem.objects.filter(state=WorkItem.State.QUEUED)
        .order_by("queue__group")
        .values_list("queue__group", flat=True)
        .distinct()
    )
    return sum(len(dispatch(group)) for group in list(groups))


def dispatch_after_commit(group: str) -> None:
    """A pass over one group once the transaction is committed; the sweep repeats one that fails."""
    transaction.on_commit(partial(dispatch, group), robust=True)


def dispatch_for_agent_after_commit(agent: AgentProfile) -> None:
    """A pass over every group whose work the agent could get, once the transaction is committed."""
    transaction.on_commit(partial(_dispatch_for_profile, agent.routing_profile_id), robust=True)


def _dispatch_for_profile(profile_id: int) -> None:
    served = Queue.objects.filter(profile_rows__profile_id=profile_id)
    opened = RoutingStep.objects.filter(also_queue__in=served).values("queue")
    groups = Queue.objects.filter(Q(pk__in=served) | Q(pk__in=opened)).values_list("group", flat=True)
    for group in sorted(set(groups)):
        dispatch(group)


def _able_agents(waiting: list[Lane]) -> QuerySet[AgentProfile]:
    """Who serves one of the lanes' queues, is available and has room."""
    queues = {queue_id for lane in waiting for queue_id in lane.queue_ids}
    return AgentProfile.objects.filter(
        active=True,
        presence__state=Presence.State.AVAILABLE,
        load__lt=F("capacity"),
        routing_profile__in=RoutingProfileQueue.objects.filter(queue__in=queues).values("profile"),
    )


def _free_agents(locked: QuerySet[AgentProfile]) -> list[FreeAgent]:
    """Reads agents after their rows were locked: what was read before may be old."""
    free = list(locked.order_by("pk").values_list("pk", "routing_profile_id", "capacity", "load", "presence__idle_since"))
    if not free:
        return []
    profiles = _profiles({profile_id for _id, profile_id, *_rest in free})
    ids = [row[0] for row in free]
    skills, at_work_on = _skills(ids), _at_work_on(ids)
    return [
        FreeAgent(
            id=agent_id,
            profile=profiles[profile_id],
            capacity=capacity,
            load=load,
            idle_since=idle_since,
            skills=skills[agent_id],
            at_work_on=at_work_on[agent_id],
        )
        for agent_id, profile_id, capacity, load, idle_since in free
    ]


def _profiles(profile_ids: set[int]) -> dict[int, Profile]:
    queues: dict[int, dict[int, ServedQueue]] = defaultdict(dict)
    for profile_id, queue_id, order, delay in RoutingProfileQueue.objects.filter(
        profile__in=profile_ids
    ).values_list("profile_id", "queue_id", "order", "delay_seconds"):
        queues[profile_id][queue_id] = ServedQueue(order, timedelta(seconds=delay))
    limits: dict[int, dict[str, WorkLimit]] = defaultdict(dict)
    for profile_id, kind, weight, max_at_once in RoutingProfileWork.objects.filter(
        profile__in=profile_ids
    ).values_list("profile_id", "kind", "weight", "max_at_once"):
        limits[profile_id][kind] = WorkLimit(weight, max_at_once)
    return {profile_id: Profile(profile_id, queues[profile_id], limits[profile_id]) for profile_id in profile_ids}


def _skills(agent_ids: list[int]) -> dict[int, dict[str, int]]:
    skills: dict[int, dict[str, int]] = defaultdict(dict)
    rows = AgentSkill.objects.filter(agent__in=agent_ids).values_list("agent_id", "skill__code", "proficiency")
    for agent_id, code, proficiency in rows:
        skills[agent_id][code] = proficiency
    return skills


def _at_work_on(agent_ids: list[int]) -> dict[int, dict[str, int]]:
    at_work_on: dict[int, dict[str, int]] = defaultdict(dict)
    for agent_id, kind, pieces in (
        Reservation.objects.filter(agent__in=agent_ids, state__in=Reservation.LIVE_STATES)
        .order_by()
        .values_list("agent_id", "work_item__kind")
        .annotate(pieces=Count("pk"))
    ):
        at_work_on[agent_id][kind] = pieces
    return at_work_on


def _not_now(group: str, now: datetime) -> dict[int, tuple[str, frozenset[int]]]:
    """Work item -> its lane, and the agents who declined, missed or gave it back a moment ago."""
    since = now - NOT_AGAIN_FOR
    lane_of = dict(
        WorkItem.objects.filter(state=WorkItem.State.QUEUED, given_back_at__gt=since, queue__group=group).values_list("pk", "lane")
    )
    if not lane_of:
        return {}
    recently: dict[int, set[int]] = defaultdict(set)
    for work_item_id, agent_id in Reservation.objects.filter(
        work_item__in=lane_of,
        state__in=(Reservation.State.REJECTED, Reservation.State.TIMEOUT, Reservation.State.COMPLETED),
        ended_at__gt=since,
    ).values_list("work_item_id", "agent_id"):
        recently[work_item_id].add(agent_id)
    return {work_item_id: (lane_of[work_item_id], frozenset(agents)) for work_item_id, agents in recently.items()}


def _offer(matches: list[Match], now: datetime) -> list[Reservation]:
    """Makes the offers, but for work that somebody else holds, or took out of the line since it was read."""
    if not matches:
        return []
    waiting = lock_idle_waiting_work(found.work_id for found in matches)
    made = [found for found in matches if found.work_id in waiting]
    WorkItem.objects.filter(pk__in=[found.work_id for found in made]).update(state=WorkItem.State.RESERVED)
    weights: dict[int, int] = defaultdict(int)
    for found in made:
        weights[found.agent_id] += found.weight
    take_all(weights)
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
    for reservation in reservations:
        reservation.work_item.state = WorkItem.State.RESERVED
        announce_work_item(reservation.work_item)
        announce_reservation(reservation)
    return reservations
