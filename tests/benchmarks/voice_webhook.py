"""How soon a caller who said something is answered: speech in, call control out, with the brain that works by rules.

Value: the product, as many web processes as it starts on this machine, driven as the platform drives it, by signed webhooks over HTTP
that reach one process after the other. Floor: a bare Django view in a
process of its own that verifies the same signature and inserts one row, driven by the same client at the same pace, before and
after. At 1 call turn follows turn; at 50 each caller speaks every BENCH_PACE seconds: it takes that long to hear a reply of twenty
words to its end and to say a sentence. A turn is lost when its words are not in the history exactly once, or when it was never
answered.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from django.conf import settings
from django.db.models import F

from conversations.models import Conversation, Entry, EntryPoint, Interaction
from conversations.voice.simulator.posting import signed_headers
from tests.support.company import demo_company
from tests.support.database import throwaway_database
from tests.support.processes import child_environment, free_port, running_web

AT_ONCE = int(os.environ.get("BENCH_AT_ONCE", "50"))
PACE = float(os.environ.get("BENCH_PACE", "10"))
TURNS = 10
ALONE = 6
"""How many calls there are one after the other."""
WANTED_P95_MS, WANTED_RATIO = 100.0, 3.0
SAID = (
    "do you repair boilers on saturdays", "what should I do before the plumber comes", "is there a guarantee on the work that you do",
    "how long does a drain inspection take", "do your people carry spare parts", "can I pay with a card at the door",
    "are your electricians certified", "which areas of the city do you serve", "would somebody ring before they arrive",
    "do I have to be at home for the whole visit", "can you install a new thermostat", "is it cheaper to do two jobs in one visit",
    "do you take the old water heater away", "what happens if the part is not in stock", "do you work at weekends too",
)  # fmt: skip
"""Different ones: who repeats themselves is taken for a machine."""


@dataclass
class Driven:
    """What came of one round: the time of each turn in milliseconds, fillers among the answers, and requests that failed."""

    times: list[float] = field(default_factory=list)
    fillers: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class _Platform:
    """What sends the webhooks, each to the next of the ports."""

    client: httpx.AsyncClient
    ports: Iterator[int]

    async def post(self, door: str, payload: dict[str, Any]) -> Any:
        """What a webhook was answered; None when it failed. Not sent a second time, as the platform would."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = json.dumps(payload | {"timestamp": now}).encode()
        address = f"http://127.0.0.1:{next(self.ports)}/voice/{door}/"
        try:
            response = await self.client.post(address, content=body, headers=signed_headers(body))
        except httpx.HTTPError:
            return None
        return (response.json() if response.content else []) if response.is_success else None


def measure() -> Iterator[dict[str, Any]]:
    """Yields p50, p95 and p99 at one call and at many, and the turns that were lost."""
    with throwaway_database("voice_webhook"), demo_company():
        number = EntryPoint.objects.filter(channel="voice").values_list("address", flat=True).first()
        quiet = {"LOG_LEVEL": "WARNING", "DEBUG": "false"}
        with running_web(settings.WEB_PROCESSES, **quiet) as webs, _bare() as bare_port:
            ports = [web.port for web in webs]
            for size, calls, pace in ((1, ALONE, 0.0), (AT_ONCE, AT_ONCE, PACE)):
                before = asyncio.run(_round([bare_port], calls, pace, str(number), whole=False))
                ours = asyncio.run(_round(ports, calls, pace, str(number), whole=True))
                after = asyncio.run(_round([bare_port], calls, pace, str(number), whole=False))
                yield from _figures(size, ours, before.times + after.times, pace)
            yield _lost(ours, (ALONE + AT_ONCE) * TURNS)


async def _round(ports: Sequence[int], calls: int, pace: float, number: str, *, whole: bool) -> Driven:
    driven = Driven()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=calls)
    async with httpx.AsyncClient(timeout=30, trust_env=False, limits=limits) as client:
        platform = _Platform(client, itertools.cycle(ports))
        if not pace:
            for call in range(calls):
                await _call(platform, driven, call, 0.0, number, whole=whole)
        else:
            spread = ((call, pace * call / calls) for call in range(calls))
            await asyncio.gather(*(_call(platform, driven, call, pace, number, whole=whole, late=late) for call, late in spread))
    return driven


