"""Sends webhooks as the platform does: signed, with its time-outs, and once more when the first try failed.

Source: Vonage, "Voice webhook reference" and "Signing webhooks". A try failed when the connection broke or timed out, or
the answer was 429, 503 or 504; a second try carries the same token. Where call control objects are asked for, the fallback
address is tried as often after that, with a token of its own.
"""

import hashlib
import json
import time
import uuid
from typing import Any, Final

import httpx
import jwt
from django.conf import settings

from conversations.voice.ncco import webhook_url
from conversations.voice.simulator import server

CONNECT_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 5.0
EVENT_SECONDS: Final = 10.0
TRIES: Final = 2
FAILED_STATUSES: Final = frozenset({429, 503, 504})


class WebhookFailed(Exception):
    """Both tries failed, or the answer cannot be used."""


class NotReached(WebhookFailed):
    """Both tries failed: the fallback may be asked."""


def signed_headers(body: bytes, **claims: Any) -> dict[str, str]:
    """The headers of a webhook with this body. `claims` replaces claims of the token; None leaves one out."""
    all_claims = {
        "iat": int(time.time()),
        "jti": str(uuid.uuid4()),
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(body).hexdigest(),
        "api_key": settings.VONAGE_API_KEY,
        "application_id": settings.VONAGE_APPLICATION_ID,
    } | claims
    token = jwt.encode(
        {name: value for name, value in all_claims.items() if value is not None},
        settings.VONAGE_SIGNATURE_SECRET,
        algorithm="HS256",
    )
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


async def post(url: str, payload: dict[str, Any], *, seconds: float) -> Any:
    """Send one webhook and return what its answer holds, None when it is empty. Raises WebhookFailed."""
    body = json.dumps(payload).encode()
    address = server.local_url(url)
    headers = signed_headers(body) | (server.headers() if address != url or url.startswith(server.local_address()) else {})
    timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS)
    async with httpx.AsyncClient(timeout=timeout, trust_env=False) as client:
        for _try in range(TRIES):
            try:
                response = await client.post(address, content=body, headers=headers)
            except httpx.HTTPError:
                continue
            if response.status_code not in FAILED_STATUSES:
                return _answer(response)
    raise NotReached("the webhook did not answer")


async def post_or_fall_back(url: str, payload: dict[str, Any], *, kind: str) -> Any:
    """Send a webhook that is answered with call control objects, and the fallback when it failed. Raises WebhookFailed."""
    try:
        return await post(url, payload, seconds=ANSWER_SECONDS)
    except NotReached as error:
        again = payload | {"reason": f"{error}.".capitalize(), "original_request": {"url": url, "type": kind}}
        return await post(webhook_url("voice:fallback"), again, seconds=ANSWER_SECONDS)


def _answer(response: httpx.Response) -> Any:
    if not 200 <= response.status_code <= 205:
        raise WebhookFailed(f"the webhook answered {response.status_code}")
    if not response.content.strip():
        return None
    try:
        return response.json()
    except ValueError as error:
        raise WebhookFailed("the webhook did not answer with JSON") from error
