"""What a leg is, how one begins and ends, and the events it sends. The interpreter moves it on."""

import random
import time
import uuid
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings

from conversations.voice.ncco import webhook_url
from conversations.voice.simulator import posting
from conversations.voice.simulator.exchange import Exchange, Leg

DEFAULT_OPTIONS: Final[dict[str, Any]] = {
    "speed": 1.0,  # how many seconds of the call pass in one real second
    "patience": 1.0,  # how many times longer than asked for silence is borne, since typing is slower than speaking
    "repeat_events": 1,  # how often each event is delivered
    "shuffle_events": False,  # events are held back until the end of the call and come in any order
}
DEFAULT_RING_SECONDS: Final = 60
TYPING_PATIENCE: Final = 5.0
"""How much longer a silence may last on a phone on which one types more often than one speaks."""


def new_leg(*, caller: str, dialled: str, direction: str, options: dict[str, Any] | None = None) -> Leg:
    """A leg that has not done anything yet. Numbers as digits, as the platform writes them."""
    return {
        "uuid": str(uuid.uuid4()),
        "room": f"CON-{uuid.uuid4()}",
        "direction": direction,
        "from": caller,
        "to": dialled,
        "status": "started",
        "phase": "new",
        "ncco": [],
        "action": None,
        "unheard": [],
        "events": [],
        "answer_url": webhook_url("voice:answer"),
        "event_url": webhook_url("voice:event"),
        "peer": None,
        "ring_until": 0.0,
        "began_at": time.time(),
        "answered_at": None,
        "ended_at": None,
        "on_machine": "",
        "options": DEFAULT_OPTIONS | (options or {}),
    }


async def dial_in(exchange: Exchange, *, caller: str, dialled: str, options: dict[str, Any] | None = None) -> Leg:
    """Somebody dials the company: the inbound leg, kept, not yet moved on."""
    leg = new_leg(caller=caller, dialled=dialled, direction="inbound", options=options)
    await exchange.add(leg)
    return leg


async def dial_out(
    exchange: Exchange,
    *,
    caller: str,
    dialled: str,
    ncco: list[Any],
    answer_url: str = "",
    event_url: str | None = None,
    ring_seconds: float = DEFAULT_RING_SECONDS,
    peer: Leg | None = None,
    on_machine: str = "",
) -> Leg:
    """The company dials somebody: the outbound leg, kept.

    `peer` is the leg whose `connect` asked for it; with `answer_url` the application is asked what to do on the answer.
    `on_machine` (`hangup`, `continue`) is what happens when a machine picks up; empty: nobody looks whether it is one.
    """
    options = {"patience": TYPING_PATIENCE} if answer_url else (peer or {}).get("options")
    leg = new_leg(caller=caller, dialled=dialled, direction="outbound", options=options)
    leg["ncco"], leg["answer_url"] = ncco, answer_url
    leg["event_url"] = event_url or leg["event_url"]
    leg["on_machine"] = on_machine
    leg["ring_until"] = time.time() + ring_seconds / leg["options"]["speed"]
    if peer:
        leg["peer"], leg["room"] = peer["uuid"], peer["room"]
    await exchange.add(leg)
    return leg


def now_text() -> str:
    """The time as events carry it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def about(leg: Leg) -> dict[str, Any]:
    """The fields that every webhook about a leg has."""
    return {
        "from": leg["from"],
        "to": leg["to"],
        "uuid": leg["uuid"],
        "conversation_uuid": leg["room"],
        "timestamp": now_text(),
    }


def note_event(leg: Leg, status: str, **extra: Any) -> None:
    """Put an event into the line of those to be sent, and take its status over."""
    leg["status"] = status
    leg["events"].append(about(leg) | {"status": status, "direction": leg["direction"]} | extra)


def note_end(leg: Leg, status: str, **extra: Any) -> None:
    """The leg is over with this terminal status."""
    if status == "completed":
        answered_at = leg["answered_at"] or time.time()
        extra |= {
            "start_time": datetime.fromtimestamp(answered_at, UTC).isoformat(timespec="milliseconds"),
            "end_time": now_text(),
            "duration": str(max(0, round((time.time() - answered_at) * leg["options"]["speed"]))),
            "rate": "0.00",
            "price": "0",
            "network": None,
            "sip_code": 200,
        }
    note_event(leg, status, **extra)
    leg["phase"], leg["action"], leg["ncco"], leg["ended_at"] = "ended", None, [], time.time()


def described(leg: Leg) -> dict[str, Any]:
    """The leg as the platform's list of calls has it; times without a zone, which are UTC. Source: Vonage, "Voice API reference"."""
    over: dict[str, Any] = {}
    if leg["ended_at"] is not None:
        since = leg["answered_at"] or leg["ended_at"]
        seconds = round((leg["ended_at"] - since) * leg["options"]["speed"])
        over = {"start_time": _listed(since), "end_time": _listed(leg["ended_at"]), "duration": str(seconds), "rate": "0.00", "price": "0"}
    return {
        "uuid": leg["uuid"],
        "conversation_uuid": leg["room"],
        "to": {"type": "phone", "number": leg["to"]},
        "from": {"type": "phone", "number": leg["from"]},
        "status": leg["status"],
        "direction": leg["direction"],
        "network": None,
        "_links": {"self": {"href": f"/v1/calls/{leg['uuid']}"}},
    } | over


def has_events_to_send(leg: Leg) -> bool:
    """Whether an event is due; those that are to be shuffled are due when the call is over."""
    return bool(leg["events"]) and (not leg["options"]["shuffle_events"] or leg["phase"] == "ended")


def _listed(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


async def send_next_event(exchange: Exchange, leg: Leg) -> None:
    """Deliver one event, as often as the options say. An application that does not take it loses it."""
    position = random.randrange(len(leg["events"])) if leg["options"]["shuffle_events"] else 0  # noqa: S311
    payload = leg["events"].pop(position)
    for _delivery in range(int(leg["options"]["repeat_events"])):
        try:
            await posting.post(leg["event_url"], payload, seconds=posting.EVENT_SECONDS)
        except posting.WebhookFailed as error:
            await exchange.write_line(leg["uuid"], "status", f"Event “{payload.get('status', 'error')}”: {error}.")


async def ask_what_to_do(leg: Leg) -> Any:
    """The application's answer to the answer webhook, or to the fallback. Raises WebhookFailed."""
    payload = about(leg) | {"endpoint_type": "phone", "region_url": settings.PUBLIC_URL}
    return await posting.post_or_fall_back(leg["answer_url"], payload, kind="answer")
