"""Pairs of sockets, a customer's and an agent's, and the two ways to drive them: closed loop and paced."""

from __future__ import annotations

import asyncio
import json
import secrets
import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import perf_counter

from websockets.asyncio.client import ClientConnection

LONGEST_WAIT_SECONDS = 30.0
TEXT = "The boiler shows E119 again and there is no hot water since this morning."


@dataclass
class Pair:
    """One conversation: what the customer's socket sends must arrive on the agent's."""

    number: int
    customer: ClientConnection
    agent: ClientConnection
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    sent: int = 0
    latencies: list[float] = field(default_factory=list)
    arrivals: dict[str, asyncio.Future[float]] = field(default_factory=dict)

    async def listen(self) -> None:
        """Notes when each message reaches the agent's socket, until the socket ends."""
        async for raw in self.agent:
            for client_id in _client_ids(str(raw)):
                arrival = self.arrivals.pop(client_id, None)
                if arrival and not arrival.done():
                    arrival.set_result(perf_counter())

    async def drain(self) -> None:
        """Reads what the customer's socket gets (acknowledgements), until it ends; a refusal is an error."""
        async for raw in self.customer:
            if '"refused"' in str(raw):
                raise RuntimeError(f"The server refused a message: {raw!r}")

    async def say(self) -> None:
        """Sends one message and waits until the agent's socket shows it."""
        self.sent += 1
        client_id = f"{self.run}-{self.number}-{self.sent}"
        arrival: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.arrivals[client_id] = arrival
        begun = perf_counter()
        await self.customer.send(json.dumps({"type": "message", "client_id": client_id, "text": TEXT}))
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            self.latencies.append(await arrival - begun)


@dataclass(frozen=True)
class Result:
    """What one run measured: messages a second, and latencies in milliseconds."""

    throughput: float
    p50: float
    p95: float
    p99: float
    messages: int


Connect = Callable[[int], Awaitable[Pair]]


async def run(connect: Connect, *, pairs: int, seconds: float, pace: float | None) -> Result:
    """Drives `pairs` conversations for `seconds`; `pace` is the time between messages of each, None for closed loop."""
    # Ten at a time, so that connecting does not become the test.
    gate = asyncio.Semaphore(10)

    async def connect_one(number: int) -> Pair:
        async with gate:
            return await connect(number)

    connected = await asyncio.gather(*(connect_one(number) for number in range(pairs)))
    listeners = [asyncio.create_task(each) for pair in connected for each in (pair.listen(), pair.drain())]
    try:
        await asyncio.gather(*(pair.say() for pair in connected))
        for pair in connected:
            pair.latencies.clear()
        begun = perf_counter()
        await asyncio.gather(*(_drive(pair, begun, seconds, pace, pairs) for pair in connected))
        elapsed = perf_counter() - begun
    finally:
        for listener in listeners:
            listener.cancel()
        await asyncio.gather(*listeners, return_exceptions=True)
        await asyncio.gather(*(each.close() for pair in connected for each in (pair.customer, pair.agent)))
    latencies = sorted(each * 1000 for pair in connected for each in pair.latencies)
    cuts = statistics.quantiles(latencies, n=100, method="inclusive")
    return Result(len(latencies) / elapsed, cuts[49], cuts[94], cuts[98], len(latencies))


async def _drive(pair: Pair, begun: float, seconds: float, pace: float | None, pairs: int) -> None:
    if pace is None:
        while perf_counter() - begun < seconds:
            await pair.say()
        return
    due = begun + pace * pair.number / pairs
    while due - begun < seconds:
        await asyncio.sleep(max(0.0, due - perf_counter()))
        await pair.say()
        due += pace


def _client_ids(raw: str) -> list[str]:
    frame = json.loads(raw)
    if "client_id" in frame:
        return [frame["client_id"]]
    return [entry["data"].get("client_id", "") for entry in frame.get("entries", [])]
