"""How long the supervisors' board takes with a long line.

Value: what the board shows, computed (`data`), and its whole page through Django's request handling (`page`), one process.
Floor: a bare count of the waiting rows, in the same run. There are 50,000 waiting pieces, 500 agents with two pieces of work
each, 20,000 pieces of today that are over, 200,000 older ones, and a conversation behind each waiting piece.
BENCH_WAITING changes how many wait.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterator
from http import HTTPStatus
from time import perf_counter
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from conversations.inbox.board import as_it_stands
from conversations.inbox.board_forms import BoardForm
from conversations.models import Conversation, Customer
from routing.models import AgentProfile, Presence, Queue, Reservation, RoutingProfile, ServiceHours, ServiceLevel, Team, WorkItem
from tests.support.database import let_columns_default, run_each, throwaway_database

WAITING = int(os.environ.get("BENCH_WAITING", "50000"))
AGENTS = 500
TODAY = 20_000
BEFORE = 200_000
TURNS = 60
WANTED_MILLISECONDS = 50.0
COMPANY = """
    INSERT INTO routing_servicelevel (code, name, answer_within_seconds, target_percent, max_wait_seconds)
    VALUES ('standard', 'Standard', 120, 80, 1800);
    INSERT INTO routing_servicehours (code, name, time_zone, expression, country, subdivision)
    VALUES ('office', 'Office', 'Europe/London', 'Mo-Fr 08:00-18:00; PH off', 'GB', 'ENG');
    INSERT INTO routing_queue (code, name, "group", service_level_id, hours_id, min_proficiency, outcome_required, paused_by, paused_why)
    SELECT 'queue_' || n, 'Queue ' || n, 'main', (SELECT id FROM routing_servicelevel), (SELECT id FROM routing_servicehours), 1, true,
        '', '' FROM generate_series(1, 20) n;
    INSERT INTO routing_team (name) SELECT 'Team ' || n FROM generate_series(1, 25) n;
    INSERT INTO routing_routingprofile (name, missed_offers_before_away) VALUES ('Everything', 1);
    INSERT INTO auth_user (username, first_name, last_name, email, password, is_superuser, is_staff, is_active, date_joined)
    SELECT 'agent' || n, '', '', '', '', false, false, true, now() FROM generate_series(1, %(agents)s) n;
    INSERT INTO routing_agentprofile (user_id, display_name, routing_profile_id, team_id, phone_number, capacity, load, laid_aside, active)
    SELECT id, initcap(username), (SELECT id FROM routing_routingprofile),
        (SELECT min(id) FROM routing_team) + id %% 25, '', 6, 4, 0, true FROM auth_user WHERE username LIKE 'agent%%';
    INSERT INTO routing_presence (agent_id, state, away_reason, set_by, missed_in_a_row, since, idle_since)
    SELECT id, CASE WHEN id %% 10 = 0 THEN 'away' ELSE 'available' END, CASE WHEN id %% 10 = 0 THEN 'lunch' ELSE '' END, '', 0, now(), now()
    FROM routing_agentprofile;
"""
CONVERSATIONS = """
    INSERT INTO conversations_conversation (public_id, customer_id, original_customer_id, status, urgency, sentiment, score,
        failed_turns, language, facts, form_state, owner_kind, fence, last_seq, turn_wanted_seq, turn_done_seq, turn_worker, turn_attempts)
    SELECT gen_random_uuid(), id, id, 'open', 'normal', 0, 0, 0, '', '{}', '{}', 'assistant', 1, 0, 0, 0, '', 0 FROM conversations_customer;
