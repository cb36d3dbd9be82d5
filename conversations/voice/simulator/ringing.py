"""Phones that are rung: what becomes of them, machines that pick up, and two legs that a `connect` brings together."""

from typing import Any, Final

from conversations.voice.simulator import course, legs, together
from conversations.voice.simulator.exchange import Happening
from conversations.voice.simulator.line import Line

ENDS: Final[dict[str, dict[str, dict[str, Any]]]] = {
    "busy": {"": {"sip_code": 486}},
    "rejected": {"declined": {"sip_code": 603}, "restricted": {"sip_code": 403}, "invalid_number": {"sip_code": 484}},
    "failed": {
        "cannot_route": {"sip_code": 503}, "number_out_of_service": {"sip_code": 404}, "internal_error": {"sip_code": 500},
    },
    "unanswered": {"unavailable": {"sip_code": 480}, "timeout": {"sip_code": 408}, "carrier_timeout": {"sip_code": 487}},
    "timeout": {"": {}},
}  # fmt: skip
"""How a call to a phone can end without an answer, with the details that each end may have; the first is the usual one.

Source: Vonage, "Voice webhook reference", the statuses and their details.
"""
UNSUPPORTED: Final = ("app", "vbc")
VERDICT_SECONDS: Final = 2.0


async def begin_connect(line: Line, asked: dict[str, Any]) -> None:
    """`connect`: ring another phone or SIP address; the two hear each other when it answers, and end together."""
    endpoint = asked["endpoint"][0]
    if endpoint["type"] in UNSUPPORTED:
        await line.write("status", "Only phones and SIP addresses can be rung here.")
        return
    if not await line.exchange.may_dial():
        line.note_error("Too many calls were begun in this second.")
        return
    whisper = endpoint.get("onAnswer") or {}
    other = await legs.dial_out(
        line.exchange,
        caller=str(asked.get("from", line.leg["to"])),
        endpoint=endpoint,
        ncco=[],
        answer_url=whisper.get("url", ""),
        event_url=(asked.get("eventUrl") or [None])[0],
        ring_seconds=asked.get("timeout", legs.DEFAULT_RING_SECONDS),
        longest_seconds=asked.get("limit", legs.LONGEST_SECONDS),
        peer=line.leg,
        detection=legs.detection_of(asked.get("machineDetection"), asked.get("advancedMachineDetection")),
        is_synchronous=asked.get("eventType") == "synchronous",
    )
    line.leg["peer"] = other["uuid"]
    line.leg["action"] = {"name": "connect", "talking": False, "goes_on": endpoint["type"] == "websocket"}
    line.touched.add(other["uuid"])
    await line.write("status", "Ringing another phone.")


async def on_answer(line: Line, happening: Happening) -> None:
    """A person picks up."""
    if line.leg["phase"] == "ringing":
        course.answered(line)
        await _begin_after_verdict(line, "human")


async def on_machine(line: Line, happening: Happening) -> None:
    """An answering machine picks up, or beeps when it has picked up already. Source: Vonage, "Advanced machine detection"."""
    leg = line.leg
    if leg["phase"] == "ringing":
        course.answered(line)
        await _begin_after_verdict(line, "machine")
    elif leg["beep_until"]:
        leg["beep_until"] = None
        _note_verdict(line, "machine", sub_state="beep_start")


async def give_verdict(line: Line) -> None:
    """What was found out about who picked up is told; until then, in the synchronous modes, nothing was run."""
    leg = line.leg
    verdict, leg["verdict"] = leg["verdict"]["is"], None
    _note_verdict(line, verdict)
    if verdict == "machine" and leg["detection"]["behavior"] == "hangup":
        await course.end(line, "completed", disconnected_by="platform")
        return
    if verdict == "machine" and leg["detection"]["mode"] in ("default", "detect_beep"):
        leg["beep_until"] = line.in_seconds(leg["detection"]["beep_timeout"])
    if leg["phase"] == "detecting":
        await _begin(line)


def give_up_waiting_for_beep(line: Line) -> None:
    """The machine did not beep in time."""
    line.leg["beep_until"] = None
    _note_verdict(line, "machine", sub_state="beep_timeout")


