"""How fast a customer's message is stored and shown on a connected agent's socket.

Value: the product, one web process, AI off because people own the conversations. Floor:
tests/benchmarks/floor_server.py, one process. Same machine, same clients, alternating rounds; each figure is the
median of its rounds. BENCH_ROUNDS and BENCH_SECONDS change how long it takes.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, transaction
from websockets.asyncio.client import connect

from conversations.chat import visitor
from conversations.models import EntryPoint, Playbook
from conversations.services import identity, ownership, threads
from routing.models import AgentProfile, RoutingProfile
from tests.benchmarks.pairs import Connect, Pair, Result, run
from tests.support.database import throwaway_database
from tests.support.processes import child_environment, free_port, running_web

SIZES = (1, 50, 200)
PACE_SECONDS = 2.0
WANTED = {("closed_loop", "throughput", 50): 0.15, ("paced", "p99", 200): 3.0}
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "8"))
DOOR = "/bench"


@dataclass(frozen=True)
class Seat:
    """One conversation ready to be driven: the visitor's token and session, the agent's cookie."""

    token: str
    session: str
    conversation: str
    cookie: str


def measure() -> Iterator[dict[str, Any]]:
    """Yields throughput and latencies at each size, in closed loop and paced, product beside floor."""
    with throwaway_database("message_to_agent"):
        seats = [_seat(number) for number in range(max(SIZES))]
        environment = {"CHAT_MESSAGES_PER_SECOND": "1000", "CHAT_SESSIONS_PER_HOUR": "1000000", "LOG_LEVEL": "WARNING", "DEBUG": "false"}
        with running_web(1, **environment) as (web,), _floor() as floor_port:
            product = _product(web.port, seats)
            floor = _floor_pairs(floor_port)
            for size in SIZES:
                yield from _driven("closed_loop", None, product, floor, size)
                yield from _driven("paced", PACE_SECONDS, product, floor, size)


def _driven(way: str, pace: float | None, product: Connect, floor: Connect, size: int) -> Iterator[dict[str, Any]]:
    ours, theirs = _rounds(product, floor, size, pace)
    for field in ("throughput", "p50", "p95", "p99"):
        wanted = WANTED.get((way, field, size))
        yield _figure(f"{way}_{field}", size, ours, theirs, field, "messages/s" if field == "throughput" else "ms", wanted)


def _rounds(product: Connect, floor: Connect, size: int, pace: float | None) -> tuple[list[Result], list[Result]]:
    ours, theirs = [], []
    for _ in range(ROUNDS):
        theirs.append(asyncio.run(run(floor, pairs=size, seconds=SECONDS, pace=pace)))
        ours.append(asyncio.run(run(product, pairs=size, seconds=SECONDS, pace=pace)))
    return ours, theirs


def _figure(name: str, size: int, ours: list[Result], theirs: list[Result], field: str, unit: str, wanted: float | None) -> dict[str, Any]:
    value = statistics.median(getattr(each, field) for each in ours)
    floor = statistics.median(getattr(each, field) for each in theirs)
    ratio = statistics.median(getattr(a, field) / getattr(b, field) for a, b in zip(ours, theirs, strict=True))
    sign = ">=" if unit == "messages/s" else "<="
    return {
        "name": f"message_to_agent.{name}.{size}",
        "value": round(value, 2),
        "unit": unit,
        "floor": round(floor, 2),
        "ratio": round(ratio, 3),
        "wanted": f"ratio {sign} {wanted}" if wanted else None,
        "conditions": {
            "conversations": size,
            "rounds": ROUNDS,
            "seconds": SECONDS,
            "messages": sum(each.messages for each in ours),
            "floor_messages": sum(each.messages for each in theirs),
            "cores": os.cpu_count(),
            "web_processes": 1,
            "fsync": True,
            "ai": "off in both",
        },
    }


def _product(port: int, seats: list[Seat]) -> Connect:
    async def connect_pair(number: int) -> Pair:
        seat = seats[number]
        agent = await connect(
            f"ws://127.0.0.1:{port}/ws/inbox/",
            additional_headers={"Cookie": seat.cookie, "Origin": f"http://127.0.0.1:{port}"},
            compression=None,
        )
        await agent.send(json.dumps({"type": "open", "conversation": seat.conversation, "after": 2**31 - 1}))
        await _wait_for(agent, "watching")
        place = {"conversation": seat.conversation, "after": 2**31 - 1}
        customer = await connect(f"ws://127.0.0.1:{port}/ws/chat/?entry_point={DOOR}", compression=None)
        await customer.send(json.dumps({"type": "hello", "token": seat.token, "session": seat.session, **place}))
        await _wait_for(customer, "entries")
        return Pair(number, customer, agent)

    return connect_pair


def _floor_pairs(port: int) -> Connect:
    async def connect_pair(number: int) -> Pair:
        address = f"ws://127.0.0.1:{port}/?conversation={number}&role="
        agent = await connect(address + "agent", compression=None)
        await _wait_for(agent, "watching")
        return Pair(number, await connect(address + "customer", compression=None), agent)

    return connect_pair


async def _wait_for(socket: Any, kind: str) -> None:
    while json.loads(await asyncio.wait_for(socket.recv(), 30))["type"] != kind:
        continue


@contextmanager
def _floor() -> Iterator[int]:
    port = free_port()
    database_url = child_environment()["DATABASE_URL"]
    command = [sys.executable, "-m", "tests.benchmarks.floor_server", str(port), database_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline().strip() == "ready"
            yield port
        finally:
            server.terminate()


def _seat(number: int) -> Seat:
    if number == 0:
        Playbook.objects.create(code="bench", name="Bench", status="published", persona="-", disclosure="This is an AI.", languages=["en"])
        EntryPoint.objects.create(name="Bench", channel="chat", address=DOOR, company_name="Bench", playbook_code="bench")
        RoutingProfile.objects.create(name="Bench")
    user = get_user_model().objects.create_user(f"bench{number}", password=None)
    agent = AgentProfile.objects.create(user=user, display_name=f"Agent {number}", routing_profile=RoutingProfile.objects.get(name="Bench"))
    browser = visitor.new()
    session_id = browser.new_session()
    with transaction.atomic():
        customer = identity.resolve(browser.party.claims, source="bench")
        conversation = threads.open_or_resume(customer)
        threads.start_interaction(
            conversation,
            entry_point=EntryPoint.objects.get(address=DOOR),
            provider_id=session_id,
            party=browser.party,
        )
        ownership.give_to_human(conversation, agent)
    return Seat(browser.token, session_id, conversation.public_id.hex, _signed_in(user))


def _signed_in(user: Any) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    connection.close()
    return f"sessionid={session.session_key}"
