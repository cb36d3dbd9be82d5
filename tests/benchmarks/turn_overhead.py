"""What the hub adds to the model's own time, at 50 turns at once, and how soon the first words are on the customer's screen.

Value: the product, as many web processes as it starts on this machine, a socket for each customer. Floor: a bare loop over the same
library in one process, asking the same stand-in for the same answer. Both are driven by the same clock: every customer has a turn of
their own under way all the time, begun in an even spread. `turn_overhead` is the difference of the 95th percentiles from asking to the
whole answer, `first_token` that from the provider's first words to where they are read. BENCH_SECONDS changes how long it takes,
BENCH_AT_ONCE how many turns are under way.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from websockets.asyncio.client import ClientConnection, connect

from tests.benchmarks import bare_loop
from tests.benchmarks.stamps import seconds_since
from tests.support.company import demo_company
from tests.support.database import throwaway_database
from tests.support.processes import child_environment, running_web

AT_ONCE = int(os.environ.get("BENCH_AT_ONCE", "50"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "40"))
FIRST_SECONDS, PIECE_SECONDS, PIECES = 0.8, 0.08, 40
WANTED_OVERHEAD_MS, WANTED_FIRST_TOKEN_MS = 40.0, 20.0
QUESTIONS = (
    "Do you repair boilers of that make, and on which days?",
    "What should I do before the plumber comes?",
    "Is there a guarantee on the work that you do?",
    "How long does a drain inspection usually take?",
    "Do your people carry spare parts with them?",
    "Can I pay with a card at the door?",
    "Are the electricians certified for old houses?",
    "Which areas of the city do you serve?",
    "Would somebody ring before they arrive?",
    "Do I have to be at home for the whole visit?",
    "Where can I find the opening times?",
    "Can you also install a new thermostat for the heating?",
    "Is it cheaper when two jobs are done in one visit?",
    "Do you take the old water heater away?",
    "What happens if the part is not in stock?",
    "Do you work at weekends too?",
)
"""Different ones: who repeats themselves is taken for a machine."""
Turn = Callable[[], Awaitable[tuple[float, float]]]


def measure() -> Iterator[dict[str, Any]]:
    """Yields both figures."""
    with throwaway_database("turn_overhead"), demo_company(), _provider() as url:
        began = time.process_time()
        bare = asyncio.run(bare_loop.turns(url, driven))
        bare_cpu = (time.process_time() - began) * 1000 / (len(bare) + AT_ONCE)
        environment = {
            "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "stand-in", "LOG_LEVEL": "WARNING", "DEBUG": "false",
            "CHAT_SESSIONS_PER_HOUR": "1000000", "CHAT_MESSAGES_PER_SECOND": "1000",
        }  # fmt: skip
        with running_web(settings.WEB_PROCESSES, **environment) as webs:
            before = sum(_processor_seconds(web.pid) for web in webs)
            ours = asyncio.run(_product([web.port for web in webs]))
            cpu = (sum(_processor_seconds(web.pid) for web in webs) - before) * 1000 / (len(ours) + AT_ONCE)
        by_rules = _answered_by_rules()
    for name, which, wanted in (("turn_overhead", 0, WANTED_OVERHEAD_MS), ("first_token", 1, WANTED_FIRST_TOKEN_MS)):
        product, floor = sorted(each[which] * 1000 for each in ours), sorted(each[which] * 1000 for each in bare)
        cuts, floors = _cuts(product), _cuts(floor)
        yield {
            "name": name,
            "value": round(cuts[94] - floors[94], 1),
            "unit": "ms",
            "floor": round(floors[94], 1),
            "wanted": f"<= {wanted:g}",
            "p50": {"product": round(cuts[49], 1), "bare": round(floors[49], 1)},
            "p95": {"product": round(cuts[94], 1), "bare": round(floors[94], 1)},
            "processor_ms_a_turn": {"product": round(cpu, 1), "bare": round(bare_cpu, 1)},
            "conditions": {
                "at_once": AT_ONCE, "turns": len(product), "bare_turns": len(floor), "seconds": SECONDS, "cores": os.cpu_count(),
                "load_before": os.getloadavg()[0], "models_own_seconds": FIRST_SECONDS + PIECES * PIECE_SECONDS,
                "web_processes": settings.WEB_PROCESSES, "answered_by_rules": by_rules,
            },
        }  # fmt: skip


async def driven(make: Callable[[int], Awaitable[Turn]]) -> list[tuple[float, float]]:
    """Every customer's turns for a while, each after the other; the first of each is not counted."""
    turns = [await make(number) for number in range(AT_ONCE)]
    found: list[tuple[float, float]] = []
    own = FIRST_SECONDS + PIECES * PIECE_SECONDS

    async def one(number: int, turn: Turn) -> None:
        await asyncio.sleep(own * number / AT_ONCE)
        await turn()
        ends_at = time.monotonic() + SECONDS
        while time.monotonic() < ends_at:
            found.append(await turn())

    await asyncio.gather(*(one(number, turn) for number, turn in enumerate(turns)))
    return found


async def _product(ports: Sequence[int]) -> list[tuple[float, float]]:
    sockets: list[ClientConnection] = []

    async def make(number: int) -> Turn:
        address = f"ws://127.0.0.1:{ports[number % len(ports)]}/ws/chat/?entry_point=/harborhome"
        socket = await connect(address, compression=None)
        sockets.append(socket)
        hello = {"type": "hello", "token": None, "session": None, "conversation": None, "after": 0, "identity": None}
        await socket.send(json.dumps(hello))
        said = 0

        async def turn() -> tuple[float, float]:
            nonlocal said
            said += 1
            began = time.monotonic()
            await socket.send(json.dumps({"type": "message", "client_id": f"{number}-{said}", "text": QUESTIONS[said % len(QUESTIONS)]}))
            first = None
            while True:
                frame = json.loads(await asyncio.wait_for(socket.recv(), 60))
                if frame["type"] == "refused":
                    raise RuntimeError(str(frame))
                if first is None and frame["type"] == "activity" and frame["what"] == "draft":
                    first = seconds_since(frame["text"])
                if any(each["kind"] == "message" and each["actor_kind"] == "assistant" for each in frame.get("entries", [])):
                    return time.monotonic() - began, first if first is not None else float("nan")

        return turn

    try:
        return [each for each in await driven(make) if each[1] == each[1]]
    finally:
        await asyncio.gather(*(socket.close() for socket in sockets))


def _processor_seconds(process: int) -> float:
    """What a process has used of processors so far: unlike times, it depends little on what else the machine does."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _cuts(values: list[float]) -> list[float]:
    return statistics.quantiles(values, n=100, method="inclusive")


def _answered_by_rules() -> int:
    from conversations.models import TurnTrace

    return TurnTrace.objects.filter(answered_by="rules").count()


@contextmanager
def _provider() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.benchmarks.model_server", str(FIRST_SECONDS), str(PIECE_SECONDS), str(PIECES)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=child_environment(), cwd=settings.BASE_DIR) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.terminate()
