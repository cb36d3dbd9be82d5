"""Moves legs on: runs their call control objects, takes what happens to them, sends their webhooks.

Nothing waits inside: a leg is advanced as far as it can go now, and again when something happened or time has passed.
Whoever asks may do it, in any process; a lock in Valkey lets one at a time.
"""

import html
import re
import time
from typing import Any, Final

from conversations.rendering import spoken
from conversations.voice.simulator import legs, posting
from conversations.voice.simulator.checking import InvalidNcco, checked
from conversations.voice.simulator.exchange import Exchange, Happening, Leg

STREAM_SECONDS: Final = 3.0
WAIT_SECONDS: Final = 10.0
SILENCE_SECONDS: Final = 10.0
KEY_SECONDS: Final = 3.0
SPEAKING_SECONDS: Final = 30.0
MAX_STEPS: Final = 200
USUAL_CONFIDENCE: Final = 0.93
TAGS: Final = re.compile(r"<[^>]*>")


async def advance(exchange: Exchange, leg_id: str) -> None:
    """Move a leg on as far as it goes now, and every leg that this touches."""
    waiting = [leg_id]
    for _round in range(MAX_STEPS):
        if not waiting:
            return
        current = waiting.pop(0)
        async with exchange.only_one(current) as mine:
            leg = await exchange.leg(current) if mine else None
            if leg is None:
                continue
            line = Line(exchange, leg)
            await line.advance()
            waiting += sorted(line.touched)
        if await exchange.has_happenings(current):
            waiting.append(current)


