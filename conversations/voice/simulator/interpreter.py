"""Moves legs on: runs their call control objects, takes what happens to them, sends their webhooks.

Nothing waits inside: a leg is advanced as far as it can go now, and again when something happened or time has passed.
Whoever asks may do it, in any process; a lock in Valkey lets one at a time.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from conversations.voice.simulator import course, legs, listening, posting, prompts, recording, ringing, together
from conversations.voice.simulator.exchange import Exchange, Happening
from conversations.voice.simulator.line import Line

MAX_STEPS: Final = 200
BEGINNINGS: Final[Mapping[str, Callable[[Line, dict[str, Any]], Awaitable[None]]]] = {
    "talk": prompts.begin_talk,
    "stream": prompts.begin_stream,
    "wait": prompts.begin_wait,
    "notify": prompts.begin_notify,
    "input": listening.begin_input,
    "connect": ringing.begin_connect,
    "conversation": together.begin_room,
    "record": recording.begin_record,
    "transfer": together.begin_transfer,
}
"""What each action begins with."""
HAPPENINGS: Final[Mapping[str, Callable[[Line, Happening], Awaitable[None]]]] = {
    "say": listening.on_say,
    "key": listening.on_key,
    "speaking": listening.on_speaking,
    "listen_for_keys": listening.on_listen_for_keys,
    "hear": prompts.on_hear,
    "play": prompts.on_play,
    "stop_playing": prompts.on_stop_playing,
    "tones": prompts.on_tones,
    "answer": ringing.on_answer,
    "machine": ringing.on_machine,
    "not_answered": ringing.on_not_answered,
    "hang_up": ringing.on_hang_up,
    "peer_answered": ringing.on_peer_answered,
    "peer_ended": ringing.on_peer_ended,
    "disconnected": ringing.on_disconnected,
    "come_along": together.on_come_along,
    "transfer": ringing.on_transfer,
    "mute": ringing.on_mute,
    "earmuff": ringing.on_earmuff,
}
"""What can happen to a leg: by its holder, by another leg, by a REST request."""


async def advance(exchange: Exchange, leg_id: str) -> set[str]:
    """Move a leg on as far as it goes now, and every leg that this touches; returns all of them."""
    waiting, looked_at = [leg_id], set()
    for _round in range(MAX_STEPS):
        if not waiting:
            break
        current = waiting.pop(0)
        looked_at.add(current)
        async with exchange.only_one(current) as mine:
            leg = await exchange.leg(current) if mine else None
            if leg is None:
                continue
            line = Line(exchange, leg)
            await _move_on(line)
            waiting += sorted(line.touched)
        if await exchange.has_happenings(current):
            waiting.append(current)
    return looked_at


async def _move_on(line: Line) -> None:
    """Take all that happened, in order, and run what is due after each."""
    await _run_what_is_due(line)
    while happening := await line.exchange.next_happening(line.leg["uuid"]):
        if line.leg["phase"] != "ended":
            await HAPPENINGS[happening["do"]](line, happening)
            await line.exchange.save(line.leg)
        await _run_what_is_due(line)


async def _run_what_is_due(line: Line) -> None:
    for _step_number in range(MAX_STEPS):
        before = str(line.leg)
        moved = await _step(line)
        if str(line.leg) != before:
            await line.exchange.save(line.leg)
        if not moved:
            return


async def _step(line: Line) -> bool:
    """Do the next thing that is due; False when there is none."""
    leg, now = line.leg, time.time()
    if legs.events_to_send(leg):
        await legs.send_next_event(line.exchange, leg)
        return True
    if leg["phase"] == "new":
        _ring(line)
    elif leg["phase"] == "asking":
        await _ask(line)
    elif leg["phase"] == "ringing" and now >= leg["ring_until"]:
        await course.end(line, "timeout")
    elif leg["answered_at"] is not None and leg["phase"] != "ended" and now >= leg["ends_at"]:
        await course.end(line, "completed", disconnected_by="platform")
    elif leg["verdict"] and now >= leg["verdict"]["at"]:
        await ringing.give_verdict(line)
    elif leg["beep_until"] and now >= leg["beep_until"]:
        ringing.give_up_waiting_for_beep(line)
    else:
        return leg["phase"] == "running" and await _run_action(line)
    return True


def _ring(line: Line) -> None:
    legs.note_event(line.leg, "started")
    legs.note_event(line.leg, "ringing")
    line.leg["phase"] = "asking" if line.leg["direction"] == "inbound" else "ringing"


async def _ask(line: Line) -> None:
    leg = line.leg
    try:
        ncco = await legs.ask_what_to_do(leg)
    except posting.WebhookFailed as error:
        await line.write("status", f"No answer: {error}.")
        if leg["answered_at"] is None:
            await course.end(line, "failed", detail="internal_error", sip_code=500)
        else:
            await course.end(line, "completed", disconnected_by="platform")
        return
    if leg["answered_at"] is None:
        course.answered(line)
    leg["phase"] = "running"
    if leg["is_callee"]:
        leg["answer_url"] = ""
        await course.run(line, ncco or [])
    else:
        await course.replace(line, ncco or [])


async def _run_action(line: Line) -> bool:
    action = line.leg["action"]
    if action is None:
        await _run_next(line)
        return True
    if action["name"] == "posting":
        await _post(line, action)
        return True
    if action["name"] == "input":
        return listening.is_input_over(line)
    if time.time() >= action.get("until", float("inf")):
        line.leg["action"] = None
        if action["name"] == "record":
            await recording.stop(line, action["recording"])
        return True
    return False


async def _run_next(line: Line) -> None:
    """The next action; without one a leg that was rung for another joins it, and any other leg ends."""
    leg = line.leg
    if leg["ncco"]:
        asked = leg["ncco"].pop(0)
        await BEGINNINGS[asked["action"]](line, asked)
    elif leg["is_callee"] and leg["peer"]:
        await ringing.join_peer(line)
    elif leg["peer"]:
        leg["action"] = {"name": "connect", "talking": True}
    else:
        await course.end(line, "completed", disconnected_by="platform")


async def _post(line: Line, action: dict[str, Any]) -> None:
    """Send the webhook; its answer replaces what is left to do, an empty or failed one changes nothing."""
    await line.exchange.save(line.leg)
    try:
        ncco = await legs.ask(line.leg, action["url"], action["payload"], kind="input")
    except posting.WebhookFailed as error:
        await line.write("status", f"Input: {error}.")
        ncco = None
    line.leg["action"] = None
    if ncco:
        await course.replace(line, ncco)
