"""Reads the platform's webhook bodies into frozen dataclasses, tolerating what it leaves out or has not documented.

Source of the fields: Vonage, "Voice webhook reference". Nothing here trusts a type: a number may come as text, a list
may be missing, a status may be one that nobody has heard of.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import phonenumbers

from conversations.selectors.call_reports import TERMINAL_STATUSES, known_time
from conversations.services.redaction import MASK, hide_digits

MAX_BODY_BYTES: Final = 65_536
MAX_NESTING: Final = 20
MAX_HYPOTHESES: Final = 5
MAX_SPOKEN_CHARACTERS: Final = 4_000
CALL_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
ROOM_ID: Final = re.compile(r"CON-[0-9A-Za-z-]{1,64}")
KEY: Final = re.compile(r"[0-9]")
KEYS: Final = re.compile(r"[0-9*#]{1,20}")


class MalformedWebhook(Exception):
    """The body is not one that the platform sends. The text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class AnsweredCall:
    """The platform asks what to do with a call: its id, room, both numbers in E.164, and where to control it.

    `caller` is None when it was withheld or is not a number that anybody could have. `at` is the platform's time, if it told one.
    """

    call_id: str
    room_id: str
    caller: str | None
    dialled: str
    region_url: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CallEvent:
    """Something that happened to a leg. `call_id` is empty for events about a room or an error.

    `status` is the platform's word, or `transfer` or `error` for the two kinds of event that carry none. `source_id` is
    the same for every delivery of the same event: nothing promises that it comes once. Without a time, it is made of
    what the event tells.
    """

    status: str
    call_id: str
    room_id: str
    at: datetime
    direction: str
    detail: str
    caller: str | None
    dialled: str | None
    source_id: str

    @property
    def is_terminal(self) -> bool:
        """Whether the leg is over."""
        return self.status in TERMINAL_STATUSES


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One reading of what was said, and how sure the recogniser is of it, from 0 to 1."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class CallInput:
    """What the caller said or keyed after being asked. Both may be empty: then nothing was said.

    `hypotheses` come best first. `is_failure` means that the recogniser failed, not that the caller was silent. `dialled` is None
    when the platform did not say which number the call is to.
    """

    call_id: str
    hypotheses: tuple[Hypothesis, ...]
    digits: str
    is_failure: bool
    at: datetime
    source_id: str
    caller: str | None = None
    dialled: str | None = None


@dataclass(frozen=True, slots=True)
class RecordingNews:
    """A recording of a room is finished, or was written down. `status` is `recorded`, or the platform's word on the writing-down.

    `seconds` is None when the platform did not say when the recording began and ended. `url` is where the file or the text is.
    """

    recording_id: str
    room_id: str
    status: str
    at: datetime
    seconds: int | None
    began_at: datetime
    url: str = ""


@dataclass(frozen=True, slots=True)
class OriginalRequest:
    """A webhook that failed: the address that it went to, and its body."""

    url: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ReceivedText:
    """A text message that reached a number of ours; both numbers in E.164. `kind` is `text`, `image` and so on."""

    message_id: str
    sender: str
    to: str
    text: str
    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TextStatus:
    """What became of a text message that we sent: its id here (`reference`) and there; `problem` is the network's word."""

    message_id: str
    reference: str
    status: str
    problem: str


