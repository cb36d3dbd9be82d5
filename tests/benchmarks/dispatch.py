"""How many offers a second eight workers make, and what a pass costs as the line grows.

`dispatch.offers`: 500 agents who are all at work, 5,000 pieces waiting in twenty lanes. Each of eight processes frees one agent and
asks for a dispatch pass, again and again. Floor: the same with one bare statement that matches and reserves the head of the line,
under the same advisory lock, in place of the pass. Rounds alternate; `inversions` counts offers of a piece while an earlier one of its
lane waited, from the rows.

`dispatch.pass`: the time of a pass that makes one offer at 500, 5,000 and 50,000 waiting, in turn; floor: the bare statement.
Wanted: from 500 to 50,000 it grows by no more than the logarithm does. BENCH_ROUNDS and BENCH_SECONDS change how long it takes.
"""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from django.db import connection, transaction

from routing.models import AgentProfile, Presence, Queue, RoutingProfile, RoutingProfileWork, ServiceLevel, WorkItem
from routing.services.dispatch import dispatch
from routing.services.locks import lock_queue_group
from routing.signals import presence_changed, reservation_changed, work_item_changed
from tests.support.database import leave, let_columns_default, run_each, throwaway_database

WORKERS, AGENTS, WAITING = 8, 500, 5_000
SIZES = (500, 5_000, 50_000)
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "4"))
WANTED, EACH = 0.7, 20

COMPANY = """
    INSERT INTO routing_servicelevel (code, name, answer_within_seconds, target_percent, max_wait_seconds)
    VALUES ('level', 'Level', 60, 80, 86400);
    INSERT INTO routing_queue (code, name, "group", service_level_id, min_proficiency, outcome_required, paused_by, paused_why)
    SELECT 'queue' || n, 'Queue ' || n, 'main', (SELECT id FROM routing_servicelevel), 1, true, '', ''
      FROM generate_series(1, 10) n;
    INSERT INTO routing_skill (code, name) SELECT 'skill' || n, 'Skill ' || n FROM generate_series(0, 3) n;
    INSERT INTO routing_routingprofile (name, missed_offers_before_away) VALUES ('Everything', 1);
    INSERT INTO routing_routingprofilequeue (profile_id, queue_id, "order", delay_seconds)
    SELECT (SELECT id FROM routing_routingprofile), id, 1, 0 FROM routing_queue;
    INSERT INTO routing_routingprofilework (profile_id, kind, weight, max_at_once, interrupts)
    SELECT id, 'task', 1, 1, '[]' FROM routing_routingprofile;
    INSERT INTO auth_user (username, password, first_name, last_name, email, is_superuser, is_staff, is_active, date_joined)
    SELECT 'agent' || n, '', '', '', '', false, false, true, now() FROM generate_series(1, %(agents)s) n;
    INSERT INTO routing_agentprofile (user_id, display_name, routing_profile_id, phone_number, capacity, load, laid_aside, active)
    SELECT id, username, (SELECT id FROM routing_routingprofile), '', 1, 0, 0, true FROM auth_user;
    INSERT INTO routing_agentskill (agent_id, skill_id, proficiency)
    SELECT agent.id, skill.id, 3 FROM routing_agentprofile agent CROSS JOIN routing_skill skill;
    INSERT INTO routing_presence (agent_id, state, away_reason, since, idle_since, set_by, missed_in_a_row)
    SELECT id, 'available', '', now(), now(), '', 0 FROM routing_agentprofile;
"""
LINE = """
    INSERT INTO routing_workitem (subject, kind, queue_id, priority_class, required_skills, min_proficiency, also_queues, state, created_at,
                                  enqueued_at, deadline, in_good_time, rises, steps_taken)
    SELECT 'subject' || n, 'task', queues.ids[1 + n %% 10], 1 + n %% 3, jsonb_build_array('skill' || n %% 4), 1, '[]', 'queued', now(),
           now() - n * interval '10 milliseconds', now() + (n * 7919 %% 5000) * interval '1 second', true, 0, 0
      FROM generate_series(1, %(waiting)s) n, (SELECT array_agg(id) AS ids FROM routing_queue) queues;
"""
FREE_ONE = """
    WITH ended AS (
        UPDATE routing_reservation SET state = 'rescinded', ended_at = now() WHERE id = (
            SELECT reservation.id FROM routing_reservation reservation JOIN routing_agentprofile agent ON agent.id = agent_id
             WHERE state = 'pending' ORDER BY reservation.id LIMIT 1 OFFSET %(worker)s FOR UPDATE SKIP LOCKED
        ) RETURNING agent_id, work_item_id, weight
    ), free AS (
        UPDATE routing_agentprofile SET load = load - ended.weight FROM ended WHERE id = ended.agent_id
    )
    UPDATE routing_workitem SET state = 'canceled', ended_at = now() FROM ended WHERE id = ended.work_item_id
"""
MATCH_ONE = """
    WITH agent AS (
        SELECT agent.id FROM routing_agentprofile agent JOIN routing_presence presence ON presence.agent_id = agent.id
         WHERE agent.load < agent.capacity AND presence.state = 'available'
         ORDER BY presence.idle_since LIMIT 1 FOR NO KEY UPDATE OF agent SKIP LOCKED
    ), work AS (
        SELECT id FROM routing_workitem WHERE state = 'queued' AND EXISTS (SELECT FROM agent)
         ORDER BY priority_class, in_good_time, deadline, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
    ), reserved AS (
        UPDATE routing_workitem SET state = 'reserved' FROM work WHERE routing_workitem.id = work.id
    ), taken AS (
        UPDATE routing_agentprofile SET load = load + 1 FROM agent, work WHERE routing_agentprofile.id = agent.id
    )
    INSERT INTO routing_reservation (work_item_id, agent_id, state, weight, reason, offered_at, expires_at)
    SELECT work.id, agent.id, 'pending', 1, 'Floor.', now(), now() + interval '1 hour' FROM agent, work RETURNING id
"""


