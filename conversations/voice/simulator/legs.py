"""What a leg is, how one begins and ends, and the events it sends. The interpreter moves it on."""

import random
import time
import uuid
from datetime import UTC, datetime
from typing import Any, Final

from conversations.voice.ncco import webhook_url
from conversations.voice.simulator import faults, posting
from conversations.voice.simulator.exchange import Exchange, Leg

DEFAULT_RING_SECONDS: Final = 60
LONGEST_SECONDS: Final = 7_200
BEEP_SECONDS: Final = 45
TYPING_PATIENCE: Final = 5.0
"""How much longer a silence may last on a phone on which one types more often than one speaks."""


def new_room() -> str:
    """The id of a conversation that nobody is in."""
    return f"CON-{uuid.uuid4()}"


def new_leg(
    *, caller: str, dialled: str, direction: str, endpoint: dict[str, Any] | None = None, options: dict[str, Any] | None = None
) -> Leg:
    """A leg that has not done anything yet. Numbers as digits, as the platform writes them; `endpoint` is what the company rings."""
    return {
        "uuid": str(uuid.uuid4()),
        "room": new_room(),
        "room_name": "",  # of the room that it is in, if that has a name
        "direction": direction,
        "from": caller,
        "to": dialled,
        "endpoint": endpoint or {"type": "phone", "number": dialled},
        "status": "started",
        "phase": "new",  # then asking, ringing, detecting, running, ended
        "ncco": [],
        "action": None,
        "beside": None,  # what is played beside the action, by a REST request
        "unheard": [],
        "keys_url": "",  # where each key is sent as it is pressed
        "events": [],
        "answer_url": webhook_url("voice:answer"),
        "event_url": webhook_url("voice:event"),
        "peer": None,  # the other leg of a `connect`
        "is_callee": False,  # rung by a `connect`
        "is_synchronous": False,  # the event of its end without an answer is answered with what the caller does next
        "end_for_peer": {},
        "ring_until": 0.0,
        "longest_seconds": LONGEST_SECONDS,
        "ends_at": float("inf"),
        "began_at": time.time(),
        "answered_at": None,
        "ended_at": None,
        "troubled": 0,  # how many of its webhooks trouble has befallen
        "recordings": [],  # ids of those that a `record` has begun and that go on
        "muted": False,
        "earmuffed": False,
        "deliveries": [],  # of tries of webhooks, see faults.Way
        "detection": {},  # of machines: behavior, mode, beep_timeout; empty: nobody looks whether it is one
        "verdict": None,
        "beep_until": None,
        "options": {**faults.USUAL, **(options or {})},
    }


async def dial_in(exchange: Exchange, *, caller: str, dialled: str, options: dict[str, Any] | None = None) -> Leg:
    """Somebody dials the company: the inbound leg, kept, not yet moved on."""
    chosen = await faults.usual_options(exchange) | (options or {})
    leg = new_leg(caller=caller, dialled=dialled, direction="inbound", options=chosen)
    await exchange.add(leg)
    return leg


async def dial_out(
    exchange: Exchange,
    *,
    caller: str,
    endpoint: dict[str, Any],
    ncco: list[Any],
    answer_url: str = "",
    event_url: str | None = None,
    ring_seconds: float = DEFAULT_RING_SECONDS,
    longest_seconds: float = LONGEST_SECONDS,
    peer: Leg | None = None,
    detection: dict[str, Any] | None = None,
    is_synchronous: bool = False,
    region: str = faults.HOME_REGION,
) -> Leg:
    """The company rings a phone or a SIP address: the outbound leg, kept.

    `peer` is the leg whose `connect` asked for it; with `answer_url` the application is asked what to do on the answer.
    `detection` is what `detection_of` returns.
    """
    usual = await faults.usual_options(exchange) | {"region": region} | ({"patience": TYPING_PATIENCE} if answer_url else {})
    options = peer["options"] if peer else usual
    dialled = str(endpoint.get("number") or endpoint.get("uri"))
    leg = new_leg(caller=caller, dialled=dialled, direction="outbound", endpoint=endpoint, options=options)
    leg["ncco"], leg["answer_url"] = ncco, answer_url
    leg["event_url"] = event_url or leg["event_url"]
    leg["detection"], leg["is_synchronous"] = detection or {}, is_synchronous
    leg["longest_seconds"] = longest_seconds
    leg["ring_until"] = time.time() + ring_seconds / leg["options"]["speed"]
    if peer:
        leg["peer"], leg["room"], leg["is_callee"] = peer["uuid"], peer["room"], True
    await exchange.add(leg)
    return leg


def detection_of(standard: str | None, advanced: dict[str, Any] | None) -> dict[str, Any]:
    """How it is found out whether a machine picked up; the advanced way wins. Source: Vonage, "Advanced machine detection"."""
    if advanced:
        return {"behavior": "continue", "mode": "detect", "beep_timeout": BEEP_SECONDS} | advanced
    return {"behavior": standard, "mode": "standard", "beep_timeout": BEEP_SECONDS} if standard else {}


