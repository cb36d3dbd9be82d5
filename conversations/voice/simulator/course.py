"""How a leg's course begins, is replaced and ends."""

import time
from typing import Any

from conversations.voice.simulator import legs, recording, together
from conversations.voice.simulator.checking import InvalidNcco, checked
from conversations.voice.simulator.line import Line


def answered(line: Line) -> None:
    """Somebody, or the application, has picked up."""
    leg = line.leg
    leg["answered_at"] = time.time()
    leg["phase"] = "running"
    leg["ends_at"] = line.in_seconds(leg["longest_seconds"])
    legs.note_event(leg, "answered", start_time=None, rate=None, network=None)


async def replace(line: Line, ncco: object) -> None:
    """Run `ncco` instead of what the leg is doing; end the call with an error event when it cannot be run."""
    await together.leave(line)
    await run(line, ncco)


async def run(line: Line, ncco: object) -> None:
    """Run `ncco` from now on, in the company of whomever the leg is connected to."""
    line.leg["action"] = None
    try:
        line.leg["ncco"] = checked(ncco)
    except InvalidNcco as error:
        line.note_error(str(error))
        await line.write("status", str(error))
        await end(line, "completed", disconnected_by="platform")


async def end(line: Line, status: str, **extra: Any) -> None:
    """The leg is over with this terminal status."""
    leg = line.leg
    never_answered = leg["answered_at"] is None
    legs.note_end(leg, status, **extra)
    if leg["is_synchronous"] and never_answered:
        event = leg["events"].pop()
        leg["end_for_peer"] = {"url": event["url"], "payload": event["payload"]}
    await together.leave(line)
    await recording.stop_all(line)
    await line.exchange.forget(line.leg["uuid"])
    await line.write("status", "Call ended.")
