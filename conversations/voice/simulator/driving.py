"""Who moves the legs on: the process in which something happened to one, then and whenever something on it is due.

The open page of a phone does it too, several times a second, so a call goes on when its process has ended.
"""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, Final

from conversations.voice.simulator import exchange, legs, sockets, together
from conversations.voice.simulator.exchange import Exchange, Leg
from conversations.voice.simulator.interpreter import advance

DOING: Final = {
    "talk": "speaking",
    "stream": "speaking",
    "input": "listening",
    "posting": "thinking",
    "wait": "waiting",
    "record": "recording",
    "connect": "connecting",
    "room": "on_hold",
}
SHORTEST_PAUSE_SECONDS: Final = 0.1
"""Between two looks at a leg that somebody else is moving on."""
_running: set[asyncio.Task[None]] = set()
_timers: dict[str, asyncio.TimerHandle] = {}


async def tell(leg_id: str, happening: dict[str, Any]) -> bool:
    """Note something that happens to a leg and have it moved on; False when there is no such live leg."""
    async with exchange.opened() as memory:
        leg = await memory.leg(leg_id)
        if leg is None or leg["phase"] == "ended":
            return False
        await memory.tell(leg_id, happening)
    in_background(leg_id)
    return True


def in_background(leg_id: str) -> None:
    """Move a leg on without waiting for it, and again when something on it is due."""
    beside(_advance(leg_id))


def beside(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Do something without waiting for it, and without ending with whoever began it."""
    task = asyncio.get_running_loop().create_task(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return task


async def come_to_rest() -> None:
    """Stop moving legs on in this process, when what is being done is done, and close its sockets."""
    await sockets.close_all()
    while _timers or _running:
        for timer in _timers.values():
            timer.cancel()
        _timers.clear()
        await asyncio.gather(*_running, return_exceptions=True)
        await asyncio.sleep(0)


async def shown(memory: Exchange, leg: Leg, after: int) -> dict[str, Any]:
    """A leg as the phone shows it, with the lines from number `after` on."""
    action = leg["action"]
    doing = DOING[action["name"]] if action else ""
    if action and action["name"] == "connect" and action["talking"]:
        doing = "connected"
    if action and action["name"] == "room" and await memory.room_is_open(leg["room"]):
        doing = "connected"
    return {
        "leg": leg["uuid"],
        "direction": leg["direction"],
        "from": leg["from"],
        "to": leg["to"],
        "status": leg["status"],
        "doing": doing,
        "ended": leg["phase"] == "ended",
        "endpoint": leg["endpoint"],
        "together": await together.facts(memory, leg),
        "first": after,
        "lines": await memory.lines(leg["uuid"], after),
    }


async def move_on(leg_id: str) -> None:
    """Move a leg on as far as it goes now, with all legs that this touches; what is due on them later is done by this process.

    Whoever waits for it may be called off: what has happened to a leg is taken once, so it is done to its end all the same.
    """
    await asyncio.shield(beside(_advance(leg_id)))


async def _move_on(memory: Exchange, leg_id: str) -> None:
    for moved in await advance(memory, leg_id):
        leg = await memory.leg(moved)
        _set_timer(moved, legs.due_at(leg) if leg else None)
        if leg and leg["endpoint"]["type"] == "websocket" and leg["phase"] == "ringing" and await memory.claim_socket(moved):
            sockets.open_for(leg, tell)


async def _advance(leg_id: str) -> None:
    async with exchange.opened() as memory:
        await _move_on(memory, leg_id)


def _set_timer(leg_id: str, due_at: float | None) -> None:
    """One timer for each leg, for the next thing that is due on it."""
    timer = _timers.pop(leg_id, None)
    if timer:
        timer.cancel()
    if due_at is not None:
        pause = max(SHORTEST_PAUSE_SECONDS, due_at - time.time())
        _timers[leg_id] = asyncio.get_running_loop().call_later(pause, in_background, leg_id)
