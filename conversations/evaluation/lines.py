"""The ways in which a scripted customer reaches the company: the one door for what is typed, the webhooks for what is said."""

from __future__ import annotations

import asyncio
import itertools
import json
import uuid
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import httpx
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler

from conversations.assistant import turn
from conversations.evaluation.scenario import Heard
from conversations.flows import inbound
from conversations.flows.inbound import InboundMessage
from conversations.models import EntryPoint
from conversations.services.parties import IdentifierClaim, Party
from conversations.voice.simulator.posting import signed_headers

PATIENCE_SECONDS: Final = 60
_numbers = itertools.count(1)


class TurnNotOver(RuntimeError):
    """An answer did not come within a minute."""


class Line(Protocol):
    """One chat session or one call."""

    provider_id: str

    async def begin(self) -> None:
        """Opens the line."""
        ...

    async def say(self, readings: tuple[Heard, ...]) -> None:
        """Types or says something, likeliest reading first, and waits until it is answered."""
        ...


class ChatLine:
    """A visitor of the company's page."""

    def __init__(self, entry_point: EntryPoint) -> None:
        self._entry_point = entry_point
        self._visitor = f"evaluation-{uuid.uuid4().hex}"
        self.provider_id = f"evaluation-{uuid.uuid4().hex}"

    async def begin(self) -> None:
        """A chat begins with its first message."""

    async def say(self, readings: tuple[Heard, ...]) -> None:
        """See `Line`."""
        party = Party((IdentifierClaim("visitor", self._visitor, "verified"),), self._visitor)
        message = InboundMessage(self._entry_point.pk, self.provider_id, party, readings[0].text, f"{self.provider_id}:{next(_numbers)}")
        await inbound.receive(message, channel="chat")
        await _answered()


class PhoneLine:
    """A caller, by the signed webhooks that the phone platform posts."""

    def __init__(self, entry_point: EntryPoint, number: str) -> None:
        self.provider_id = str(uuid.uuid4())
        self._about = {
            "from": number.removeprefix("+"),
            "to": entry_point.address.removeprefix("+"),
            "uuid": self.provider_id,
            "conversation_uuid": f"CON-{uuid.uuid4()}",
        }
        self.ncco: list[dict[str, Any]] = []

    async def begin(self) -> None:
        """The call is answered."""
        await self._post("/voice/answer/", {"endpoint_type": "phone", "region_url": "https://api-eu-1.nexmo.com"})

    async def say(self, readings: tuple[Heard, ...]) -> None:
        """See `Line`."""
        results = [{"text": each.text, "confidence": str(each.confidence)} for each in readings]
        await self._input({"speech": {"timeout_reason": "end_on_silence_timeout", "results": results}})

    async def press(self, keys: str) -> None:
        """Presses keys."""
        await self._input({"speech": {"error": "Speech overridden by DTMF"}, "dtmf": {"digits": keys, "timed_out": False}})

    async def be_silent(self) -> None:
        """Says nothing until the platform gives up listening."""
        await self._input({"speech": {"timeout_reason": "start_timeout", "results": []}})

    async def _input(self, body: dict[str, Any]) -> None:
        await self._post("/voice/input/", {"dtmf": {"digits": None, "timed_out": not body["speech"].get("results")}} | body)
        await _answered()

    async def _post(self, path: str, body: dict[str, Any]) -> None:
        at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        raw = json.dumps(self._about | {"timestamp": at} | body).encode()
        transport = httpx.ASGITransport(app=ASGIHandler())  # type: ignore[arg-type]  # the same protocol with narrower types
        async with httpx.AsyncClient(transport=transport, base_url=settings.PUBLIC_URL, timeout=PATIENCE_SECONDS) as client:
            response = await client.post(path, content=raw, headers=signed_headers(raw))
        response.raise_for_status()
        self.ncco = response.json() if response.content.strip() else []


async def _answered() -> None:
    if not await turn.settle(PATIENCE_SECONDS):
        raise TurnNotOver
    # What is told to the screens follows the end of a turn.
    await asyncio.sleep(0)
