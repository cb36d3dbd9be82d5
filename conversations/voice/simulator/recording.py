"""`record`, and `conversation` with `record`: what was said is kept, told of when it is over, and written down when asked.

Source: Vonage, "NCCO reference", `record`; "Voice webhook reference", recordings and transcriptions. A recording by `record`
goes with its leg, until that ends, its time is over or a stop condition is met; one of a room lasts until nobody is in it.
The webhook comes afterwards, so it comes after `completed` when somebody has hung up, and names no leg.
"""

import time
import uuid
from datetime import UTC, datetime
from typing import Any, Final

from conversations.rendering import spoken
from conversations.voice.simulator import audio, legs
from conversations.voice.simulator.hearing import may_hear, speaks_to_all
from conversations.voice.simulator.line import Line

FILES: Final = "https://api.nexmo.com/v1/files/"
COMPANY: Final = "company"
STOPS: Final = ("endOnSilence", "endOnKey", "timeOut")
Recording = dict[str, Any]


async def begin_record(line: Line, asked: dict[str, Any]) -> None:
    """`record`: the call goes on beside it, unless a stop condition makes it wait."""
    recording = await _begin(line, asked, whole_room=False)
    line.leg["recordings"].append(recording["id"])
    if asked.get("beepStart"):
        await line.write("status", "Beep.")
    if any(stop in asked for stop in STOPS):
        longest = line.in_seconds(asked.get("timeOut", legs.LONGEST_SECONDS))
        silence = asked.get("endOnSilence")
        until = min(longest, line.in_seconds(silence * line.leg["options"]["patience"])) if silence else longest
        line.leg["action"] = {
            "name": "record", "recording": recording["id"], "until": until, "longest": longest,
            "silence": silence, "end_key": asked.get("endOnKey", ""),
        }  # fmt: skip


async def begin_room_recording(line: Line, asked: dict[str, Any]) -> None:
    """The room is recorded from now on, whoever comes and goes; once is enough."""
    if await line.exchange.room_recording(line.leg["room"]) is None:
        recording = await _begin(line, asked, whole_room=True)
        await line.exchange.keep_room_recording(line.leg["room"], recording["id"])


async def note_said(line: Line, text: str, *, by_company: bool = False) -> None:
    """What is said goes into every recording of the leg; what a person says also into those of the legs that hear it, and of the room."""
    leg = line.leg
    found = set(leg["recordings"])
    members = await line.exchange.members(leg["room"])
    if not by_company and leg["uuid"] in members:
        others = [await line.exchange.leg(other) for other in members if other != leg["uuid"]]
        found |= {each for other in others if other and may_hear(other, leg, members) for each in other["recordings"]}
        if speaks_to_all(leg, members):
            found |= {await line.exchange.room_recording(leg["room"])} - {None}
    said = {"speaker": COMPANY if by_company else leg["uuid"], "address": legs.address_of(leg), "text": text, "at": time.time()}
    for recording in found:
        await line.exchange.add_to_recording(recording, said)


def extend(line: Line) -> None:
    """Somebody speaks, so a recording that ends on silence goes on."""
    action = line.action
    if action["silence"]:
        action["until"] = min(action["longest"], line.in_seconds(action["silence"] * line.leg["options"]["patience"]))


async def stop(line: Line, recording_id: str) -> None:
    """A recording is over: its webhook is due, and after it the one that says it was written down."""
    leg = line.leg
    leg["recordings"] = [each for each in leg["recordings"] if each != recording_id]
    recording = await line.exchange.recording(recording_id)
    if recording is None or recording["ended_at"]:
        return
    recording["ended_at"] = time.time()
    await line.exchange.keep_recording(recording)
    due_at = line.in_seconds(leg["options"]["recording_after"])
    told = {
        "start_time": _moment(recording["began_at"]),
        "end_time": _moment(recording["ended_at"]),
        "recording_url": FILES + recording["id"],
        "size": audio.size(recording["format"], seconds_of(recording), recording["channels"]),
        "recording_uuid": recording["id"],
        "conversation_uuid": recording["room"],
        "timestamp": legs.now_text(),
    }
    legs.queue(leg, told, url=recording["event_url"], due_at=due_at)
    if recording["transcription"] is not None:
        written = {
            "conversation_uuid": recording["room"],
            "type": "record",
            "recording_uuid": recording["id"],
            "status": "transcribed",
            "transcription_url": FILES + recording["transcription_id"],
            "timestamp": legs.now_text(),
        }
        legs.queue(leg, written, url=recording["transcription_url"], due_at=due_at)


