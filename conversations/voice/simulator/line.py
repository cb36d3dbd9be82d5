"""One leg in the hands of the one who holds its lock: what every part of the interpreter does with it."""

import time
from typing import Any

from conversations.voice.simulator import legs
from conversations.voice.simulator.exchange import Exchange, Happening, Leg


class Line:
    """A leg, the exchange it lives in, and the other legs that were told something and are to be moved on after it."""

    def __init__(self, exchange: Exchange, leg: Leg) -> None:
        self.exchange = exchange
        self.leg = leg
        self.touched: set[str] = set()

    @property
    def action(self) -> dict[str, Any]:
        """What the leg is doing, empty when it is between two actions."""
        return self.leg["action"] or {}

    async def tell(self, leg_id: str, happening: Happening) -> None:
        """Something happens to another leg."""
        await self.exchange.tell(leg_id, happening)
        self.touched.add(leg_id)

    async def write(self, who: str, text: str, **more: Any) -> None:
        """The holder of this phone hears or sees something."""
        await self.exchange.write_line(self.leg["uuid"], who, text, **more)

    def in_seconds(self, seconds: float) -> float:
        """The time at which so many seconds of the call have passed."""
        return time.time() + seconds / float(self.leg["options"]["speed"])

    def begin_timed(self, name: str, seconds: float, *, barge_in: bool = False) -> None:
        """The leg does something that is over by itself."""
        self.leg["action"] = {"name": name, "until": self.in_seconds(seconds), "barge_in": barge_in}

    def begin_posting(self, url: str, payload: dict[str, Any]) -> None:
        """The leg asks the application, whose answer replaces what is left to do."""
        self.leg["action"] = {"name": "posting", "url": url, "payload": payload}

    def note_error(self, reason: str) -> None:
        """The platform could not do what it was asked. Source: Vonage, "Voice webhook reference", the error event."""
        legs.queue(self.leg, {"reason": reason, "conversation_uuid": self.leg["room"], "timestamp": legs.now_text()})
