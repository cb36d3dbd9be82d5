"""Refuses call control objects that the platform would refuse. Source: Vonage, "NCCO reference"."""

from typing import Any, Final

SYNTAX_ERROR: Final = "Syntax error in NCCO. Invalid value type or action."
INPUT_TYPES: Final = frozenset({"dtmf", "speech"})
MAX_TALK_CHARACTERS: Final = 1_500


class InvalidNcco(Exception):
    """The platform would send this as the `reason` of an error event and end the call."""


def checked(ncco: object) -> list[dict[str, Any]]:
    """`ncco` when it is a list of actions that this simulator can run in this order. Raises InvalidNcco."""
    if not isinstance(ncco, list) or not all(isinstance(action, dict) for action in ncco):
        raise InvalidNcco(SYNTAX_ERROR)
    barging = False
    for action in ncco:
        name = action.get("action")
        if name not in CHECKS or not CHECKS[name](action):
            raise InvalidNcco(SYNTAX_ERROR)
        if barging and name not in ("talk", "stream", "input"):
            raise InvalidNcco("Syntax error in NCCO. An action with bargeIn must be followed by input.")
        barging = (barging or bool(action.get("bargeIn"))) and name != "input"
    if barging:
        raise InvalidNcco("Syntax error in NCCO. An action with bargeIn must be followed by input.")
    return ncco


def _talk(action: dict[str, Any]) -> bool:
    text = action.get("text")
    return isinstance(text, str) and 0 < len(text) <= MAX_TALK_CHARACTERS and _is_flag(action, "bargeIn")


def _stream(action: dict[str, Any]) -> bool:
    return _is_addresses(action.get("streamUrl")) and _is_flag(action, "bargeIn")


def _input(action: dict[str, Any]) -> bool:
    types = action.get("type")
    if not isinstance(types, list) or not types or not set(types) <= INPUT_TYPES:
        return False
    speech, dtmf = action.get("speech") or {}, action.get("dtmf") or {}
    return (
        isinstance(speech, dict)
        and isinstance(dtmf, dict)
        and _is_addresses(action.get("eventUrl", ["default"]))
        and _is_within(speech, "endOnSilence", 0.4, 10)
        and _is_within(speech, "startTimeout", 1, 60)
        and _is_within(speech, "maxDuration", 1, 60)
        and _is_within(dtmf, "timeOut", 0, 10)
        and _is_within(dtmf, "maxDigits", 1, 20)
    )


def _connect(action: dict[str, Any]) -> bool:
    endpoints = action.get("endpoint")
    if not isinstance(endpoints, list) or len(endpoints) != 1 or not isinstance(endpoints[0], dict):
        return False
    number = endpoints[0].get("number")
    return endpoints[0].get("type") == "phone" and isinstance(number, str) and number.isdigit()


def _conversation(action: dict[str, Any]) -> bool:
    name = action.get("name")
    return isinstance(name, str) and bool(name) and _is_flag(action, "startOnEnter") and _is_flag(action, "endOnExit")


def _wait(action: dict[str, Any]) -> bool:
    return _is_within(action, "timeout", 0.1, 7_200)


def _record(action: dict[str, Any]) -> bool:
    return True


def _is_flag(action: dict[str, Any], name: str) -> bool:
    return isinstance(action.get(name, False), bool)


def _is_addresses(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)


def _is_within(action: dict[str, Any], name: str, lowest: float, highest: float) -> bool:
    value = action.get(name, lowest)
    return isinstance(value, int | float) and not isinstance(value, bool) and lowest <= value <= highest


CHECKS: Final = {
    "talk": _talk,
    "stream": _stream,
    "input": _input,
    "connect": _connect,
    "conversation": _conversation,
    "wait": _wait,
    "record": _record,
}
