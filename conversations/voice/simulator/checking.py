"""Refuses call control objects that the platform would refuse, or of which it would drop something without a word.

Source: Vonage, "NCCO reference": every action with its options, their types and limits, and what may follow what.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit
from xml.etree import ElementTree

SYNTAX_ERROR: Final = "Syntax error in NCCO. Invalid value type or action."
BARGE_IN_ERROR: Final = "Syntax error in NCCO. An action with bargeIn must be followed by input."
MAX_TALK_CHARACTERS: Final = 1_500
"""Without the tags of SSML."""
TAGS: Final = re.compile(r"<[^>]*>")
LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
NUMBER: Final = re.compile(r"[1-9][0-9]{6,14}")
KEYS: Final = re.compile(r"[0-9*#p]+")
ROOM: Final = re.compile(r"CON-[0-9A-Za-z-]{1,64}")
AUDIO: Final = re.compile(r"audio/l16;rate=(8000|16000|24000)")
MOST_HEADER_BYTES: Final = 512
Check = Callable[[Any], bool]
Options = dict[str, Check]


class InvalidNcco(Exception):
    """The platform would send this as the `reason` of an error event and end the call."""


def checked(ncco: object) -> list[dict[str, Any]]:
    """`ncco` when the platform can run every action and option of it in this order. Raises InvalidNcco."""
    if not isinstance(ncco, list) or not all(isinstance(action, dict) for action in ncco):
        raise InvalidNcco(SYNTAX_ERROR)
    barging, over = False, False
    for action in ncco:
        name = action.get("action")
        if over or name not in ACTIONS or not _has(ACTIONS[name], NEEDED.get(name, ()), without(action, "action")) or not _fits(action):
            raise InvalidNcco(SYNTAX_ERROR)
        if barging and name not in ("talk", "stream", "input"):
            raise InvalidNcco(BARGE_IN_ERROR)
        barging = (barging or bool(action.get("bargeIn"))) and name != "input"
        # Nothing comes after a voice that goes on for ever, or after everybody has moved into another room.
        over = name == "transfer" or (action.get("loop") == 0 and not action.get("bargeIn"))
    if barging:
        raise InvalidNcco(BARGE_IN_ERROR)
    return ncco


def without(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The options but for these."""
    return {name: value for name, value in options.items() if name not in names}


def _has(known: Options, needed: tuple[str, ...], options: object) -> bool:
    """Whether `options` are all known, each within its limits, and the needed ones are there. Unknown ones would be dropped."""
    if not isinstance(options, dict) or not options.keys() <= known.keys() or not set(needed) <= options.keys():
        return False
    return all(known[name](value) for name, value in options.items())


def _fits(action: dict[str, Any]) -> bool:
    """Options that go together, or do not."""
    name = action["action"]
    if name == "input":
        return all(each in action["type"] for each in ("speech", "dtmf") if each in action)
    if name == "connect":
        return not ("from" in action and "randomFromNumber" in action)
    if name in ("conversation", "transfer"):
        return not ("mute" in action and "canSpeak" in action)
    return "split" not in action or "channels" not in action or action["channels"] >= 2


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _within(lowest: float, highest: float, *, whole: bool = False) -> Check:
    kinds = int if whole else int | float
    return lambda value: isinstance(value, kinds) and not isinstance(value, bool) and lowest <= value <= highest


def _one_of(*values: str) -> Check:
    return lambda value: value in values


def _matches(pattern: re.Pattern[str]) -> Check:
    return lambda value: isinstance(value, str) and bool(pattern.fullmatch(value))


def is_spoken(value: object) -> bool:
    """Plain text, or SSML as a whole inside `speak`, which must be XML; at most 1,500 characters without the tags."""
    if not isinstance(value, str) or not 0 < len(TAGS.sub("", value)) <= MAX_TALK_CHARACTERS:
        return False
    if not value.startswith("<speak>"):
        return "<speak" not in value
    try:
        return ElementTree.fromstring(value).tag == "speak"  # noqa: S314  # it is our own, and as long as a sentence
    except ElementTree.ParseError:
        return False


def is_address(value: object) -> bool:
    """Whether this is a web address."""
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
    except ValueError:
        return False
    return parts is not None and parts.scheme in ("http", "https") and bool(parts.netloc)


def _addresses(value: object) -> bool:
    """Addresses stand in a list even when there is one, which there is."""
    return isinstance(value, list) and len(value) == 1 and is_address(value[0])


def _sounds(*formats: str) -> Check:
    """Addresses of which none names a format other than these; many name none."""
    others = tuple({".mp3", ".wav", ".ogg", ".flac", ".m4a", ".aac"} - set(formats))
    return lambda value: _addresses(value) and not urlsplit(value[0]).path.lower().endswith(others)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and each for each in value)


