"""Who is available and has room, read together with their locks: one statement each, since a pass does it for every event."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import connection

from routing.services.matching import FreeAgent, Profile, ServedQueue, WorkLimit

_COULD_BE_FREE = """
    SELECT agent.id
      FROM routing_agentprofile agent
      JOIN routing_presence presence ON presence.agent_id = agent.id
     WHERE agent.active AND agent.load < agent.capacity AND presence.state = 'available'
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
           (SELECT jsonb_object_agg(kind, pieces) FROM (
                SELECT work.kind, count(*) AS pieces
                  FROM routing_reservation held JOIN routing_workitem work ON work.id = held.work_item_id
                 WHERE held.agent_id = agent.id AND held.state IN ('pending', 'accepted', 'wrapping') GROUP BY work.kind) has)
      FROM routing_agentprofile agent
      JOIN routing_presence presence ON presence.agent_id = agent.id
     WHERE agent.id = ANY(%(agents)s) AND agent.active AND agent.load < agent.capacity AND presence.state = 'available'
     ORDER BY agent.id
       FOR NO KEY UPDATE OF agent SKIP LOCKED
"""
_PROFILES = """
    SELECT profile.id,
           (SELECT jsonb_object_agg(queue_id, jsonb_build_array("order", delay_seconds)) FROM routing_routingprofilequeue
             WHERE profile_id = profile.id),
           (SELECT jsonb_object_agg(kind, jsonb_build_array(weight, max_at_once)) FROM routing_routingprofilework
             WHERE profile_id = profile.id)
      FROM routing_routingprofile profile
     WHERE profile.id = ANY(%(profiles)s)
"""


def could_be_free(group: str) -> list[int]:
    """The agents who serve the queues of a group, or what those open into, are available and have room, by rising id. Locks nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_COULD_BE_FREE, {"group": group})
        return [agent_id for (agent_id,) in cursor.fetchall()]


def lock_free_agents(agent_ids: Iterable[int]) -> list[FreeAgent]:
    """Those of the agents whom nobody else holds and who still are available and have room, as they are now that they are locked.

    Needs a transaction; waits for nobody. Two statements.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCKED, {"agents": list(agent_ids)})
        rows = cursor.fetchall()
    profiles = _profiles({row[1] for row in rows}) if rows else {}
    return [
        FreeAgent(
            id=agent_id,
            profile=profiles[profile_id],
            capacity=capacity,
            load=load,
            idle_since=idle_since,
            skills=_json(skills),
            at_work_on=_json(at_work_on),
        )
        for agent_id, profile_id, capacity, load, idle_since, skills, at_work_on in rows
    ]


def _profiles(profile_ids: set[int]) -> dict[int, Profile]:
    with connection.cursor() as cursor:
        cursor.execute(_PROFILES, {"profiles": list(profile_ids)})
        rows = cursor.fetchall()
    return {
        profile_id: Profile(
            profile_id,
            {int(queue): ServedQueue(order, timedelta(seconds=delay)) for queue, (order, delay) in _json(queues).items()},
            {kind: WorkLimit(weight, most) for kind, (weight, most) in _json(limits).items()},
        )
        for profile_id, queues, limits in rows
    }


def _json(value: str | None) -> dict[str, Any]:
    """A JSON object as plain SQL gives it; nothing is an empty one."""
    return dict(json.loads(value)) if value else {}