class Line:
    """One leg in the hands of the one who holds its lock."""

    def __init__(self, exchange: Exchange, leg: Leg) -> None:
        self.exchange = exchange
        self.leg = leg
        self.touched: set[str] = set()

    async def advance(self) -> None:
        """Take all that happened, in order, and run what is due after each."""
        await self._run_what_is_due()
        while happening := await self.exchange.next_happening(self.leg["uuid"]):
            if self.leg["phase"] != "ended":
                await self._take(happening)
                await self.exchange.save(self.leg)
            await self._run_what_is_due()

    async def _run_what_is_due(self) -> None:
        for _step in range(MAX_STEPS):
            before = str(self.leg)
            moved = await self._step()
            if str(self.leg) != before:
                await self.exchange.save(self.leg)
            if not moved:
                return

    async def _step(self) -> bool:
        leg = self.leg
        if legs.has_events_to_send(leg):
            await legs.send_next_event(self.exchange, leg)
            return True
        if leg["phase"] == "new":
            return self._ring()
        if leg["phase"] == "asking":
            return await self._ask()
        if leg["phase"] == "ringing" and time.time() >= leg["ring_until"]:
            await self._end("timeout")
            return True
        return leg["phase"] == "running" and await self._run_action()

    def _ring(self) -> bool:
        legs.note_event(self.leg, "started")
        legs.note_event(self.leg, "ringing")
        self.leg["phase"] = "asking" if self.leg["direction"] == "inbound" else "ringing"
        return True

    async def _ask(self) -> bool:
        try:
            ncco = await legs.ask_what_to_do(self.leg)
        except posting.WebhookFailed as error:
            await self._write("status", f"No answer: {error}.")
            await self._end("failed", detail="internal_error")
            return True
        if self.leg["answered_at"] is None:
            self._answered()
        self.leg["phase"] = "running"
        await self._replace(ncco or [])
        return True

    def _answered(self) -> None:
        self.leg["answered_at"] = time.time()
        self.leg["phase"] = "running"
        legs.note_event(self.leg, "answered", start_time=None, rate=None, network=None)

    async def _replace(self, ncco: object) -> None:
        """Run `ncco` instead of what the leg is doing; end the call with an error event when it cannot be run."""
        await self._leave()
        self.leg["action"] = None
        try:
            self.leg["ncco"] = checked(ncco)
        except InvalidNcco as error:
            self.leg["events"].append({"reason": str(error), "conversation_uuid": self.leg["room"], "timestamp": legs.now_text()})
            await self._write("status", str(error))
            await self._end("completed", disconnected_by="platform")

    async def _run_action(self) -> bool:
        action = self.leg["action"]
        if action is None:
            if self.leg["ncco"]:
                await self._begin(self.leg["ncco"].pop(0))
            else:
                await self._end("completed", disconnected_by="platform")
            return True
        if action["name"] == "posting":
            await self._post(action)
            return True
        if action["name"] == "input":
            return self._is_input_over(action)
        if time.time() >= action.get("until", float("inf")):
            self.leg["action"] = None
            return True
        return False

    async def _begin(self, asked: dict[str, Any]) -> None:
        name = asked["action"]
        if name == "talk":
            words = html.unescape(TAGS.sub(" ", asked["text"])).strip()
            await self._write("company", " ".join(words.split()))
            self._timed(name, spoken.seconds_to_say(words), barge_in=asked.get("bargeIn", False))
        elif name == "stream":
            self._timed(name, STREAM_SECONDS if asked.get("loop", 1) else SPEAKING_SECONDS * 1_000, barge_in=asked.get("bargeIn", False))
        elif name == "wait":
            self._timed(name, asked.get("timeout", WAIT_SECONDS))
        elif name == "input":
            await self._begin_input(asked)
        elif name == "notify":
            payload = {"conversation_uuid": self.leg["room"], "payload": asked["payload"], "timestamp": legs.now_text()}
            self.leg["action"] = {"name": "posting", "url": asked["eventUrl"][0], "payload": payload}
        elif name == "connect" and asked["endpoint"][0]["type"] != "phone":
            await self._write("status", "Only phones can be rung here.")
        elif name == "connect":
            await self._begin_connect(asked)
        elif name == "conversation":
            await self._begin_room(asked)

    def _timed(self, name: str, seconds: float, *, barge_in: bool = False) -> None:
        self.leg["action"] = {
            "name": name,
            "until": time.time() + seconds / self.leg["options"]["speed"],
            "barge_in": barge_in,
        }

    async def _begin_input(self, asked: dict[str, Any]) -> None:
        options = self.leg["options"]
        seconds = (asked.get("speech") or {}).get("startTimeout", SILENCE_SECONDS)
        if "speech" not in asked["type"]:
            seconds = (asked.get("dtmf") or {}).get("timeOut", KEY_SECONDS)
        self.leg["action"] = {
            "name": "input",
            "types": asked["type"],
            "url": (asked.get("eventUrl") or [self.leg["event_url"]])[0],
            "dtmf": asked.get("dtmf") or {},
            "digits": "",
            "until": time.time() + seconds * options["patience"] / options["speed"],
        }
        waiting, self.leg["unheard"] = self.leg["unheard"], []
        for happening in waiting:
            await self._take(happening)

    def _is_input_over(self, action: dict[str, Any]) -> bool:
        if time.time() < action["until"]:
            return False
        self._finish_input(timed_out=True)
        return True

    def _finish_input(self, *, text: str = "", confidence: float = USUAL_CONFIDENCE, timed_out: bool = False) -> None:
        """Turn what was said or keyed into the webhook's body; posting it is the next step."""
        action = self.leg["action"]
        payload = legs.about(self.leg)
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
        self.leg["action"] = {"name": "posting", "url": action["url"], "payload": payload}

    async def _post(self, action: dict[str, Any]) -> None:
        """Send the input webhook; its answer replaces what is left to do, an empty or failed one changes nothing."""
        await self.exchange.save(self.leg)
        try:
            ncco = await posting.post_or_fall_back(action["url"], action["payload"], kind="event")
        except posting.WebhookFailed as error:
            await self._write("status", f"Input: {error}.")
            ncco = None
        self.leg["action"] = None
        if ncco:
            await self._replace(ncco)

    async def _begin_connect(self, asked: dict[str, Any]) -> None:
        other = await legs.dial_out(
            self.exchange,
            caller=str(asked.get("from", self.leg["to"])),
            dialled=asked["endpoint"][0]["number"],
            ncco=[],
            event_url=(asked.get("eventUrl") or [None])[0],
            ring_seconds=asked.get("timeout", legs.DEFAULT_RING_SECONDS),
            peer=self.leg,
        )
        self.leg["peer"] = other["uuid"]
        self.leg["action"] = {"name": "connect", "talking": False}
        self.touched.add(other["uuid"])
        await self._write("status", "Ringing another phone.")

    async def _begin_room(self, asked: dict[str, Any]) -> None:
        room, leg_id = asked["name"], self.leg["uuid"]
        self.leg["action"] = {"name": "room", "room": room, "end_on_exit": asked.get("endOnExit", False)}
        await self.exchange.enter_room(room, leg_id)
        if asked.get("startOnEnter", True):
            await self.exchange.open_room(room)
            for other in await self.exchange.others_in_room(room, leg_id):
                await self._tell(other, {"do": "hear", "who": "status", "text": "Connected."})
        is_open = await self.exchange.room_is_open(room)
        await self._write("status", "Connected." if is_open else "Waiting for somebody to join.")

    async def _take(self, happening: Happening) -> None:
        await getattr(self, f"_on_{happening['do']}")(happening)

    async def _on_say(self, happening: Happening) -> None:
        action = self.leg["action"]
        name = action["name"] if action else ""
        if name in ("connect", "room"):
            await self._speak_to_others(happening["text"])
        elif name == "input" and "speech" in action["types"] and not action["digits"]:
            await self._write("me", happening["text"])
            self._finish_input(text=happening["text"], confidence=happening.get("confidence", USUAL_CONFIDENCE))
        elif await self._is_cut_short():
            await self._on_say(happening)
        else:
            self.leg["unheard"].append(happening)

    async def _on_key(self, happening: Happening) -> None:
        action = self.leg["action"]
        if action and action["name"] == "input" and "dtmf" in action["types"]:
            await self._press(action, happening["digit"])
        elif await self._is_cut_short():
            await self._on_key(happening)
        elif not action or action["name"] not in ("connect", "room"):
            self.leg["unheard"].append(happening)

    async def _press(self, action: dict[str, Any], digit: str) -> None:
        submits = digit == "#" and action["dtmf"].get("submitOnHash", False)
        if not submits:
            action["digits"] += digit
        await self._write("me", f"[{digit}]")
        action["until"] = time.time() + action["dtmf"].get("timeOut", KEY_SECONDS) / self.leg["options"]["speed"]
        if submits or len(action["digits"]) >= action["dtmf"].get("maxDigits", 4):
            self._finish_input()

    async def _is_cut_short(self) -> bool:
        """Whether the prompt that is being said may be interrupted, and now is: listening has begun."""
        action = self.leg["action"]
        if not action or not action.get("barge_in"):
            return False
        while self.leg["ncco"] and self.leg["ncco"][0]["action"] != "input":
            self.leg["ncco"].pop(0)
        if not self.leg["ncco"]:
            return False
        await self._begin(self.leg["ncco"].pop(0))
        return True

    async def _on_speaking(self, happening: Happening) -> None:
        """Somebody has begun to speak or type, so this is no silence."""
        action = self.leg["action"]
        if action and action["name"] == "input" and not action["digits"]:
            action["until"] = max(action["until"], time.time() + SPEAKING_SECONDS)

    async def _on_hear(self, happening: Happening) -> None:
        await self._write(happening["who"], happening["text"])

    async def _on_hang_up(self, happening: Happening) -> None:
        if self.leg["answered_at"] is None and self.leg["direction"] == "inbound":
            await self._end("cancelled")
        else:
            await self._end("completed", disconnected_by=happening.get("by", "user"))

    async def _on_answer(self, happening: Happening) -> None:
        if self.leg["phase"] != "ringing":
            return
        self._answered()
        if self.leg["peer"]:
            self.leg["action"] = {"name": "connect", "talking": True}
            await self._write("status", "Connected.")
            await self._tell(self.leg["peer"], {"do": "peer_answered"})
        elif self.leg["answer_url"]:
            self.leg["phase"] = "asking"
        else:
            await self._replace(self.leg["ncco"])

    async def _on_machine(self, happening: Happening) -> None:
        """An answering machine picks up, or beeps when it has picked up already. Source: Vonage, "Advanced machine detection"."""
        if self.leg["phase"] == "ringing":
            await self._on_answer(happening)
            self._note_machine()
            if self.leg["on_machine"] == "hangup":
                await self._end("completed", disconnected_by="platform")
        elif self.leg["phase"] == "running":
            self._note_machine(sub_state="beep_start")

    def _note_machine(self, **extra: Any) -> None:
        """The event names its leg otherwise than all others."""
        if self.leg["on_machine"]:
            event = legs.about(self.leg) | {"status": "machine", "direction": self.leg["direction"]} | extra
            event["call_uuid"] = event.pop("uuid")
            self.leg["events"].append(event)

    async def _on_busy(self, happening: Happening) -> None:
        if self.leg["phase"] == "ringing":
            await self._end("busy", sip_code=486)

    async def _on_decline(self, happening: Happening) -> None:
        if self.leg["phase"] == "ringing":
            await self._end("rejected", detail="declined", sip_code=603)

    async def _on_transfer(self, happening: Happening) -> None:
        moved_from, self.leg["room"] = self.leg["room"], legs.new_leg(caller="", dialled="", direction="")["room"]
        event = legs.about(self.leg)
        event |= {"conversation_uuid_from": moved_from, "conversation_uuid_to": event.pop("conversation_uuid")}
        self.leg["events"].append(event)
        await self._replace(happening["ncco"])

    async def _on_peer_answered(self, happening: Happening) -> None:
        if self.leg["action"] and self.leg["action"]["name"] == "connect":
            self.leg["action"]["talking"] = True
            await self._write("status", "Connected.")

    async def _on_peer_ended(self, happening: Happening) -> None:
        action = self.leg["action"]
        if not action or action["name"] != "connect":
            return
        self.leg["peer"] = None
        if action["talking"]:
            await self._end("completed", disconnected_by="platform")
        else:
            self.leg["action"] = None

    async def _speak_to_others(self, text: str) -> None:
        action = self.leg["action"]
        await self._write("me", text)
        if action["name"] == "connect":
            others = [self.leg["peer"]] if action["talking"] else []
        elif await self.exchange.room_is_open(action["room"]):
            others = await self.exchange.others_in_room(action["room"], self.leg["uuid"])
        else:
            others = []
        for other in others:
            await self._tell(other, {"do": "hear", "who": "other", "text": text})

    async def _leave(self) -> None:
        """Leave the room or the other leg that this one is talking to."""
        action, leg_id = self.leg["action"], self.leg["uuid"]
        if action and action["name"] == "room":
            others = await self.exchange.others_in_room(action["room"], leg_id)
            await self.exchange.leave_room(action["room"], leg_id)
            for other in others:
                await self._tell(other, {"do": "hear", "who": "status", "text": "The other person left."})
                if action["end_on_exit"]:
                    await self._tell(other, {"do": "hang_up", "by": "platform"})
        peer, self.leg["peer"] = self.leg["peer"], None
        if peer:
            await self._tell(peer, {"do": "peer_ended"} if self.leg["direction"] == "outbound" else {"do": "hang_up", "by": "platform"})

    async def _end(self, status: str, **extra: Any) -> None:
        await self._leave()
        legs.note_end(self.leg, status, **extra)
        await self.exchange.forget(self.leg["uuid"])
        await self._write("status", "Call ended.")

    async def _tell(self, leg_id: str, happening: Happening) -> None:
        await self.exchange.tell(leg_id, happening)
        self.touched.add(leg_id)

    async def _write(self, who: str, text: str) -> None:
        await self.exchange.write_line(self.leg["uuid"], who, text)
