"""Who is available and has room, read together with their locks: one statement each, since a pass does it for every event."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import connection

from routing.services.matching import FreeAgent, Held, Profile, ServedQueue, WorkLimit

logger = logging.getLogger(__name__)
_CANDIDATES = """
    WITH interrupting AS MATERIALIZED (
        SELECT profile_id, kind, interrupts FROM routing_routingprofilework WHERE interrupts <> '[]'
    )
    SELECT agent.id, agent.load < agent.capacity, able.kinds
      FROM routing_agentprofile agent
      JOIN routing_presence presence ON presence.agent_id = agent.id
      LEFT JOIN LATERAL (
          SELECT array_agg(own.kind) AS kinds FROM interrupting own
           WHERE own.profile_id = agent.routing_profile_id AND EXISTS (
               SELECT FROM routing_reservation held JOIN routing_workitem work ON work.id = held.work_item_id
                WHERE held.agent_id = agent.id AND held.state = 'accepted' AND jsonb_exists(own.interrupts, work.kind))
      ) able ON true
     WHERE agent.active AND agent.laid_aside = 0 AND presence.state = 'available'
       AND (agent.load < agent.capacity OR able.kinds IS NOT NULL)
       AND agent.routing_profile_id IN (
           SELECT served.profile_id FROM routing_routingprofilequeue served JOIN routing_queue queue ON queue.id = served.queue_id
            WHERE queue."group" = %(group)s OR queue.id IN (
                SELECT step.also_queue_id FROM routing_routingstep step JOIN routing_queue own ON own.id = step.queue_id
                 WHERE own."group" = %(group)s))
     ORDER BY agent.id
"""
_LOCKED = """
    SELECT agent.id, agent.routing_profile_id, agent.capacity, agent.load, presence.idle_since,
           (SELECT jsonb_object_agg(skill.code, its.proficiency)
              FROM routing_agentskill its JOIN routing_skill skill ON skill.id = its.skill_id WHERE its.agent_id = agent.id),
           has.by_kind, has.weight
      FROM routing_agentprofile agent
      JOIN routing_presence presence ON presence.agent_id = agent.id
      CROSS JOIN LATERAL (
          SELECT jsonb_object_agg(kind, pieces) AS by_kind, COALESCE(sum(weight), 0) AS weight FROM (
                SELECT work.kind, count(*) AS pieces, sum(held.weight) AS weight
                  FROM routing_reservation held JOIN routing_workitem work ON work.id = held.work_item_id
                 WHERE held.agent_id = agent.id AND held.state IN ('pending', 'accepted', 'wrapping') GROUP BY work.kind) each_kind
      ) has
     WHERE agent.id = ANY(%(agents)s) AND agent.active AND agent.laid_aside = 0 AND presence.state = 'available'
     ORDER BY agent.id
       FOR NO KEY UPDATE OF agent SKIP LOCKED
"""
_OUT_OF_BALANCE = """
    SELECT agent.id, agent.load, held.weight
      FROM routing_agentprofile agent
      CROSS JOIN LATERAL (
          SELECT COALESCE(sum(weight), 0) AS weight FROM routing_reservation
           WHERE agent_id = agent.id AND state IN ('pending', 'accepted', 'wrapping')
      ) held
     WHERE agent.id = ANY(%(agents)s) AND agent.load <> held.weight
     ORDER BY agent.id
"""
_TAKEN = """
    SELECT held.agent_id, held.id, work.kind, held.weight
      FROM routing_reservation held JOIN routing_workitem work ON work.id = held.work_item_id
     WHERE held.agent_id = ANY(%(agents)s) AND held.state = 'accepted'
     ORDER BY held.agent_id, held.accepted_at DESC, held.id DESC
"""
_PROFILES = """
    SELECT profile.id,
           (SELECT jsonb_object_agg(queue_id, jsonb_build_array("order", delay_seconds)) FROM routing_routingprofilequeue
             WHERE profile_id = profile.id),
           (SELECT jsonb_object_agg(kind, jsonb_build_array(weight, max_at_once, interrupts)) FROM routing_routingprofilework
             WHERE profile_id = profile.id)
      FROM routing_routingprofile profile
     WHERE profile.id = ANY(%(profiles)s)
"""


class Candidate(NamedTuple):
    """Somebody who may be asked: because they have room, or for work of kinds that they would lay other work aside for."""

    id: int
    has_room: bool
    interrupted_for: frozenset[str]


def candidates(group: str) -> list[Candidate]:
    """The agents who serve the queues of a group, or what those open into, are available, and have room or may be interrupted.

    By rising id; those who laid work aside already are not among them. Locks nothing. One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES, {"group": group})
        return [Candidate(agent_id, has_room, frozenset(kinds or ())) for agent_id, has_room, kinds in cursor.fetchall()]


def lock_free_agents(agent_ids: Iterable[int]) -> tuple[list[FreeAgent], set[int]]:
    """Those of the agents whom nobody else holds and who still are available, as they are now that they are locked.

    Apart from them the ids of those whose load is not what they hold. The database would refuse whatever they are offered, and
    with it all that is offered beside: they are left out and named in the log, until somebody has put them right.
    Needs a transaction; waits for nobody. Two statements, and one more when a load looks wrong.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCKED, {"agents": list(agent_ids)})
        rows = cursor.fetchall()
    profiles = _profiles({row[1] for row in rows}) if rows else {}
    wrong = _out_of_balance([row[0] for row in rows if row[3] != row[-1]])
    free = [
        FreeAgent(
            id=agent_id,
            profile=profiles[profile_id],
            capacity=capacity,
            load=load,
            idle_since=idle_since,
            skills=_json(skills),
            at_work_on=_json(at_work_on),
        )
        for agent_id, profile_id, capacity, load, idle_since, skills, at_work_on, _weight in rows
        if agent_id not in wrong
    ]
    return free, wrong


def _out_of_balance(agent_ids: list[int]) -> set[int]:
    """Those of the agents, who are locked, whose load is not the weight of their live work.

    The statement that locked them may have read their work as it was before their row changed last, so that only this one is proof.
    """
    if not agent_ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_OUT_OF_BALANCE, {"agents": agent_ids})
        found = cursor.fetchall()
    for agent_id, load, weight in found:
        logger.error("agent %s gets no offers: their load is %s, and what they hold weighs %s", agent_id, load, weight)
    return {agent_id for agent_id, _load, _weight in found}


def may_be_interrupted(agents: Iterable[FreeAgent]) -> None:
    """Gives agents that are locked what they have taken, the latest first, so that it may be laid aside. One statement."""
    by_id = {agent.id: agent for agent in agents}
    taken: dict[int, list[Held]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN, {"agents": list(by_id)})
        for agent_id, *piece in cursor.fetchall():
            taken[agent_id].append(Held(*piece))
    for agent_id, pieces in taken.items():
        by_id[agent_id].has_taken = tuple(pieces)


def _profiles(profile_ids: set[int]) -> dict[int, Profile]:
    with connection.cursor() as cursor:
        cursor.execute(_PROFILES, {"profiles": list(profile_ids)})
        rows = cursor.fetchall()
    return {
        profile_id: Profile(
            profile_id,
            {int(queue): ServedQueue(order, timedelta(seconds=delay)) for queue, (order, delay) in _json(queues).items()},
            {kind: WorkLimit(weight, most, frozenset(others)) for kind, (weight, most, others) in _json(limits).items()},
        )
        for profile_id, queues, limits in rows
    }


def _json(value: str | None) -> dict[str, Any]:
    """A JSON object as plain SQL gives it; nothing is an empty one."""
    return dict(json.loads(value)) if value else {}
