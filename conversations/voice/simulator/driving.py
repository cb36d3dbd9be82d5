"""Who moves the legs on: requests that changed something, and the open page of the phone, several times a second."""

import asyncio
from typing import Any, Final

from conversations.voice.simulator import exchange
from conversations.voice.simulator.exchange import Exchange, Leg
from conversations.voice.simulator.interpreter import advance

DOING: Final = {
    "talk": "speaking",
    "stream": "speaking",
    "input": "listening",
    "posting": "thinking",
    "wait": "waiting",
    "connect": "connecting",
    "room": "on_hold",
}
_running: set[asyncio.Task[None]] = set()


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
    """Move a leg on without waiting for it."""
    task = asyncio.get_running_loop().create_task(_advance(leg_id))
    _running.add(task)
    task.add_done_callback(_running.discard)


async def shown(memory: Exchange, leg: Leg, after: int) -> dict[str, Any]:
    """A leg as the phone shows it, with the lines from number `after` on."""
    action = leg["action"]
    doing = DOING[action["name"]] if action else ""
    if action and action["name"] == "connect" and action["talking"]:
        doing = "connected"
    if action and action["name"] == "room" and await memory.room_is_open(action["room"]):
        doing = "connected"
    return {
        "leg": leg["uuid"],
        "direction": leg["direction"],
        "from": leg["from"],
        "to": leg["to"],
        "status": leg["status"],
        "doing": doing,
        "ended": leg["phase"] == "ended",
        "first": after,
        "lines": await memory.lines(leg["uuid"], after),
    }


async def _advance(leg_id: str) -> None:
    async with exchange.opened() as memory:
        await advance(memory, leg_id)
