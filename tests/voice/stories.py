"""Ten call stories as the platform tells them: the webhooks of each, in the order in which things happened.

Bodies follow the examples of Vonage's "Voice webhook reference". Ids are new in each telling.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.voice.platform import COMPANY, SAM

BEGAN_AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
Told = tuple[str, dict[str, Any]]
"""The name of a door and the body that is posted to it."""


@dataclass
class Telling:
    """One call of a story, with ids of its own. `is_ours` for a phone that a chat had us ring."""

    is_ours: bool = False
    began_at: datetime = BEGAN_AT
    number: str = SAM
    uuid: str = field(default_factory=lambda: str(uuid4()))
    room: str = field(default_factory=lambda: f"CON-{uuid4()}")
    other_room: str = field(default_factory=lambda: f"CON-{uuid4()}")
    recording: str = field(default_factory=lambda: str(uuid4()))

    def moment(self, second: float) -> str:
        at = self.began_at + timedelta(seconds=second)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def about(self, second: float) -> dict[str, Any]:
        caller, dialled = (COMPANY, self.number) if self.is_ours else (self.number, COMPANY)
        return {"from": caller, "to": dialled, "uuid": self.uuid, "conversation_uuid": self.room, "timestamp": self.moment(second)}

    def asks(self, second: float) -> Told:
        return "answer", self.about(second) | {"endpoint_type": "phone", "region_url": "https://api-eu-1.nexmo.com"}

    def is_(self, status: str, second: float, **extra: Any) -> Told:
        direction = "outbound" if self.is_ours else "inbound"
        return "event", self.about(second) | {"status": status, "direction": direction} | extra

    def answered(self, second: float) -> Told:
        return self.is_("answered", second, start_time=None, rate=None, network=None)

    def completed(self, second: float, since: float) -> Told:
        seconds = {"start_time": self.moment(since), "end_time": self.moment(second), "duration": str(round(second - since))}
        paid = {"rate": "0.0072", "price": "0.0036", "network": "23410", "sip_code": 200, "disconnected_by": "user"}
        return self.is_("completed", second, **seconds, **paid)

    def heard(self, what: str, second: float, **extra: Any) -> Told:
        body = self.about(second) | {"status": what} | extra
        body["call_uuid"] = body.pop("uuid")
        return "event", body

    def moves(self, second: float) -> Told:
        rooms = {"conversation_uuid_from": self.room, "conversation_uuid_to": self.other_room}
        return "event", {"uuid": self.uuid, "timestamp": self.moment(second)} | rooms

    def fails(self, second: float) -> Told:
        reason = "Syntax error in NCCO. Invalid value type or action."
        return "event", {"reason": reason, "conversation_uuid": self.room, "timestamp": self.moment(second)}

    def is_recorded(self, since: float, until: float, *, moved: bool = False) -> Told:
        url = f"https://api.nexmo.com/v1/files/{uuid4()}"
        times = {
            "start_time": self.moment(since)[:19] + "Z",
            "end_time": self.moment(until)[:19] + "Z",
            "timestamp": self.moment(until + 1),
        }
        room = self.other_room if moved else self.room
        return "recording", times | {"recording_url": url, "size": 12222, "recording_uuid": self.recording, "conversation_uuid": room}

    def is_written_down(self) -> Told:
        file = {"transcription_url": f"https://api.nexmo.com/v1/files/{uuid4()}", "status": "transcribed"}
        return "recording", {
            "conversation_uuid": self.room,
            "type": "record",
            "recording_uuid": self.recording,
            "timestamp": self.moment(99),
        } | file


def hung_up(call: Telling) -> list[Told]:
    return [call.is_("started", 0), call.is_("ringing", 0.2), call.asks(0.4), call.answered(0.9), call.completed(30.5, 0.9)]


def given_up(call: Telling) -> list[Told]:
    return [call.is_("started", 0), call.is_("ringing", 0.2), call.is_("cancelled", 4)]


def recorded(call: Telling) -> list[Told]:
    return [
        call.is_("started", 0), call.is_("ringing", 0.2), call.asks(0.4), call.answered(0.9),
        call.completed(62.2, 0.9), call.is_recorded(5, 62), call.is_written_down(),
    ]  # fmt: skip


def moved_and_recorded(call: Telling) -> list[Told]:
    return [
        call.is_("started", 0), call.is_("ringing", 0.2), call.asks(0.4), call.answered(0.9), call.moves(20),
        call.completed(80.7, 0.9), call.is_recorded(21, 80, moved=True), call.is_written_down(),
    ]  # fmt: skip


def broken(call: Telling) -> list[Told]:
    return [call.is_("started", 0), call.asks(0.4), call.answered(0.9), call.fails(1), call.completed(1.1, 0.9)]


def cut_off(call: Telling) -> list[Told]:
    lost = call.is_("disconnected", 7, headers={"call": "1"})
    return [call.is_("started", 0), call.is_("ringing", 0.2), call.asks(0.4), call.answered(0.9), lost, call.completed(9, 0.9)]


def busy(call: Telling) -> list[Told]:
    return [call.is_("started", 0), call.is_("ringing", 1), call.is_("busy", 3, sip_code=486)]


def declined(call: Telling) -> list[Told]:
    return [call.is_("started", 0), call.is_("ringing", 1), call.is_("rejected", 6, detail="declined", sip_code=603)]


def machine(call: Telling) -> list[Told]:
    return [
        call.is_("started", 0), call.is_("ringing", 1), call.asks(9.1), call.answered(9),
        call.heard("machine", 11), call.heard("machine", 14, sub_state="beep_start"), call.completed(14.2, 9),
    ]  # fmt: skip


def no_code(call: Telling) -> list[Told]:
    return [
        call.is_("started", 0), call.is_("ringing", 1), call.asks(9.1), call.answered(9),
        call.heard("human", 11), call.completed(14.2, 9),
    ]  # fmt: skip


Story = Callable[[Telling], list[Told]]
TO_US: tuple[Story, ...] = (hung_up, given_up, recorded, moved_and_recorded, broken, cut_off)
BY_US: tuple[Story, ...] = (busy, declined, machine, no_code)
ALL = TO_US + BY_US
