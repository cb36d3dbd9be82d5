"""Reads the bodies of REST requests about calls, as the platform would take or refuse them. Source: Vonage, "Voice API reference"."""

import re
from collections.abc import Callable
from typing import Any, Final

from conversations.voice.simulator import checking, legs
from conversations.voice.simulator.checking import InvalidNcco, checked

Reader = Callable[[dict[str, Any]], dict[str, Any]]
TONES: Final = re.compile(r"[0-9*#p]{1,100}")
LONGEST_RINGING: Final = 120
ENDPOINTS: Final = ("phone", "sip", "websocket")


class InvalidParameter(Exception):
    """The platform would answer 400; the text is the name of the parameter."""


def of_call(body: dict[str, Any]) -> dict[str, Any]:
    """What `POST /v1/calls` asks for, as the arguments of `legs.dial_out`. Raises InvalidParameter."""
    endpoint = _one(body, "to")
    if not isinstance(endpoint, dict) or endpoint.get("type") not in ENDPOINTS or not checking.is_endpoint(endpoint):
        raise InvalidParameter("to")
    caller = body.get("from")
    if body.get("random_from_number") is True and caller is None:
        number = "random"
    elif isinstance(caller, dict) and caller.get("type") in ENDPOINTS:
        number = str(caller.get("number") or caller.get("uri") or "")
    else:
        number = ""
    if not number or ("ncco" in body) == ("answer_url" in body):
        raise InvalidParameter("from" if not number else "ncco")
    detection = body.get("machine_detection")
    if detection not in (None, "continue", "hangup"):
        raise InvalidParameter("machine_detection")
    advanced = body.get("advanced_machine_detection")
    if advanced is not None and not checking.is_detection(advanced):
        raise InvalidParameter("advanced_machine_detection")
    return {
        "caller": number,
        "endpoint": endpoint,
        "ncco": _ncco(body["ncco"], "ncco") if "ncco" in body else [],
        "answer_url": _address(body, "answer_url") if "answer_url" in body else "",
        "event_url": _address(body, "event_url") if "event_url" in body else None,
        "ring_seconds": _number(body, "ringing_timer", 1, LONGEST_RINGING, legs.DEFAULT_RING_SECONDS),
        "longest_seconds": _number(body, "length_timer", 1, legs.LONGEST_SECONDS, legs.LONGEST_SECONDS),
        "detection": legs.detection_of(detection, advanced),
    }


def of_change(body: dict[str, Any]) -> dict[str, Any]:
    """What `PUT /v1/calls/{uuid}` has happen to a leg. Raises InvalidParameter."""
    wanted = body.get("action")
    if wanted == "hangup":
        return {"do": "hang_up", "by": "platform"}
    if wanted in ("mute", "unmute"):
        return {"do": "mute", "on": wanted == "mute"}
    if wanted in ("earmuff", "unearmuff"):
        return {"do": "earmuff", "on": wanted == "earmuff"}
    destination = body.get("destination")
    if wanted != "transfer" or not isinstance(destination, dict) or destination.get("type") != "ncco":
        raise InvalidParameter("action" if wanted != "transfer" else "destination")
    if "ncco" in destination:
        return {"do": "transfer", "ncco": _ncco(destination["ncco"], "destination")}
    return {"do": "transfer", "url": _address(destination, "url")}


def of_talk(body: dict[str, Any]) -> dict[str, Any]:
    """What `PUT …/talk` has happen to a leg. Raises InvalidParameter."""
    if not checking.is_spoken(body.get("text")):
        raise InvalidParameter("text")
    return {"do": "play", "kind": "talk", "text": body["text"], "loop": _number(body, "loop", 0, 1_000, 1)}


def of_stream(body: dict[str, Any]) -> dict[str, Any]:
    """What `PUT …/stream` has happen to a leg. Raises InvalidParameter."""
    return {"do": "play", "kind": "stream", "text": _address(body, "stream_url"), "loop": _number(body, "loop", 0, 1_000, 1)}


def of_keys(body: dict[str, Any]) -> dict[str, Any]:
    """What `PUT …/dtmf` has happen to a leg. Raises InvalidParameter."""
    digits = body.get("digits")
    if not isinstance(digits, str) or not TONES.fullmatch(digits):
        raise InvalidParameter("digits")
    return {"do": "tones", "digits": digits}


def of_keys_pressed(body: dict[str, Any]) -> dict[str, Any]:
    """What `PUT …/input/dtmf` has happen to a leg. Raises InvalidParameter."""
    return {"do": "listen_for_keys", "url": _address(body, "event_url")}


def _ncco(ncco: object, name: str) -> list[dict[str, Any]]:
    try:
        return checked(ncco)
    except InvalidNcco as error:
        raise InvalidParameter(name) from error


def _one(body: dict[str, Any], name: str) -> Any:
    """The one item of a list."""
    found = body.get(name)
    if not isinstance(found, list) or len(found) != 1:
        raise InvalidParameter(name)
    return found[0]


def _address(body: dict[str, Any], name: str) -> str:
    if not checking.is_address(address := _one(body, name)):
        raise InvalidParameter(name)
    return str(address)


def _number(body: dict[str, Any], name: str, lowest: float, highest: float, usual: float) -> float:
    found = body.get(name, usual)
    if not isinstance(found, int | float) or isinstance(found, bool) or not lowest <= found <= highest:
        raise InvalidParameter(name)
    return found
