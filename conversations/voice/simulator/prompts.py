"""What the platform plays: words, audio and tones, by an action or beside it by a REST request; notes; pauses."""

import html
import re
import time
from typing import Any, Final

from conversations.rendering import spoken
from conversations.voice.simulator import legs, recording
from conversations.voice.simulator.exchange import Happening
from conversations.voice.simulator.line import Line

STREAM_SECONDS: Final = 3.0
WAIT_SECONDS: Final = 10.0
TAGS: Final = re.compile(r"<[^>]*>")


async def begin_talk(line: Line, asked: dict[str, Any]) -> None:
    """`talk`: a voice says the words, as often as asked."""
    words = words_of(asked["text"])
    await line.write("company", words)
    await recording.note_said(line, words, by_company=True)
    line.begin_timed("talk", _looped(spoken.seconds_to_say(words), asked), barge_in=asked.get("bargeIn", False))


async def begin_stream(line: Line, asked: dict[str, Any]) -> None:
    """`stream`: audio is played."""
    await line.write("status", f"Plays {asked['streamUrl'][0]}")
    line.begin_timed("stream", _looped(STREAM_SECONDS, asked), barge_in=asked.get("bargeIn", False))


async def begin_wait(line: Line, asked: dict[str, Any]) -> None:
    """`wait`: nothing is heard."""
    line.begin_timed("wait", asked.get("timeout", WAIT_SECONDS))


async def begin_notify(line: Line, asked: dict[str, Any]) -> None:
    """`notify`: the application is told that the call has come this far."""
    payload = {"conversation_uuid": line.leg["room"], "payload": asked["payload"], "timestamp": legs.now_text()}
    line.begin_posting(asked["eventUrl"][0], payload)


async def on_play(line: Line, happening: Happening) -> None:
    """Words or audio are played into the leg beside what it is doing; the last asked for replaces the one before."""
    if happening["kind"] == "talk":
        words = words_of(happening["text"])
        await line.write("company", words)
        await recording.note_said(line, words, by_company=True)
        seconds = spoken.seconds_to_say(words)
    else:
        await line.write("status", f"Plays {happening['text']}")
        seconds = STREAM_SECONDS
    line.leg["beside"] = {"kind": happening["kind"], "until": line.in_seconds(_looped(seconds, happening))}


async def on_stop_playing(line: Line, happening: Happening) -> None:
    """What is played beside is cut short."""
    if is_playing(line, happening["kind"]):
        await line.write("status", "Stopped.")
        line.leg["beside"] = None


async def on_tones(line: Line, happening: Happening) -> None:
    """The platform presses keys, as it does for another company's menu."""
    await line.write("company", f"[{happening['digits']}]")


async def on_hear(line: Line, happening: Happening) -> None:
    """Somebody on another leg spoke, or joined, or left."""
    more = {name: happening[name] for name in ("speaker", "leg") if name in happening}
    await line.write(happening["who"], happening["text"], **more)
    if line.leg["endpoint"]["type"] == "websocket" and happening["who"] == "other":
        await line.exchange.to_socket(line.leg["uuid"], {"speech_seconds": spoken.seconds_to_say(happening["text"])})


def is_playing(line: Line, kind: str) -> bool:
    """Whether words (`talk`) or audio (`stream`) are being played beside what the leg is doing."""
    beside = line.leg["beside"]
    return bool(beside) and beside["kind"] == kind and time.time() < beside["until"]


def words_of(text: str) -> str:
    """What is heard of a text with tags."""
    return " ".join(html.unescape(TAGS.sub(" ", text)).split())


def _looped(seconds: float, asked: dict[str, Any]) -> float:
    """Nothing ends what is to be repeated for ever."""
    loops = asked.get("loop", 1)
    return seconds * loops if loops else legs.LONGEST_SECONDS