async def on_not_answered(line: Line, happening: Happening) -> None:
    """The phone is busy, declines, cannot be reached or rings in vain: `status`, and `detail` where there is one."""
    leg = line.leg
    if leg["phase"] not in ("new", "ringing"):
        return
    details = ENDS[happening["status"]]
    detail = happening.get("detail") or next(iter(details))
    extra = {**details[detail], **({"detail": detail} if detail else {})}
    await course.end(line, happening["status"], **extra)


async def on_hang_up(line: Line, happening: Happening) -> None:
    """The holder of the phone, or the platform, ends the call."""
    by = happening.get("by", "user")
    if line.leg["answered_at"] is None and (line.leg["direction"] == "inbound" or by == "platform"):
        await course.end(line, "cancelled")
    elif line.leg["answered_at"] is None:
        await on_not_answered(line, {"status": "rejected"})
    else:
        await course.end(line, "completed", disconnected_by=by)


async def on_peer_answered(line: Line, happening: Happening) -> None:
    """The phone that this leg's `connect` rings has picked up."""
    if line.action.get("name") == "connect":
        # What comes after a socket is done as soon as it is up.
        line.leg["action"] = None if line.action.get("goes_on") else line.action | {"talking": True}
        await together.enter(line, line.leg["room"], opens=True)
        await line.write("status", "Connected.")


async def on_peer_ended(line: Line, happening: Happening) -> None:
    """The other phone is gone: the call ends with it, or goes on when it was never answered."""
    action = line.action
    if happening.get("socket"):
        line.leg["peer"] = None
        line.begin_posting(happening["url"], happening["payload"])
        return
    if action.get("name") != "connect":
        return
    line.leg["peer"] = None
    if action["talking"]:
        await course.end(line, "completed", disconnected_by="platform")
    elif "url" in happening:
        line.begin_posting(happening["url"], happening["payload"])
    else:
        line.leg["action"] = None


async def on_disconnected(line: Line, happening: Happening) -> None:
    """The application has closed the leg's socket: the one who rang it is told what to do instead, by the answer to an event."""
    if line.leg["answered_at"] is None:
        return
    event = legs.about(line.leg) | {"status": "disconnected", "direction": line.leg["direction"]}
    line.leg["end_for_peer"] = {"socket": True, "url": line.leg["event_url"], "payload": event}
    await course.end(line, "completed", disconnected_by="user")


async def on_transfer(line: Line, happening: Happening) -> None:
    """A REST request: the leg gets a conversation of its own and does something else, by a list or as an address answers."""
    await together.leave(line)
    together.move(line, legs.new_room())
    if "url" in happening:
        line.leg["action"], line.leg["ncco"], line.leg["answer_url"] = None, [], happening["url"]
        line.leg["phase"] = "asking"
    else:
        await course.replace(line, happening["ncco"])


async def on_mute(line: Line, happening: Happening) -> None:
    """A REST request: nobody hears the leg, or everybody again."""
    line.leg["muted"] = happening["on"]


async def on_earmuff(line: Line, happening: Happening) -> None:
    """A REST request: the leg hears nobody, or everybody again."""
    line.leg["earmuffed"] = happening["on"]


async def join_peer(line: Line) -> None:
    """The leg that a `connect` rang has heard what was meant for it alone, and talks to the other from now on."""
    line.leg["action"] = {"name": "connect", "talking": True}
    await together.enter(line, line.leg["room"], opens=True)
    await line.write("status", "Connected.")
    await line.tell(line.leg["peer"], {"do": "peer_answered"})


async def _begin_after_verdict(line: Line, verdict: str) -> None:
    leg = line.leg
    if not leg["detection"]:
        await _begin(line)
    elif leg["detection"]["mode"] == "default":
        await _begin(line)
        leg["verdict"] = {"is": verdict, "at": 0.0}
    else:
        leg["phase"] = "detecting"
        leg["verdict"] = {"is": verdict, "at": line.in_seconds(VERDICT_SECONDS)}


async def _begin(line: Line) -> None:
    """The leg was answered: ask what to do, or do it. A leg without anything of its own to do joins the one that rang it."""
    if line.leg["answer_url"]:
        line.leg["phase"] = "asking"
        return
    line.leg["phase"] = "running"
    line.leg["action"] = None


def _note_verdict(line: Line, verdict: str, **extra: Any) -> None:
    """The event names its leg otherwise than all others."""
    event = legs.about(line.leg) | {"status": verdict, "direction": line.leg["direction"]} | extra
    event["call_uuid"] = event.pop("uuid")
    legs.queue(line.leg, event)