def parse_body(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`. Raises MalformedWebhook when it is too large, too deep, or no JSON object."""
    if len(raw) > MAX_BODY_BYTES:
        raise MalformedWebhook("the body is larger than 64 KiB")
    try:
        body = json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedWebhook("the body is not JSON") from error
    if not isinstance(body, dict):
        raise MalformedWebhook("the body is not a JSON object")
    storable: dict[str, Any] = _storable(body, MAX_NESTING)
    return storable


def without_secrets(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body as it may be kept: a dot for each key that was pressed and for each digit that was said or written.

    They may be pieces of a card's number, its security code, or a code that opens a chat.
    """
    kept = dict(body)
    if "dtmf" in kept:
        kept["dtmf"] = _changed(kept["dtmf"], lambda text: KEY.sub(MASK, text))
    if isinstance(kept.get("speech"), dict) and "results" in kept["speech"]:
        kept["speech"] = kept["speech"] | {"results": _changed(kept["speech"]["results"], hide_digits)}
    if "text" in kept:
        kept["text"] = _changed(kept["text"], hide_digits)
    return kept


def parse_answer(body: Mapping[str, Any]) -> AnsweredCall:
    """The call to be answered. Raises MalformedWebhook without a call id or a dialled number."""
    dialled = phone_number(body.get("to"))
    if dialled is None:
        raise MalformedWebhook("the dialled number is not a phone number")
    return AnsweredCall(
        call_id=_call_id(body),
        room_id=_room_id(body.get("conversation_uuid")),
        caller=phone_number(body.get("from")),
        dialled=dialled,
        region_url=_text(body.get("region_url"), 200),
        at=known_time(body.get("timestamp")),
    )


def parse_event(body: Mapping[str, Any]) -> CallEvent:
    """An event about a leg or a room. Machine detection names the leg `call_uuid`; a transfer and an error have no status.

    Raises MalformedWebhook when it says neither what happened nor why.
    """
    leg = body.get("uuid") or body.get("call_uuid") or ""
    status = _text(body.get("status"), 40).lower()
    if not status and "reason" in body:
        status = "error"
    elif not status and "conversation_uuid_to" in body:
        status = "transfer"
    if not status:
        raise MalformedWebhook("the event says neither a status nor a reason")
    call_id = leg if isinstance(leg, str) and CALL_ID.fullmatch(leg) else ""
    room_id = _room_id(body.get("conversation_uuid") or body.get("conversation_uuid_to"))
    at = known_time(body.get("timestamp"))
    detail = _text(body.get("detail") or body.get("sub_state") or body.get("reason") or body.get("disconnected_by"), 200)
    return CallEvent(
        status=status,
        call_id=call_id,
        room_id=room_id,
        at=at or datetime.now(UTC),
        direction=_text(body.get("direction"), 10),
        detail=detail,
        caller=phone_number(body.get("from")),
        dialled=phone_number(body.get("to")),
        source_id=f"voice:{call_id or room_id}:{status}:{at.isoformat() if at else detail}",
    )


def parse_input(body: Mapping[str, Any], *, token_id: str) -> CallInput:
    """What was said or keyed. Keys win over speech, as on the platform. Raises MalformedWebhook without a call id.

    A repetition is known by call and time; without a time, by the token that signed it.
    """
    speech = _mapping(body.get("speech"))
    digits = _digits(body.get("dtmf"))
    hypotheses = () if digits else _hypotheses(speech.get("results"))
    return CallInput(
        call_id=_call_id(body),
        hypotheses=hypotheses,
        digits=digits,
        is_failure=bool(speech.get("error")) and not digits and not hypotheses,
        at=known_time(body.get("timestamp")) or datetime.now(UTC),
        source_id=f"voice:{_call_id(body)}:{_text(body.get('timestamp'), 40) or token_id}",
        caller=phone_number(body.get("from")),
        dialled=phone_number(body.get("to")),
    )


def parse_recording(body: Mapping[str, Any]) -> RecordingNews:
    """A recording that is finished, or the text of one. Neither names a leg. Raises MalformedWebhook without a recording or a room.

    Source: Vonage, "Voice webhook reference" and "Recording".
    """
    recording, room_id = body.get("recording_uuid"), _room_id(body.get("conversation_uuid"))
    if not isinstance(recording, str) or not CALL_ID.fullmatch(recording) or not room_id:
        raise MalformedWebhook("the body names no recording of a call")
    began_at, ended_at = known_time(body.get("start_time")), known_time(body.get("end_time"))
    at = known_time(body.get("timestamp")) or ended_at or datetime.now(UTC)
    return RecordingNews(
        recording_id=recording,
        room_id=room_id,
        status=_text(body.get("status"), 40).lower() or "recorded",
        at=at,
        seconds=max(0, round((ended_at - began_at).total_seconds())) if began_at and ended_at else None,
        began_at=began_at or at,
        url=_text(body.get("recording_url") or body.get("transcription_url"), 500),
    )


def parse_notification(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an NCCO had the platform notify us of: the `payload` of its action. Raises MalformedWebhook when there is none."""
    payload = body.get("payload")
    if not isinstance(payload, dict):
        raise MalformedWebhook("the notification has no payload")
    return payload


def parse_fallback(body: Mapping[str, Any]) -> OriginalRequest:
    """The webhook that failed, as a fallback request repeats it. Raises MalformedWebhook when it does not say which that was.

    Source: Vonage, "Voice webhook reference": the original fields, with `reason` and `original_request` (`url`, `type`) added.
    """
    original = body.get("original_request")
    if not isinstance(original, dict) or not isinstance(original.get("url"), str):
        raise MalformedWebhook("the body names no original request")
    return OriginalRequest(original["url"], {key: value for key, value in body.items() if key not in ("reason", "original_request")})


def body_of_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the platform's list says of a call, in the shape of the event that would have told it.

    Source: Vonage, "Voice API reference": the call object; its times name no zone and are UTC. Raises MalformedWebhook when it
    names no call or no status.
    """
    status = _text(record.get("status"), 40).lower()
    if not status:
        raise MalformedWebhook("the record names no status")
    ended_at = record.get("end_time") or record.get("start_time")
    body = {
        "uuid": _call_id(record),
        "conversation_uuid": _room_id(record.get("conversation_uuid")),
        "status": status,
        "direction": _text(record.get("direction"), 10),
        "from": (number_of(record.get("from")) or "").removeprefix("+"),
        "to": (number_of(record.get("to")) or "").removeprefix("+"),
        **({"timestamp": ended_at} if known_time(ended_at) else {}),
        **{name: record[name] for name in ("start_time", "end_time", "duration", "price") if isinstance(record.get(name), str)},
    }
    return {name: value for name, value in body.items() if value}


def number_of(end: object) -> str | None:
    """The phone number of one end of a call in the platform's list, which is an object; None when that is no phone."""
    return phone_number(end.get("number")) if isinstance(end, dict) else phone_number(end)


def address_of(end: object) -> str | None:
    """The same, or the SIP address where that end is one."""
    return _text(end["uri"], 200) or None if isinstance(end, dict) and "uri" in end else number_of(end)


def parse_text(body: Mapping[str, Any]) -> ReceivedText:
    """A text message; `sender` is empty where a name or a short code sent it, which nobody can answer.

    Raises MalformedWebhook without an id, a sender or a number of ours. Source: Vonage, "Messages API webhook reference".
    """
    sender, to, message_id = phone_number(body.get("from")) or "", phone_number(body.get("to")), _text(body.get("message_uuid"), 64)
    if to is None or not message_id or not (sender or _text(body.get("from"), 64)):
        raise MalformedWebhook("the text message has no id, no sender, or a number that is none")
    kind, at = _text(body.get("message_type"), 20) or "text", known_time(body.get("timestamp")) or datetime.now(UTC)
    return ReceivedText(message_id, sender, to, _text(body.get("text"), MAX_SPOKEN_CHARACTERS), kind, at)


def parse_text_status(body: Mapping[str, Any]) -> TextStatus:
    """What became of a text message. Raises MalformedWebhook without an id or a status. Source: as for `parse_text`."""
    message_id, status = _text(body.get("message_uuid"), 64), _text(body.get("status"), 20)
    if not message_id or not status:
        raise MalformedWebhook("the status is of no text message")
    error = _mapping(body.get("error"))
    problem = " ".join(filter(None, [_text(error.get("title"), 40), _text(error.get("detail"), 80)]))
    return TextStatus(message_id, _text(body.get("client_ref"), 64), status, problem)


def phone_number(value: object) -> str | None:
    """A number as the platform writes it (digits, no plus) in E.164, or None when it cannot be one."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        return None
    digits = str(value).strip().removeprefix("+").removeprefix("00")
    if not re.fullmatch(r"[1-9][0-9]{6,14}", digits):
        return None
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return None
    return f"+{digits}" if phonenumbers.is_possible_number(number) else None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _storable(value: Any, depth: int) -> Any:
    """`value` as PostgreSQL can store it: without null bytes, lone surrogates and endless numbers, not too deep."""
    if depth == 0:
        raise MalformedWebhook("the body is nested too deeply")
    if isinstance(value, float) and not math.isfinite(value):
        raise MalformedWebhook("the body holds a number without end")
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_storable(each, depth - 1) for each in value]
    if isinstance(value, dict):
        return {_storable(key, 1): _storable(each, depth - 1) for key, each in value.items()}
    return value


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with every text and number in it changed, but for how sure the recogniser is."""
    if isinstance(value, list):
        return [_changed(each, change) for each in value]
    if isinstance(value, dict):
        return {key: each if key == "confidence" else _changed(each, change) for key, each in value.items()}
    if isinstance(value, bool) or value is None:
        return value
    changed = change(str(value))
    return value if changed == str(value) else changed


def _call_id(body: Mapping[str, Any]) -> str:
    value = body.get("uuid")
    if not isinstance(value, str) or not CALL_ID.fullmatch(value):
        raise MalformedWebhook("the body names no call")
    return value


def _room_id(value: object) -> str:
    return value if isinstance(value, str) and ROOM_ID.fullmatch(value) else ""


def _text(value: object, longest: int) -> str:
    return value.strip()[:longest] if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _digits(dtmf: object) -> str:
    """The keys pressed. Older payloads give the digits directly, newer ones an object."""
    value = dtmf.get("digits") if isinstance(dtmf, dict) else dtmf
    return value if isinstance(value, str) and KEYS.fullmatch(value) else ""


def _hypotheses(results: object) -> tuple[Hypothesis, ...]:
    found = []
    for result in results if isinstance(results, list) else []:
        text = _text(_mapping(result).get("text"), MAX_SPOKEN_CHARACTERS)
        if text:
            found.append(Hypothesis(text, _confidence(_mapping(result).get("confidence"))))
    return tuple(found[:MAX_HYPOTHESES])


def _confidence(value: object) -> float:
    """Sent as text by the platform today and as a number in the past; 0 when it is neither."""
    try:
        number = float(value) if isinstance(value, str | int | float) else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return number if 0 <= number <= 1 else 0.0