def measure() -> Iterator[dict[str, Any]]:
    """Yields the offers a second beside the floor, and the growth of a pass."""
    for signal in (reservation_changed, work_item_changed, presence_changed):
        signal.receivers = []  # routing alone: what listens to it belongs to others
    with throwaway_database("dispatch"):
        let_columns_default(ServiceLevel, Queue, RoutingProfile, RoutingProfileWork, AgentProfile, Presence, WorkItem)
        offers, floors = [], []
        for _ in range(ROUNDS):
            floors.append(run_round(bare_match))
            offers.append(run_round(product_pass))
        ratios = [each["rate"] / floor["rate"] for each, floor in zip(offers, floors, strict=True)]
        yield {
            "name": "dispatch.offers",
            "value": round(statistics.median(each["rate"] for each in offers), 1),
            "unit": "offers/s",
            "floor": round(statistics.median(each["rate"] for each in floors), 1),
            "ratio": round(statistics.median(ratios), 2),
            "wanted": f">= {WANTED} of the floor, 0 inversions",
            "conditions": {
                "workers": WORKERS,
                "agents": AGENTS,
                "waiting": WAITING,
                "rounds": ROUNDS,
                "seconds": SECONDS,
                "inversions": sum(each["inversions"] for each in offers),
                "agents_over_capacity": sum(each["overloaded"] for each in offers),
                "cores": os.cpu_count(),
                "fsync": True,
            },
        }
        yield growth()


def run_round(step: Callable[[], int]) -> dict[str, Any]:
    """One round of all workers: offers a second, and what the rows say of them."""
    fill(WAITING)
    while product_pass():
        pass
    leave()
    name = connection.settings_dict["NAME"]
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("fork")) as workers:
        made = list(workers.map(worker, [(number, name, step.__name__) for number in range(WORKERS)]))
    return {"rate": sum(made) / SECONDS, "inversions": inversions(), "overloaded": overloaded()}


