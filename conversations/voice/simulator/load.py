"""Many callers at once, who say what a script says, against a running product and through its real webhooks.

A turn is sent when somebody has said or keyed something, answered when the company's voice says something after it, and found
when the record holds it. What the webhooks took is measured where they are sent.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from asgiref.sync import sync_to_async

from conversations.models import Entry
from conversations.voice.simulator import driving, exchange, legs
from conversations.voice.simulator.exchange import Exchange, Leg

LOOK_SECONDS: Final = 0.1
CALLERS_FROM: Final = 447_700_900_000
"""Numbers that are kept for films."""
CALLERS: Final = 1_000
DOING: Final = ("says", "keys", "waits", "hangs up")


class UnreadableScript(Exception):
    """A line says nothing that a caller can do. The text says which."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a caller does: `says` words, `keys` digits, `waits` seconds, `hangs up`."""

    does: str
    what: str = ""


@dataclass
class Heard:
    """What became of one call."""

    leg: str = ""
    sent: int = 0
    answered: int = 0
    said: int = 0
    status: str = ""
    deliveries: list[tuple[str, float, bool, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of all of them. Each try of a webhook counts; times, in milliseconds, are of those that were answered.

    `answers` counts those that anything answered, `refusals` those of them with which status other than success.
    """

    calls: int
    statuses: dict[str, int]
    turns_sent: int
    turns_answered: int
    turns_lost: int
    turns_said: int
    entries_found: int
    webhooks: int
    webhooks_failed: int
    answers: int
    refusals: dict[str, int]
    p50_ms: int
    p95_ms: int
    p99_ms: int
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)

    def as_text(self) -> str:
        """For people."""
        ends = ", ".join(f"{count} {status}" for status, count in sorted(self.statuses.items()))
        return (
            f"{self.calls} calls in {self.seconds:.0f} s: {ends}.\n"
            f"{self.turns_sent} turns sent, {self.turns_answered} answered, {self.turns_lost} lost;"
            f" {self.entries_found} of {self.turns_said} that were spoken are in the record.\n"
            f"{self.webhooks} webhooks, {self.webhooks_failed} failed{self._refused()};"
            f" p50 {self.p50_ms} ms, p95 {self.p95_ms} ms, p99 {self.p99_ms} ms."
        )

    def _refused(self) -> str:
        found = ", ".join(f"{count} answered {status}" for status, count in sorted(self.refusals.items()))
        return f" ({found})" if found else ""


def read_script(text: str) -> list[Step]:
    """The steps of a script: one a line; empty lines and those with `#` are left out. Raises UnreadableScript."""
    steps = []
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if not line or line.startswith("#"):
            continue
        does = next((each for each in DOING if line == each or line.startswith(f"{each} ")), "")
        what = line.removeprefix(does).strip()
        is_clear = {"says": bool(what), "keys": bool(what) and set(what) <= set("0123456789*#"), "hangs up": not what}
        if not does or not is_clear.get(does, what.replace(".", "", 1).isdigit()):
            raise UnreadableScript(f"line {number}: {line}")
        steps.append(Step(does, what))
    if not steps:
        raise UnreadableScript("it is empty")
    return steps


async def play(
    steps: Sequence[Step], *, to: str, calls: int, at_once: int, turns: int | None, patience: float, options: dict[str, Any]
) -> Summary:
    """Call the number `to` (digits) so often, so many at once, each with the first `turns` things that are said or keyed.

    `patience` is for how many seconds a caller waits for an answer, after which the turn is lost and the next one comes.
    """
    began, door = time.monotonic(), asyncio.Semaphore(at_once)
    async with exchange.opened() as memory:

        async def one(number: int) -> Heard:
            async with door:
                caller = _Caller(memory, turns, patience)
                return await caller.call(steps, to=to, number=str(CALLERS_FROM + number % CALLERS), options=options)

        heard = await asyncio.gather(*(one(number) for number in range(calls)))
    await driving.come_to_rest()
    return _summary(heard, await _found([each.leg for each in heard]), time.monotonic() - began)


class _Caller:
    """One caller: looks at the phone again and again, and does the next thing when it is listened to."""

    def __init__(self, memory: Exchange, turns: int | None, patience: float) -> None:
        self.memory, self.turns, self.patience = memory, turns, patience
        self.heard = Heard()

    async def call(self, steps: Sequence[Step], *, to: str, number: str, options: dict[str, Any]) -> Heard:
        leg = await legs.dial_in(self.memory, caller=number, dialled=to, options=options)
        self.heard.leg = leg["uuid"]
        driving.in_background(leg["uuid"])
        for step in steps:
            if self.heard.sent == self.turns:
                break
            if not await self._is_listened_to() or not await self._do(step):
                break
        leg = await self._leg()
        if leg["phase"] != "ended":
            await driving.tell(leg["uuid"], {"do": "hang_up"})
        leg = await self._until(lambda leg: leg["phase"] == "ended" and not leg["events"])
        self.heard.status = leg["status"]
        self.heard.deliveries = [(door, seconds, arrived, status) for door, seconds, arrived, status in leg["deliveries"]]
        return self.heard

    async def _do(self, step: Step) -> bool:
        """Do one thing and wait for what is said to it; False when the call is over."""
        if step.does == "hangs up":
            return False
        if step.does == "waits":
            await asyncio.sleep(float(step.what) / (await self._leg())["options"]["speed"])
            return True
        words_before = await self._words()
        self.heard.sent += 1
        self.heard.said += step.does == "says"
        if step.does == "says":
            await driving.tell(self.heard.leg, {"do": "say", "text": step.what})
        else:
            for digit in step.what:
                await driving.tell(self.heard.leg, {"do": "key", "digit": digit})
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            if await self._words() > words_before:
                self.heard.answered += 1
                return True
            if (await self._leg())["phase"] == "ended":
                return False
            await asyncio.sleep(LOOK_SECONDS)
        return True

    async def _is_listened_to(self) -> bool:
        leg = await self._until(lambda leg: leg["phase"] == "ended" or (leg["action"] or {}).get("name") in ("input", "room", "connect"))
        return bool(leg["phase"] != "ended")

    async def _until(self, condition: Any) -> Leg:
        deadline = time.monotonic() + self.patience
        while True:
            leg = await self._leg()
            if condition(leg) or time.monotonic() > deadline:
                return leg
            await asyncio.sleep(LOOK_SECONDS)

    async def _leg(self) -> Leg:
        leg = await self.memory.leg(self.heard.leg)
        if leg is None:
            raise RuntimeError("The simulator forgot a call: Valkey was emptied.")
        return leg

    async def _words(self) -> int:
        return sum(line["who"] in ("company", "other") for line in await self.memory.lines(self.heard.leg))


@sync_to_async
def _found(leg_ids: list[str]) -> int:
    said = Entry.objects.filter(kind="message", actor_kind="customer", interaction__provider_id__in=leg_ids)
    return said.count()


def _summary(heard: Sequence[Heard], found: int, seconds: float) -> Summary:
    deliveries = [each for one in heard for each in one.deliveries]
    times = sorted(took for _door, took, arrived, _status in deliveries if arrived)
    sent, answered = sum(one.sent for one in heard), sum(one.answered for one in heard)
    statuses: dict[str, int] = {}
    for one in heard:
        statuses[one.status] = statuses.get(one.status, 0) + 1
    return Summary(
        calls=len(heard),
        statuses=statuses,
        turns_sent=sent,
        turns_answered=answered,
        turns_lost=sent - answered,
        turns_said=sum(one.said for one in heard),
        entries_found=found,
        webhooks=len(deliveries),
        webhooks_failed=len(deliveries) - len(times),
        answers=sum(status > 0 for *_rest, status in deliveries),
        refusals=dict(Counter(str(status) for *_rest, status in deliveries if status >= 300)),
        p50_ms=_share(times, 0.5),
        p95_ms=_share(times, 0.95),
        p99_ms=_share(times, 0.99),
        seconds=round(seconds, 1),
    )


def _share(times: Sequence[float], share: float) -> int:
    """The time that this share of all took at most, in milliseconds."""
    return round(times[max(0, math.ceil(len(times) * share) - 1)] * 1_000) if times else 0