"""
WORK = """
    CREATE TEMPORARY TABLE subjects AS
        SELECT replace(public_id::text, '-', '') AS subject, row_number() OVER () AS n FROM conversations_conversation;
    INSERT INTO routing_workitem (subject, kind, queue_id, priority_class, required_skills, min_proficiency, also_queues, in_good_time,
        rises, steps_taken, state, enqueued_at, deadline, answered_at, ended_at)
    SELECT subject, 'messaging', (SELECT min(id) FROM routing_queue) + n %% 20, 1 + n %% 5, '[]', 1, '[]', true, 0, 0,
        CASE WHEN n > %(waiting)s THEN 'assigned' ELSE 'queued' END, now() - n * interval '50 milliseconds',
        now() - n * interval '50 milliseconds' + interval '20 minutes', CASE WHEN n > %(waiting)s THEN now() END, NULL
    FROM subjects;
    INSERT INTO routing_reservation (work_item_id, agent_id, state, weight, reason, offered_at, expires_at, accepted_at)
    SELECT work.id, agent.id, 'accepted', 2, 'Longest idle', now(), now(), now()
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM routing_workitem WHERE state = 'assigned') work
    JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM routing_agentprofile) agent ON agent.n = 1 + (work.n - 1) / 2;
    INSERT INTO routing_workitem (subject, kind, queue_id, priority_class, required_skills, min_proficiency, also_queues, in_good_time,
        rises, steps_taken, state, enqueued_at, deadline, answered_at, ended_at)
    SELECT 'past-' || n, 'messaging', (SELECT min(id) FROM routing_queue) + n %% 20, 3, '[]', 1, '[]', true, 0, 0, 'completed',
        came, came + interval '2 minutes', CASE WHEN n %% 10 > 0 THEN came + (n %% 4) * interval '1 minute' END,
        came + interval '10 minutes'
    FROM (SELECT n, CASE WHEN n <= %(today)s
        THEN greatest(date_trunc('day', now()), now() - interval '8 hours') + random() * (now() - greatest(date_trunc('day', now()),
            now() - interval '8 hours'))
        ELSE now() - interval '1 day' - random() * interval '90 days' END AS came
        FROM generate_series(1, %(today)s + %(before)s) n) times;
"""


def measure() -> Iterator[dict[str, Any]]:
    """Yields one line: the p95 of the whole page, with that of its data beside it."""
    with throwaway_database("board"):
        let_columns_default(
            ServiceLevel, ServiceHours, Queue, Team, RoutingProfile, AgentProfile, Presence, Conversation, WorkItem, Reservation
        )
        _fill()
        user = User.objects.create_user("kim", is_staff=True, is_superuser=True)
        browser = Client(headers={"Host": "localhost"}, raise_request_exception=True)
        browser.force_login(user)
        address = reverse("inbox:board")
        _count()
        if (answer := browser.get(address)).status_code != HTTPStatus.OK:
            raise RuntimeError(f"The board answered {answer.status_code}.")
        floor = _times(_count)
        data = _times(_data)
        page = _times(lambda: browser.get(address))
        part = _times(lambda: browser.get(address, headers={"HX-Request": "true"}))
    yield {
        "name": f"board_p95_{WAITING}",
        "value": round(_p95(page), 2),
        "unit": "ms",
        "floor": round(_p95(floor), 2),
        "ratio": round(_p95(page) / _p95(floor), 1),
        "wanted": WANTED_MILLISECONDS,
        "conditions": (
            f"{WAITING} waiting, {AGENTS} agents with {2 * AGENTS} pieces, {TODAY} over today, {BEFORE} before; {TURNS} times one after "
            f"the other; page p50 {statistics.median(page):.1f} ms, part that refreshes p95 {_p95(part):.1f} ms, "
            f"data alone p95 {_p95(data):.1f} ms"
        ),
    }


def _fill() -> None:
    sizes = {"waiting": WAITING, "agents": AGENTS, "today": TODAY, "before": BEFORE}
    Customer.objects.bulk_create((Customer(name=f"Customer {number}") for number in range(WAITING + 2 * AGENTS)), batch_size=5_000)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        run_each(COMPANY + CONVERSATIONS + WORK, sizes)
        cursor.execute("SET session_replication_role = DEFAULT")
        for table in ("routing_workitem", "routing_reservation", "routing_agentprofile", "routing_presence", "conversations_conversation"):
            cursor.execute(f"VACUUM ANALYZE {table}")


def _count() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM routing_workitem WHERE state IN ('queued', 'reserved')")
        cursor.fetchone()


def _data() -> None:
    as_it_stands(BoardForm({}))


def _times(call: Callable[[], object]) -> list[float]:
    taken = []
    for _turn in range(TURNS):
        begun = perf_counter()
        call()
        taken.append((perf_counter() - begun) * 1000)
    return taken


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20, method="inclusive")[18]