def worker(which: tuple[int, str, str]) -> int:
    """What one process does for the time of a round; returns the offers it made."""
    number, name, step = which
    leave()
    connection.settings_dict["NAME"] = name
    work = {"bare_match": bare_match, "product_pass": product_pass}[step]
    made, until = 0, time.monotonic() + SECONDS
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(FREE_ONE, {"worker": number})
        made += work()
    leave()
    return made


def product_pass() -> int:
    """The product's own pass."""
    return len(dispatch("main"))


def bare_match() -> int:
    """The floor: one statement under the lock of the queue group."""
    with transaction.atomic(), connection.cursor() as cursor:
        lock_queue_group("main")
        cursor.execute(MATCH_ONE)
        return len(cursor.fetchall())


def growth() -> dict[str, Any]:
    """The time of a pass with one offer at each length of the line."""
    passes: dict[int, list[float]] = {size: [] for size in SIZES}
    floors: dict[int, list[float]] = {size: [] for size in SIZES}
    for size in SIZES * ROUNDS:
        fill(size)
        product_pass()
        for _ in range(EACH):
            for work, times in ((product_pass, passes[size]), (bare_match, floors[size])):
                with connection.cursor() as cursor:
                    cursor.execute(FREE_ONE, {"worker": 0})
                begun = time.perf_counter()
                assert work() == 1
                times.append((time.perf_counter() - begun) * 1000)
    medians = {size: round(statistics.median(passes[size]), 2) for size in SIZES}
    allowed = math.log(SIZES[-1]) / math.log(SIZES[0])
    return {
        "name": "dispatch.pass",
        "value": medians[SIZES[-1]],
        "unit": "ms",
        "floor": round(statistics.median(floors[SIZES[-1]]), 2),
        "ratio": round(medians[SIZES[-1]] / medians[SIZES[0]], 2),
        "wanted": f"<= {allowed:.2f} times that at {SIZES[0]}",
        "conditions": {
            "ms_at": medians,
            "floor_ms_at": {size: round(statistics.median(floors[size]), 2) for size in SIZES},
            "agents": AGENTS,
            "offers_each": 1,
            "repeated": EACH * ROUNDS,
            "cores": os.cpu_count(),
            "fsync": True,
        },
    }


def fill(waiting: int) -> None:
    """The company with everybody free, and so many pieces waiting beyond those that everybody gets first."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE routing_reservation, routing_workitem, routing_agentprofile, routing_queue, routing_servicelevel CASCADE")
        cursor.execute("TRUNCATE routing_skill, routing_routingprofile, auth_user CASCADE")
    run_each(COMPANY, {"agents": AGENTS})
    run_each(LINE, {"waiting": waiting + AGENTS})
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE routing_workitem, routing_agentprofile, routing_presence, routing_agentskill")


def inversions() -> int:
    """Offers of a piece, in a pass of its own, while an earlier piece of its lane was waiting all the time."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM routing_workitem later JOIN routing_reservation offer ON offer.work_item_id = later.id
             WHERE EXISTS (
                SELECT FROM routing_workitem earlier LEFT JOIN routing_reservation its ON its.work_item_id = earlier.id
                 WHERE earlier.lane = later.lane AND (its.id IS NULL OR its.offered_at > offer.offered_at)
                   AND (earlier.priority_class, earlier.in_good_time, earlier.deadline, earlier.id)
                     < (later.priority_class, later.in_good_time, later.deadline, later.id))
            """
        )
        return int(cursor.fetchone()[0])


def overloaded() -> int:
    """Agents whose live offers weigh more than they can carry, or other than their load says."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM routing_agentprofile agent
             WHERE load > capacity OR load <> (SELECT COALESCE(sum(weight), 0) FROM routing_reservation
                                               WHERE agent_id = agent.id AND state = 'pending')
            """
        )
        return int(cursor.fetchone()[0])
