"""A rush: many pieces, many agents, many workers at once; and what the rows say of it afterwards."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from threading import Thread
from typing import Any

from django.db import connection, connections, transaction

from routing.models import AgentProfile, Presence, Reservation, WorkItem
from routing.services import presence, queueing, reservations
from routing.services.dispatch import dispatch_all
from tests.support.database import leave

SKILLS = ("gas", "water", "power")
RUSH = """
    INSERT INTO routing_workitem (subject, kind, queue_id, priority_class, required_skills, min_proficiency, also_queues, state, created_at,
                                  enqueued_at, deadline, in_good_time, rises, steps_taken)
    SELECT 'rush' || n, CASE WHEN n %% 5 = 0 THEN 'live_voice' ELSE 'messaging' END,
           queues.ids[1 + n %% cardinality(queues.ids)], 1 + n %% 3,
           CASE WHEN n %% 4 = 3 THEN '[]' ELSE jsonb_build_array(%(skills)s::jsonb -> (n %% 3)) END, 1, '[]', 'queued', now(), now(),
           now() + (n * 7919 %% 1000) * interval '1 second', true, 0, 0
      FROM generate_series(1, %(pieces)s) n, (SELECT array_agg(id ORDER BY id) AS ids FROM routing_queue) queues
"""
VIOLATIONS = {
    "two owners": """
        SELECT count(*) FROM (SELECT work_item_id FROM routing_reservation WHERE state IN ('pending', 'accepted', 'wrapping')
         GROUP BY work_item_id HAVING count(*) > 1) twice
    """,
    "two owners at one time": """
        SELECT count(*) FROM routing_reservation one JOIN routing_reservation other
            ON other.work_item_id = one.work_item_id AND other.id > one.id AND other.offered_at < COALESCE(one.ended_at, 'infinity')
         WHERE one.offered_at <= other.offered_at
    """,
    "load that is not the work's": """
        SELECT count(*) FROM routing_agentprofile agent WHERE load > capacity OR load + laid_aside <> (
            SELECT COALESCE(sum(weight), 0) FROM routing_reservation
             WHERE agent_id = agent.id AND state IN ('pending', 'accepted', 'wrapping'))
    """,
    "laid aside for nothing": """
        SELECT count(*) FROM routing_interruption aside JOIN routing_reservation one ON one.id = aside.laid_aside_id
          JOIN routing_reservation other ON other.id = aside.by_id
         WHERE other.offered_at > aside.began_at OR one.accepted_at IS NULL OR one.accepted_at > aside.began_at
            OR (aside.ended_at IS NULL AND (one.ended_at IS NOT NULL OR other.ended_at IS NOT NULL))
            OR aside.ended_at > LEAST(one.ended_at, other.ended_at)
    """,
    "more for somebody who laid work aside": """
        SELECT count(*) FROM routing_interruption aside JOIN routing_reservation more ON more.agent_id = aside.agent_id
         WHERE more.offered_at > aside.began_at AND more.offered_at < aside.ended_at
    """,
    "offers and work that disagree": """
        SELECT count(*) FROM routing_workitem work WHERE state <> COALESCE(
            (SELECT CASE its.state WHEN 'pending' THEN 'reserved' WHEN 'accepted' THEN 'assigned' ELSE 'wrapping' END
               FROM routing_reservation its WHERE its.work_item_id = work.id AND its.state IN ('pending', 'accepted', 'wrapping')),
            CASE WHEN work.state IN ('queued', 'completed', 'canceled') THEN work.state END, 'none')
    """,
    "inversions": """
        WITH first AS (SELECT work_item_id, min(offered_at) AS at FROM routing_reservation GROUP BY work_item_id)
        SELECT count(*) FROM routing_workitem later JOIN first ON first.work_item_id = later.id
         WHERE later.subject LIKE 'rush%%' AND EXISTS (
            SELECT FROM routing_workitem earlier LEFT JOIN first its ON its.work_item_id = earlier.id
             WHERE earlier.subject LIKE 'rush%%' AND earlier.lane = later.lane AND (its.at IS NULL OR its.at > first.at)
               AND COALESCE(earlier.ended_at, 'infinity') > first.at
               AND (earlier.priority_class, earlier.in_good_time, earlier.deadline, earlier.id)
                 < (later.priority_class, later.in_good_time, later.deadline, later.id))
    """,
    "passed over": """
        CREATE TEMPORARY TABLE piece ON COMMIT DROP AS
            SELECT work.*, first.at FROM routing_workitem work LEFT JOIN (
                SELECT work_item_id, min(offered_at) AS at FROM routing_reservation GROUP BY work_item_id
            ) first ON first.work_item_id = work.id WHERE subject LIKE 'rush%%';
        CREATE TEMPORARY TABLE offer ON COMMIT DROP AS
            SELECT its.id, its.agent_id, its.offered_at, agent.capacity, piece.priority_class, piece.in_good_time, piece.deadline,
                   piece.id AS work_id
              FROM routing_reservation its JOIN piece ON piece.id = its.work_item_id
              JOIN routing_agentprofile agent ON agent.id = its.agent_id;
        CREATE TEMPORARY TABLE held ON COMMIT DROP AS
            SELECT offer.id AS offer_id, work.kind, count(*) AS pieces, sum(other.weight) AS weight
              FROM offer JOIN routing_reservation other ON other.agent_id = offer.agent_id
              JOIN routing_workitem work ON work.id = other.work_item_id
             WHERE (other.offered_at, other.id) < (offer.offered_at, offer.id)
               AND COALESCE(other.ended_at, 'infinity') > offer.offered_at
             GROUP BY offer.id, work.kind;
        CREATE TEMPORARY TABLE able ON COMMIT DROP AS
            SELECT agent.id AS agent_id, lane.lane, lane.kind, limits.weight, limits.max_at_once, served.delay_seconds
              FROM (SELECT DISTINCT lane, kind, queue_id, required_skills, min_proficiency FROM piece) lane
              JOIN routing_routingprofilework limits ON limits.kind = lane.kind
              JOIN routing_routingprofilequeue served ON served.queue_id = lane.queue_id AND served.profile_id = limits.profile_id
              JOIN routing_agentprofile agent ON agent.routing_profile_id = limits.profile_id
             WHERE NOT EXISTS (
                SELECT FROM jsonb_array_elements_text(lane.required_skills) wanted(code) WHERE NOT EXISTS (
                    SELECT FROM routing_agentskill own JOIN routing_skill skill ON skill.id = own.skill_id
                     WHERE own.agent_id = agent.id AND skill.code = wanted.code AND own.proficiency >= lane.min_proficiency));
        CREATE INDEX ON piece (lane, priority_class, in_good_time, deadline, id);
        CREATE INDEX ON held (offer_id);
        CREATE INDEX ON able (agent_id);
        ANALYZE piece, offer, held, able;
        SELECT count(DISTINCT offer.id)
          FROM offer JOIN able ON able.agent_id = offer.agent_id
          LEFT JOIN (SELECT offer_id, sum(weight) AS weight FROM held GROUP BY offer_id) all_held ON all_held.offer_id = offer.id
          LEFT JOIN held of_kind ON of_kind.offer_id = offer.id AND of_kind.kind = able.kind
          JOIN piece earlier ON earlier.lane = able.lane
           AND (earlier.priority_class, earlier.in_good_time, earlier.deadline, earlier.id)
             < (offer.priority_class, offer.in_good_time, offer.deadline, offer.work_id)
         WHERE COALESCE(all_held.weight, 0) + able.weight <= offer.capacity
           AND COALESCE(of_kind.pieces, 0) < able.max_at_once
           AND offer.offered_at - earlier.enqueued_at >= able.delay_seconds * interval '1 second'
           AND (earlier.at IS NULL OR earlier.at > offer.offered_at) AND COALESCE(earlier.ended_at, 'infinity') > offer.offered_at
    """,
}
"""What may never be, each with the statement that counts it, after those that prepare it.

