"""`input`: what is said or keyed, at once or over a prompt; and keys that are sent one by one while the call goes on."""

import time
from typing import Any, Final

from conversations.voice.simulator import legs, recording, together
from conversations.voice.simulator.exchange import Happening
from conversations.voice.simulator.line import Line

SILENCE_SECONDS: Final = 10.0
KEY_SECONDS: Final = 3.0
KEY_MILLISECONDS: Final = 260
SPEAKING_SECONDS: Final = 30.0
MOST_KEYS: Final = 4
USUAL_CONFIDENCE: Final = 0.93


async def begin_input(line: Line, asked: dict[str, Any]) -> None:
    """Listen; what was said or keyed before counts. `mode: asynchronous`: keys are sent from now on, and the call goes on."""
    leg = line.leg
    url = (asked.get("eventUrl") or [leg["event_url"]])[0]
    if asked.get("mode") == "asynchronous":
        leg["keys_url"] = url
        return
    seconds = (asked.get("speech") or {}).get("startTimeout", SILENCE_SECONDS)
    if "speech" not in asked["type"]:
        seconds = (asked.get("dtmf") or {}).get("timeOut", KEY_SECONDS)
    leg["action"] = {
        "name": "input",
        "types": asked["type"],
        "url": url,
        "dtmf": asked.get("dtmf") or {},
        "digits": "",
        "until": line.in_seconds(seconds * leg["options"]["patience"]),
    }
    waiting, leg["unheard"] = leg["unheard"], []
    for happening in waiting:
        await (on_say if happening["do"] == "say" else on_key)(line, happening)


def is_input_over(line: Line) -> bool:
    """Whether nobody said anything, or another key, in time; then the input is finished."""
    if time.time() < line.action["until"]:
        return False
    _finish(line, timed_out=True)
    return True


async def on_say(line: Line, happening: Happening) -> None:
    """The holder of the phone speaks: to others, to whoever listens, or over a prompt."""
    name = line.action.get("name", "")
    if name in ("connect", "room"):
        await together.speak(line, happening["text"])
    elif name == "input" and "speech" in line.action["types"] and not line.action["digits"]:
        await line.write("me", happening["text"])
        await recording.note_said(line, happening["text"])
        _finish(line, text=happening["text"], confidence=happening.get("confidence", USUAL_CONFIDENCE))
    elif name == "record":
        await line.write("me", happening["text"])
        await recording.note_said(line, happening["text"])
        recording.extend(line)
    elif await _is_cut_short(line):
        await on_say(line, happening)
    else:
        line.leg["unheard"].append(happening)


async def on_key(line: Line, happening: Happening) -> None:
    """A key is pressed."""
    for socket in await together.sockets_of(line):
        await line.exchange.to_socket(socket, {"event": "websocket:dtmf", "digit": happening["digit"], "duration": KEY_MILLISECONDS})
    if line.leg["keys_url"]:
        await _send_key(line, happening["digit"])
    elif line.action.get("name") == "record" and happening["digit"] in line.action["end_key"]:
        await line.write("me", f"[{happening['digit']}]")
        line.action["until"] = 0.0
    elif line.action.get("name") == "input" and "dtmf" in line.action["types"]:
        await _press(line, happening["digit"])
    elif await _is_cut_short(line):
        await on_key(line, happening)
    elif line.action.get("name") not in ("connect", "room"):
        line.leg["unheard"].append(happening)


async def on_speaking(line: Line, happening: Happening) -> None:
    """Somebody has begun to speak or type, so this is no silence."""
    action = line.action
    if action.get("name") == "input" and not action["digits"]:
        action["until"] = max(action["until"], time.time() + SPEAKING_SECONDS)


async def on_listen_for_keys(line: Line, happening: Happening) -> None:
    """A REST request: keys are sent one by one to this address from now on, or, without one, no longer."""
    line.leg["keys_url"] = happening["url"]


async def _send_key(line: Line, digit: str) -> None:
    """One webhook for each key. Source: Vonage, "NCCO reference", `input` with the mode `asynchronous`."""
    await line.write("me", f"[{digit}]")
    payload = legs.about(line.leg) | {"dtmf": {"digits": digit, "timed_out": False}}
    legs.queue(line.leg, payload, url=line.leg["keys_url"])


async def _press(line: Line, digit: str) -> None:
    action = line.action
    submits = digit == "#" and action["dtmf"].get("submitOnHash", False)
    if not submits:
        action["digits"] += digit
    await line.write("me", f"[{digit}]")
    action["until"] = line.in_seconds(action["dtmf"].get("timeOut", KEY_SECONDS))
    if submits or len(action["digits"]) >= action["dtmf"].get("maxDigits", MOST_KEYS):
        _finish(line)


async def _is_cut_short(line: Line) -> bool:
    """Whether the prompt that is being said may be interrupted, and now is: listening has begun."""
    leg = line.leg
    if not line.action.get("barge_in"):
        return False
    while leg["ncco"] and leg["ncco"][0]["action"] != "input":
        leg["ncco"].pop(0)
    if not leg["ncco"]:
        return False
    await begin_input(line, leg["ncco"].pop(0))
    return True


def _finish(line: Line, *, text: str = "", confidence: float = USUAL_CONFIDENCE, timed_out: bool = False) -> None:
    """Turn what was said or keyed into the webhook's body; posting it is the next step."""
    action = line.action
    payload = legs.about(line.leg)
    if "speech" in action["types"]:
        if action["digits"]:
            payload["speech"] = {"error": "Speech overridden by DTMF"}
        elif text:
            results = [{"text": text, "confidence": f"{confidence:.7f}"}]
            payload["speech"] = {"timeout_reason": "end_on_silence_timeout", "results": results}
        else:
            payload["speech"] = {"timeout_reason": "start_timeout", "results": []}
    if "dtmf" in action["types"]:
        payload["dtmf"] = {"digits": action["digits"] or None, "timed_out": timed_out}
    line.begin_posting(action["url"], payload)