async def stop_all(line: Line) -> None:
    """The leg is over, and its recordings with it."""
    for recording_id in list(line.leg["recordings"]):
        await stop(line, recording_id)


async def stop_of_room(line: Line, room: str) -> None:
    """Nobody is in the room any more."""
    recording_id = await line.exchange.room_recording(room)
    if recording_id:
        await line.exchange.forget_room_recording(room)
        await stop(line, recording_id)


def seconds_of(recording: Recording) -> float:
    """How long a recording is, in seconds of the call."""
    return float(((recording["ended_at"] or time.time()) - recording["began_at"]) * recording["speed"])


def sound(recording: Recording, lines: list[dict[str, Any]]) -> bytes:
    """The recording as a file."""
    return audio.made(recording["format"], seconds_of(recording), recording["channels"], _tones(recording, lines))


def written_down(recording: Recording, lines: list[dict[str, Any]]) -> dict[str, Any]:
    """The transcription as a file: one list of sentences for each channel. Source: Vonage, "Recording", transcriptions."""
    channels: list[list[dict[str, Any]]] = [[] for _channel in range(recording["channels"])]
    tones = _tones(recording, lines)
    for line, (channel, since, lasts, _voice) in zip(lines, tones, strict=True):
        words = line["text"].split()
        step = lasts * 1_000 / max(1, len(words))
        sentence: dict[str, Any] = {
            "sentence": line["text"], "raw_sentence": " ".join(words).lower(),
            "timestamp": round(since * 1_000), "duration": round(lasts * 1_000),
            "words": [
                {
                    "word": word, "start_time": round(since * 1_000 + number * step),
                    "end_time": round(since * 1_000 + (number + 1) * step), "confidence": 0.93,
                }
                for number, word in enumerate(words)
            ],
        }  # fmt: skip
        if recording["transcription"].get("sentimentAnalysis"):
            sentence["sentiment"] = 0.0
        channels[channel].append(sentence)
    seconds = round(seconds_of(recording))
    return {
        "ver": "1.0.0",
        "request_id": recording["transcription_id"],
        "channels": [{"duration": seconds, "transcript": transcript} for transcript in channels],
    }


async def _begin(line: Line, asked: dict[str, Any], *, whole_room: bool) -> Recording:
    leg = line.leg
    channels = asked.get("channels", 2 if "split" in asked else 1)
    url = (asked.get("eventUrl") or [leg["event_url"]])[0]
    transcription = asked.get("transcription")
    recording = {
        "id": str(uuid.uuid4()),
        "transcription_id": str(uuid.uuid4()),
        "room": leg["room"],
        "first": leg["uuid"],
        "is_of_room": whole_room,
        "format": "wav" if channels > 2 else asked.get("format", "mp3"),
        "channels": channels,
        "event_url": url,
        "transcription": transcription,
        "transcription_url": ((transcription or {}).get("eventUrl") or [url])[0],
        "speed": leg["options"]["speed"],
        "began_at": time.time(),
        "ended_at": None,
    }
    await line.exchange.keep_recording(recording)
    await line.exchange.name_file(recording["transcription_id"], recording["id"])
    await line.write("status", "Recording.")
    return recording


def _tones(recording: Recording, lines: list[dict[str, Any]]) -> list[audio.Tone]:
    """When each line is heard, and in which channel: the first leg in the first, others after it, the last for all that are left."""
    voices: list[str] = [recording["first"]]
    tones = []
    for line in lines:
        if line["speaker"] not in voices:
            voices.append(line["speaker"])
        voice = voices.index(line["speaker"])
        since = max(0.0, (line["at"] - recording["began_at"]) * recording["speed"])
        tones.append((min(voice, recording["channels"] - 1), since, spoken.seconds_to_say(line["text"]), voice))
    return tones


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