def address_of(leg: Leg) -> str:
    """The number or SIP address of whoever holds the leg's phone."""
    return str(leg["from"] if leg["direction"] == "inbound" else leg["to"])


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
        **({"headers": leg["endpoint"]["headers"]} if leg["endpoint"].get("type") == "websocket" and "headers" in leg["endpoint"] else {}),
    }


def note_event(leg: Leg, status: str, **extra: Any) -> None:
    """Put an event into the line of those to be sent, and take its status over."""
    leg["status"] = status
    queue(leg, about(leg) | {"status": status, "direction": leg["direction"]} | extra)


def queue(leg: Leg, payload: dict[str, Any], *, url: str = "", due_at: float = 0.0) -> None:
    """Put a webhook into the line of those to be sent, at once or when it is due; without an address it is an event."""
    leg["events"].append({"url": url or leg["event_url"], "payload": payload, "due_at": due_at})


def note_end(leg: Leg, status: str, **extra: Any) -> None:
    """The leg is over with this terminal status."""
    if status == "completed":
        answered_at = leg["answered_at"] or time.time()
        extra = {
            "start_time": datetime.fromtimestamp(answered_at, UTC).isoformat(timespec="milliseconds"),
            "end_time": now_text(),
            "duration": str(max(0, round(time.time() - answered_at))),
            "rate": "0.00",
            "price": "0",
            "network": None,
            "sip_code": 200,
        } | extra
    note_event(leg, status, **extra)
    leg["phase"], leg["action"], leg["ncco"], leg["ended_at"] = "ended", None, [], time.time()


def described(leg: Leg) -> dict[str, Any]:
    """The leg as the platform's list of calls has it; times without a zone, which are UTC. Source: Vonage, "Voice API reference"."""
    over: dict[str, Any] = {}
    if leg["ended_at"] is not None:
        since = leg["answered_at"] or leg["ended_at"]
        seconds = round(leg["ended_at"] - since)
        over = {"start_time": _listed(since), "end_time": _listed(leg["ended_at"]), "duration": str(seconds), "rate": "0.00", "price": "0"}
    return {
        "uuid": leg["uuid"],
        "conversation_uuid": leg["room"],
        "to": leg["endpoint"],
        "from": {"type": "phone", "number": leg["from"]},
        "status": leg["status"],
        "direction": leg["direction"],
        "network": None,
        "_links": {"self": {"href": f"/v1/calls/{leg['uuid']}"}},
    } | over


def events_to_send(leg: Leg) -> list[int]:
    """The places in the line of the events that are due; those that are to be shuffled are due when the call is over."""
    is_over, options = leg["phase"] == "ended", leg["options"]
    if options["shuffle_events"] and not is_over:
        return []
    due = [place for place, event in enumerate(leg["events"]) if event["due_at"] <= time.time()]
    if options["completed_first"]:
        late = [place for place in due if leg["events"][place]["payload"].get("status") == "answered"]
        due = [place for place in due if place not in late] + (late if is_over else [])
    return due


def due_at(leg: Leg) -> float | None:
    """When something happens to the leg by itself next; None when nothing does."""
    events = [event["due_at"] for event in leg["events"]]
    if leg["phase"] == "ended":
        return min(events, default=None)
    times = [
        *(events if events_to_send(leg) else [each for each in events if each > time.time()]),
        leg["ring_until"] if leg["phase"] == "ringing" else None,
        leg["ends_at"],
        leg["beep_until"],
    ]
    times += [(leg["verdict"] or {}).get("at"), (leg["action"] or {}).get("until")]
    due = min(each for each in times if each is not None)
    return None if due == float("inf") else float(due)


def _listed(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


async def send_next_event(exchange: Exchange, leg: Leg) -> None:
    """Deliver one event, as often as the options say. An application that does not take it loses it."""
    places = events_to_send(leg)
    place = random.choice(places) if leg["options"]["shuffle_events"] else places[0]  # noqa: S311
    event = leg["events"].pop(place)
    payload = event["payload"]
    for _delivery in range(int(leg["options"]["repeat_events"])):
        way = faults.way_of(leg, "event")
        try:
            await posting.post(event["url"], payload, seconds=posting.EVENT_SECONDS, way=way)
        except posting.WebhookFailed as error:
            await exchange.write_line(leg["uuid"], "status", f"Event “{payload.get('status', 'error')}”: {error}.")
        finally:
            leg["deliveries"] += way.deliveries


async def ask_what_to_do(leg: Leg) -> Any:
    """The application's answer to the answer webhook, or to the fallback. Raises WebhookFailed."""
    payload = about(leg) | {"endpoint_type": leg["endpoint"]["type"], "region_url": f"https://{leg['options']['region']}"}
    return await ask(leg, leg["answer_url"], payload, kind="answer")


async def ask(leg: Leg, url: str, payload: dict[str, Any], *, kind: str) -> Any:
    """The application's answer to a webhook (`answer`, `input`) that is answered with actions, or to the fallback. Raises WebhookFailed."""
    way = faults.way_of(leg, kind)
    try:
        return await posting.post_or_fall_back(url, payload, kind="answer" if kind == "answer" else "event", way=way)
    finally:
        leg["deliveries"] += way.deliveries