async def _call(platform: _Platform, driven: Driven, call: int, pace: float, number: str, *, whole: bool, late: float = 0.0) -> None:
    """One caller: greeted, ten times heard and answered, gone. The bare view gets what was said alone."""
    await asyncio.sleep(late)
    ids = {"uuid": str(uuid.uuid4()), "conversation_uuid": f"CON-{uuid.uuid4()}"}
    about = ids | {"from": f"4477009{call:05d}", "to": number.removeprefix("+")}
    event = {"direction": "inbound"}
    if whole:
        await platform.post("answer", about | {"endpoint_type": "phone"})
        await platform.post("event", about | event | {"status": "answered"})
    for turn in range(TURNS):
        began = time.monotonic()
        results = [{"text": SAID[(call + turn) % len(SAID)], "confidence": "0.94"}]
        heard = {"speech": {"timeout_reason": "end_on_silence_timeout", "results": results}, "dtmf": {"digits": None, "timed_out": False}}
        answer = await platform.post("input", about | heard)
        took = time.monotonic() - began
        if answer is None:
            driven.failed += 1
        else:
            driven.times.append(took * 1000)
            driven.fillers += "One moment, please." in str(answer)
        await asyncio.sleep(max(0.0, pace - took))
    if whole:
        await platform.post("event", about | event | {"status": "completed", "duration": "60"})


def _figures(size: int, ours: Driven, bare: list[float], pace: float) -> Iterator[dict[str, Any]]:
    cuts, floors = (statistics.quantiles(times, n=100, method="inclusive") for times in (ours.times, bare))
    for percent in (50, 95, 99):
        value, floor = cuts[percent - 1], floors[percent - 1]
        yield {
            "name": f"voice_webhook.p{percent}.{size}",
            "value": round(value, 1),
            "unit": "ms",
            "floor": round(floor, 1),
            "ratio": round(value / floor, 2),
            "wanted": f"< {WANTED_P95_MS:g} ms and ratio <= {WANTED_RATIO:g}" if percent == 95 else None,
            "conditions": {
                "calls": size, "turns": len(ours.times), "bare_turns": len(bare), "pace_seconds": pace, "fillers": ours.fillers,
                "failed": ours.failed, "cores": os.cpu_count(), "load": os.getloadavg()[0],
                "web_processes": settings.WEB_PROCESSES, "fsync": True, "brain": "rules",
            },
        }  # fmt: skip


def _lost(ours: Driven, turns: int) -> dict[str, Any]:
    kept = Entry.objects.filter(kind="message", actor_kind="customer", interaction__channel="voice").count()
    owed = Conversation.objects.filter(turn_wanted_seq__gt=F("turn_done_seq"), owner_kind=Conversation.Owner.ASSISTANT).count()
    return {
        "name": f"voice_webhook.lost_turns.{AT_ONCE}",
        "value": abs(turns - kept) + owed,
        "unit": "turns",
        "wanted": "0",
        "conditions": {
            "calls": ALONE + AT_ONCE, "turns": turns, "kept": kept, "never_answered": owed, "failed_requests": ours.failed,
            "calls_not_ended": Interaction.objects.filter(channel="voice").exclude(state="ended").count(), "load": os.getloadavg()[0],
        },
    }  # fmt: skip


@contextmanager
def _bare() -> Iterator[int]:
    port = free_port()
    environment = child_environment(DJANGO_SETTINGS_MODULE="tests.benchmarks.bare_webhook_settings", LOG_LEVEL="WARNING", ALLOWED_HOSTS="*")
    where = ("-b", "127.0.0.1", "-p", str(port))
    command = [sys.executable, "-m", "cxhub.web", "-v", "0", "--no-server-name", *where, "cxhub.asgi:application"]
    with subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR) as server:
        try:
            _until_healthy(f"http://127.0.0.1:{port}/healthz")
            yield port
        finally:
            server.terminate()


def _until_healthy(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise RuntimeError("the bare view did not start")
