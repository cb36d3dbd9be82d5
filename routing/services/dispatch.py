"""The dispatch pass: waiting work meets free agents, one pass per queue group at a time.

Claiming rows with SKIP LOCKED alone gives order inversions, so a pass holds its group's advisory lock, matches the whole
line, and only then leaves out what somebody else holds. It runs on everything that could free a match (work queued,
agent available, capacity freed, offer ended) and as a sweep.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from routing.models import (
    AgentProfile,
    AgentSkill,
    Presence,
    Queue,
    Reservation,
    RoutingProfileQueue,
    RoutingProfileWork,
    WorkItem,
)
from routing.selectors.line import in_order
from routing.services.announce import announce_reservation, announce_work_item
from routing.services.load import take
from routing.services.locks import (
    lock_idle_rows_of_agents,
    lock_idle_waiting_work,
    lock_queue_group,
    wait_for_agents,
)
from routing.services.matching import FreeAgent, Match, ServedQueue, WaitingWork, WorkLimit, match

NOT_AGAIN_FOR = timedelta(seconds=60)
"""How long an agent who declined, missed or gave back a piece of work is not offered it again."""


MOST_PASSES = 3
"""How often `dispatch` goes round because somebody held agents who may be free; the sweep repeats what is left."""


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
        now = timezone.now()
        able = _able_agents(group)
        could_be_free = sorted(able.values_list("pk", flat=True))
        locked = lock_idle_rows_of_agents(could_be_free)
        held = [agent_id for agent_id in could_be_free if agent_id not in locked]
        agents = _free_agents(able.filter(pk__in=locked))
        line = _waiting_line(group, now) if agents or held else []
        offers = _offer(match(line, agents, now), now) if line and agents else []
    return offers, held if len(offers) < len(line) else []


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
    transaction.on_commit(lambda: dispatch(group), robust=True)


def dispatch_for_agent_after_commit(agent: AgentProfile) -> None:
    """A pass over every group whose work the agent could get, once the transaction is committed."""
    transaction.on_commit(lambda: _dispatch_for_profile(agent.routing_profile_id), robust=True)


def _dispatch_for_profile(profile_id: int) -> None:
    served = Queue.objects.filter(profile_rows__profile_id=profile_id)
    groups = Queue.objects.filter(Q(pk__in=served) | Q(overflow_queue__in=served)).values_list("group", flat=True)
    for group in sorted(set(groups)):
        dispatch(group)


def _able_agents(group: str) -> QuerySet[AgentProfile]:
    """Who serves the group, or what it overflows into, is available and has room."""
    own = Queue.objects.filter(group=group)
    served = Queue.objects.filter(Q(group=group) | Q(pk__in=own.values("overflow_queue")))
    return AgentProfile.objects.filter(
        active=True,
        presence__state=Presence.State.AVAILABLE,
        load__lt=F("capacity"),
        routing_profile__in=RoutingProfileQueue.objects.filter(queue__in=served).values("profile"),
    )


def _free_agents(locked: QuerySet[AgentProfile]) -> list[FreeAgent]:
    """Reads agents after their rows were locked: what was read before may be old."""
    free = list(locked.select_related("presence").order_by("pk"))
    if not free:
        return []
    queues, limits = _profiles({agent.routing_profile_id for agent in free})
    ids = [agent.pk for agent in free]
    skills, at_work_on = _skills(ids), _at_work_on(ids)
    return [
        FreeAgent(
            id=agent.pk,
            capacity=agent.capacity,
            load=agent.load,
            idle_since=agent.presence.idle_since,
            skills=frozenset(skills[agent.pk]),
            queues=queues[agent.routing_profile_id],
            limits=limits[agent.routing_profile_id],
            at_work_on=at_work_on[agent.pk],
        )
        for agent in free
    ]


def _profiles(
    profile_ids: set[int],
) -> tuple[dict[int, dict[int, ServedQueue]], dict[int, dict[str, WorkLimit]]]:
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
    return queues, limits


def _skills(agent_ids: list[int]) -> dict[int, set[str]]:
    skills: dict[int, set[str]] = defaultdict(set)
    for agent_id, code in AgentSkill.objects.filter(agent__in=agent_ids).values_list("agent_id", "skill__code"):
        skills[agent_id].add(code)
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


def _waiting_line(group: str, now: datetime) -> list[WaitingWork]:
    """The group's waiting work in its order."""
    waiting = WorkItem.objects.filter(state=WorkItem.State.QUEUED, queue__group=group)
    rows = in_order(waiting, now).values(
        "pk",
        "kind",
        "queue_id",
        "queue__overflow_queue_id",
        "queue__overflow_after_seconds",
        "enqueued_at",
        "required_skills",
        "preferred_agent_id",
    )
    not_now = _not_now(group, now)
    return [
        WaitingWork(
            id=row["pk"],
            kind=row["kind"],
            queue_ids=_queues_of(row, now),
            enqueued_at=row["enqueued_at"],
            required_skills=frozenset(row["required_skills"]),
            preferred_agent_id=row["preferred_agent_id"],
            not_now_for=frozenset(not_now[row["pk"]]),
        )
        for row in rows
    ]


def _queues_of(row: Mapping[str, Any], now: datetime) -> tuple[int, ...]:
    overflow, after = row["queue__overflow_queue_id"], row["queue__overflow_after_seconds"]
    if overflow is None or after is None or now < row["enqueued_at"] + timedelta(seconds=after):
        return (row["queue_id"],)
    return (row["queue_id"], overflow)


def _not_now(group: str, now: datetime) -> dict[int, set[int]]:
    """Work item -> the agents who declined, missed or gave it back a moment ago."""
    recently: dict[int, set[int]] = defaultdict(set)
    for work_item_id, agent_id in Reservation.objects.filter(
        work_item__state=WorkItem.State.QUEUED,
        work_item__queue__group=group,
        state__in=(Reservation.State.REJECTED, Reservation.State.TIMEOUT, Reservation.State.COMPLETED),
        ended_at__gt=now - NOT_AGAIN_FOR,
    ).values_list("work_item_id", "agent_id"):
        recently[work_item_id].add(agent_id)
    return recently


def _offer(matches: list[Match], now: datetime) -> list[Reservation]:
    """Makes the offers, but for work that somebody else holds, or took out of the line since it was read."""
    waiting = lock_idle_waiting_work(found.work_id for found in matches)
    made = [found for found in matches if found.work_id in waiting]
    WorkItem.objects.filter(pk__in=[found.work_id for found in made]).update(state=WorkItem.State.RESERVED)
    weights: dict[int, int] = defaultdict(int)
    for found in made:
        weights[found.agent_id] += found.weight
    for agent_id in sorted(weights):
        take(agent_id, weights[agent_id])
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