An inversion is a first offer that overtook an earlier piece of its lane. Passed over is who gave way to later or lower work, of any lane
and as often as that was offered, although whoever got that had room, the skills and the queue for theirs: so nobody starves.
"""


def fill_the_line(pieces: int) -> None:
    """So many pieces, of three classes, four kinds of skills and two kinds of work, in every queue, all waiting before anybody is there."""
    with connection.cursor() as cursor:
        cursor.execute(RUSH, {"pieces": pieces, "skills": '["gas", "water", "power"]'})


def violations() -> dict[str, int]:
    """How often each thing that may never be is so, but for what is never so."""
    found = {}
    for name, statements in VIOLATIONS.items():
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in statements.split(";\n"):
                cursor.execute(statement, {})
            found[name] = int(cursor.fetchone()[0])
    return {name: count for name, count in found.items() if count}


def work_through(agents: list[AgentProfile], *, workers: int, seed: int, looks: int | None = None) -> list[Exception]:
    """Workers serve their share of the agents until nothing waits, or for so many looks: they take, decline, pass on and finish.

    Returns what went wrong.
    """
    troubles: list[Exception] = []

    def serve(number: int) -> None:
        try:
            _serve(agents[number::workers], random.Random(1000 * seed + number), looks)
        except Exception as error:
            troubles.append(error)
        finally:
            connections.close_all()

    threads = [Thread(target=serve, args=[number]) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return troubles


def work_through_in_processes(agents: list[AgentProfile], *, workers: int, seed: int) -> list[int | None]:
    """The same with each worker in a process of its own; returns how each of them exited."""

    def serve(number: int) -> None:
        _serve(agents[number::workers], random.Random(1000 * seed + number))

    processes = [in_its_own_process(partial(serve, number)) for number in range(workers)]
    for process in processes:
        process.join()
    return [process.exitcode for process in processes]


def _serve(agents: list[AgentProfile], chance: random.Random, looks: int | None = None) -> None:
    for agent in agents:
        presence.set_state(agent, "available")
    while looks != 0 and WorkItem.objects.filter(state__in=["queued", "reserved", "assigned"]).exists():
        for agent in agents:
            _work(agent, chance)
        _sweep(agents)
        looks = None if looks is None else looks - 1


def _sweep(agents: list[AgentProfile]) -> None:
    """As the product does every few seconds: offers that ran out end; whoever missed one is back at once."""
    reservations.expire_due()
    for missed in Presence.objects.filter(agent__in=agents).exclude(state="available").select_related("agent"):
        presence.set_state(missed.agent, "available")


def _work(agent: AgentProfile, chance: random.Random) -> None:
    """One look at what an agent has: an offer is mostly taken and finished at once, and sometimes at the next look."""
    for reservation in Reservation.objects.filter(agent=agent, state="accepted").select_related("work_item"):
        reservations.complete(reservation.work_item.subject)
    pending = Reservation.objects.filter(agent=agent, state="pending").values_list("pk", "work_item__subject")
    for reservation_id, subject in list(pending):
        try:
            if chance.random() < 0.04:
                reservations.reject(reservation_id, agent)
                continue
            reservations.accept(reservation_id, agent)
        except reservations.ReservationGone:
            continue
        if chance.random() < 0.2:
            continue
        if chance.random() < 0.04:
            queueing.requeue(WorkItem.objects.get(subject=subject))
            continue
        if chance.random() < 0.3:
            reservations.wrap_up(subject)
        reservations.complete(subject)
    if chance.random() < 0.05:
        dispatch_all()


def crew(company: Any, count: int) -> list[AgentProfile]:
    """So many agents who are away, with one to three skills."""
    skills = [company.skill(code) for code in SKILLS]
    return [company.agent(f"agent{number}", skills=tuple(skills[: 1 + number % 3]), state="away") for number in range(count)]


def in_its_own_process(work: Callable[[], None]) -> ForkProcess:
    """A forked process that does the work with a connection of its own; started. Connections of this process end before it."""
    leave()
    process = get_context("fork").Process(target=work)
    process.start()
    return process
