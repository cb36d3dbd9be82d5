"""The phone platform as seen from our webhooks: signs bodies as its documentation says and posts them."""

import hashlib
import json
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

import jwt
from django.conf import settings
from django.test import AsyncClient, Client

COMPANY = "441632960100"
SAM = "447700900123"


def now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def claims_for(body: bytes, **changes: Any) -> dict[str, Any]:
    """The claims of a good token for `body`; a change to None leaves the claim out."""
    claims = {
        "iat": int(time.time()),
        "jti": str(uuid.uuid4()),
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(body).hexdigest(),
        "api_key": settings.VONAGE_API_KEY,
        "application_id": settings.VONAGE_APPLICATION_ID,
    } | changes
    return {name: value for name, value in claims.items() if value is not None}


def bearer(claims: dict[str, Any], *, secret: str | None = None, algorithm: str = "HS256") -> str:
    key = settings.VONAGE_SIGNATURE_SECRET if secret is None else secret
    return f"Bearer {jwt.encode(claims, key, algorithm=algorithm)}"


def post(path: str, body: dict[str, Any] | bytes, *, authorization: str | None = None, **claims: Any) -> Any:
    """Post one signed webhook and return the response."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    header = bearer(claims_for(raw, **claims)) if authorization is None else authorization
    return Client().post(path, raw, content_type="application/json", headers={"Authorization": header} if header else {})


async def post_async(path: str, body: dict[str, Any] | bytes, **claims: Any) -> Any:
    """The same on the running event loop, where turns go on after the answer."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": bearer(claims_for(raw, **claims))}
    return await AsyncClient().post(path, raw, content_type="application/json", headers=headers)


@dataclass
class Caller:
    """One call to the company and the bodies that the platform posts about it."""

    number: str | None = SAM
    dialled: str = COMPANY
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    room: str = field(default_factory=lambda: f"CON-{uuid.uuid4()}")

    def about(self) -> dict[str, Any]:
        fields = {"to": self.dialled, "uuid": self.uuid, "conversation_uuid": self.room, "timestamp": now_text()}
        return fields | ({"from": self.number} if self.number is not None else {})

    def answer(self) -> dict[str, Any]:
        return self.about() | {"endpoint_type": "phone", "region_url": "https://api-eu-1.nexmo.com"}

    def event(self, status: str, **extra: Any) -> dict[str, Any]:
        return self.about() | {"status": status, "direction": "inbound"} | extra

    def said(self, *texts: str, **extra: Any) -> dict[str, Any]:
        results = [{"text": text, "confidence": f"0.9{9 - rank}"} for rank, text in enumerate(texts)]
        speech = {"timeout_reason": "end_on_silence_timeout", "results": results}
        return self.about() | {"speech": speech, "dtmf": {"digits": None, "timed_out": False}} | extra

    def silent(self) -> dict[str, Any]:
        return self.about() | {"speech": {"timeout_reason": "start_timeout", "results": []}, "dtmf": {"digits": None, "timed_out": True}}

    def keyed(self, digits: str) -> dict[str, Any]:
        return self.about() | {"speech": {"error": "Speech overridden by DTMF"}, "dtmf": {"digits": digits, "timed_out": False}}


USUAL_SILENCE = 10
"""How long the platform listens to nothing where it is not told."""
MACHINES_GREETING = 50
"""Only an answering machine, whose greeting is waited for, hears nothing for so long; a person taken for one is listened to."""


def longest_silence(ncco: list[dict[str, Any]]) -> float:
    """For how many seconds somebody may hear nothing while an NCCO runs who says and keys nothing themselves."""
    silences = [0.0]
    for action in ncco:
        if action["action"] == "input":
            how_long = ("speech", "startTimeout") if "speech" in action["type"] else ("dtmf", "timeOut")
            seconds = float(action.get(how_long[0], {}).get(how_long[1], USUAL_SILENCE))
            silences.append(0.0 if seconds == MACHINES_GREETING else seconds)
        elif action["action"] == "wait":
            silences.append(float(action["timeout"]))
        elif action["action"] == "record" and "endOnSilence" in action:
            silences.append(float(action["endOnSilence"]))
    return max(silences)


def words_of(ncco: list[dict[str, Any]]) -> str:
    """Everything an NCCO says before anybody is listened to, without tags; what follows is said to who is silent then."""
    said = takewhile(lambda action: action["action"] != "input", ncco)
    return " ".join(action["text"].removeprefix("<speak>").removesuffix("</speak>") for action in said if action["action"] == "talk")