def _name(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _flat(value: object) -> bool:
    """Headers of an endpoint: texts by name."""
    return isinstance(value, dict) and all(isinstance(each, str | int | float | bool) for each in value.values())


def _small(value: object) -> bool:
    return _flat(value) and len(str(value).encode()) <= MOST_HEADER_BYTES


def _filled(value: object) -> bool:
    return isinstance(value, dict)


def _kinds_of_input(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(each in ("dtmf", "speech") for each in value) and len(set(value)) == len(value)


def _object(known: Options, *needed: str) -> Check:
    return lambda value: _has(known, needed, value)


def _endpoints(value: object) -> bool:
    """Exactly one."""
    return isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) and is_endpoint(value[0])


def is_endpoint(endpoint: Mapping[str, Any]) -> bool:
    """Whether this is something that can be rung, of a known kind and with all that it needs."""
    kind = str(endpoint.get("type"))
    return kind in ENDPOINTS and _has(*ENDPOINTS[kind], without(endpoint, "type"))


def _scheme(*schemes: str) -> Check:
    return lambda value: isinstance(value, str) and value.partition(":")[0] in schemes and bool(value.partition(":")[2])


POSTED: Final[Options] = {"eventUrl": _addresses, "eventMethod": _one_of("POST")}
"""Where an action has its webhook sent: we take nothing but POST."""
VOICE: Final[Options] = {"level": _within(-1, 1), "bargeIn": _flag, "loop": _within(0, 1_000, whole=True)}
DETECTION: Final[Options] = {
    "behavior": _one_of("continue", "hangup"), "mode": _one_of("default", "detect", "detect_beep"),
    "beep_timeout": _within(45, 120, whole=True),
}  # fmt: skip
is_detection: Final[Check] = _object(DETECTION)
ENDPOINTS: Final[Mapping[str, tuple[Options, tuple[str, ...]]]] = {
    "phone": (
        {
            "number": _matches(NUMBER), "dtmfAnswer": _matches(KEYS), "shaken": _name,
            "onAnswer": _object({"url": is_address, "ringbackTone": is_address}, "url"),
        },
        ("number",),
    ),
    "app": ({"user": _name}, ("user",)),
    "websocket": (
        {
            "uri": _scheme("ws", "wss"), "content-type": _matches(AUDIO), "headers": _small,
            "authorization": _object({"type": _one_of("vonage", "custom"), "value": _name}, "type"),
        },
        ("uri", "content-type"),
    ),
    "sip": ({"uri": _scheme("sip", "sips"), "headers": _flat, "standardHeaders": _object({"User-to-User": _name})}, ("uri",)),
    "vbc": ({"extension": _name}, ("extension",)),
}  # fmt: skip
TRANSCRIPTION: Final[Options] = {"language": _matches(LANGUAGE), "sentimentAnalysis": _flag, **POSTED}
SPEECH: Final[Options] = {
    "uuid": _texts, "endOnSilence": _within(0.4, 10), "language": _matches(LANGUAGE), "context": _texts,
    "startTimeout": _within(1, 60), "maxDuration": _within(1, 60), "saveAudio": _flag, "sensitivity": _within(10, 100),
    "provider": _one_of("google", "deepgram"), "providerOptions": _flat,
}  # fmt: skip
DTMF: Final[Options] = {"timeOut": _within(0, 10), "maxDigits": _within(1, 20, whole=True), "submitOnHash": _flag}
HEARING: Final[Options] = {"canSpeak": _texts, "canHear": _texts, "mute": _flag}
ACTIONS: Final[Mapping[str, Options]] = {
    "talk": VOICE | {
        "text": is_spoken, "language": _matches(LANGUAGE), "style": _within(0, 100, whole=True), "premium": _flag,
        "provider": _one_of("ElevenLabs", "Google", "Polly"), "providerOptions": _flat,
    },
    "stream": VOICE | {"streamUrl": _sounds(".mp3", ".wav")},
    "input": POSTED | {
        "type": _kinds_of_input, "mode": _one_of("synchronous", "asynchronous"), "speech": _object(SPEECH), "dtmf": _object(DTMF),
    },
    "connect": POSTED | {
        "endpoint": _endpoints, "from": _matches(NUMBER), "randomFromNumber": _flag, "eventType": _one_of("synchronous"),
        "timeout": _within(3, 7_200, whole=True), "limit": _within(1, 7_200, whole=True), "ringbackTone": is_address,
        "machineDetection": _one_of("continue", "hangup"), "advancedMachineDetection": is_detection,
    },
    "conversation": POSTED | HEARING | {
        "name": _name, "musicOnHoldUrl": _sounds(".mp3"), "startOnEnter": _flag, "endOnExit": _flag, "record": _flag,
        "transcription": _object(TRANSCRIPTION),
    },
    "record": POSTED | {
        "format": _one_of("mp3", "wav", "ogg"), "split": _one_of("conversation"), "channels": _within(1, 32, whole=True),
        "endOnSilence": _within(3, 10), "endOnKey": _matches(re.compile(r"[0-9*#]")), "timeOut": _within(3, 7_200, whole=True),
        "beepStart": _flag, "transcription": _object(TRANSCRIPTION),
    },
    "notify": POSTED | {"payload": _filled},
    "wait": {"timeout": _within(0.1, 7_200)},
    "transfer": HEARING | {"conversationId": _matches(ROOM)},
}  # fmt: skip
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "talk": ("text",), "stream": ("streamUrl",), "input": ("type",), "connect": ("endpoint",), "conversation": ("name",),
    "notify": ("payload", "eventUrl"), "transfer": ("conversationId",),
}  # fmt: skip
