"""Sends webhooks as the platform does: signed, with its time-outs, and once more when the first try failed.

Source: Vonage, "Voice webhook reference" and "Signing webhooks". A try failed when the connection broke or timed out, or
the answer was 429, 503 or 504; a second try carries the same token. Where call control objects are asked for, the fallback
address is tried as often after that, with a token of its own.
"""

import asyncio
import functools
import hashlib
import json
import ssl
import time
import uuid
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import jwt
from django.conf import settings

from conversations.voice.ncco import webhook_url
from conversations.voice.simulator import server
from conversations.voice.simulator.faults import Way

CONNECT_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 5.0
EVENT_SECONDS: Final = 10.0
TRIES: Final = 2
A_MOMENT_SECONDS: Final = 0.1
"""How much before or after its time is over an answer comes that is just in time, or just too late."""
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


async def post(url: str, payload: dict[str, Any], *, seconds: float, way: Way | None = None) -> Any:
    """Send one webhook and return what its answer holds, None when it is empty. Raises WebhookFailed.

    An answer that is not JSON is returned as text, which nobody takes for call control objects.
    """
    way = way or Way()
    body = json.dumps(payload).encode()
    address = server.local_url(url)
    headers = _signed(body, way) | (server.headers() if address != url or url.startswith(server.local_address()) else {})
    timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS)
    async with httpx.AsyncClient(timeout=timeout, trust_env=False, verify=_trusted()) as client:
        for _try in range(TRIES):
            began, arrived, way.status = time.monotonic(), False, 0
            try:
                answer = await _delivered(client, address, body, headers, seconds, way)
                arrived = True
            except _Failed:
                continue
            finally:
                way.deliveries.append((urlsplit(url).path, time.monotonic() - began, arrived, way.status))
            if way.replay:
                await client.post(address, content=body, headers=headers)
            return answer
    raise NotReached("the webhook did not answer")


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed. Reading them takes 20 ms, in which the event loop stands still, so it is done once."""
    return httpx.create_ssl_context(trust_env=False)


async def post_or_fall_back(url: str, payload: dict[str, Any], *, kind: str, way: Way | None = None) -> Any:
    """Send a webhook that is answered with call control objects, and the fallback when it failed. Raises WebhookFailed."""
    way = way or Way()
    try:
        return await post(url, payload, seconds=ANSWER_SECONDS if kind == "answer" else EVENT_SECONDS, way=way)
    except NotReached:
        again = payload | {"reason": "Connection closed.", "original_request": {"url": url, "type": kind}}
        return await post(webhook_url("voice:fallback"), again, seconds=ANSWER_SECONDS, way=way)


class _Failed(Exception):
    """One try failed."""


async def _delivered(client: httpx.AsyncClient, address: str, body: bytes, headers: dict[str, str], seconds: float, way: Way) -> Any:
    """One try, and what befalls it. Raises _Failed, and WebhookFailed when no further try would help."""
    trouble, began = way.befalls(), time.monotonic()
    if trouble == "503":
        raise _Failed
    try:
        response = await client.post(address, content=body, headers=headers)
    except httpx.HTTPError as error:
        raise _Failed from error
    way.status = response.status_code
    if trouble in ("slow", "too_slow"):
        answered_at = seconds + (A_MOMENT_SECONDS if trouble == "too_slow" else -A_MOMENT_SECONDS)
        await asyncio.sleep(max(0.0, answered_at / way.speed - (time.monotonic() - began)))
    if trouble in ("lost", "too_slow") or response.status_code in FAILED_STATUSES:
        raise _Failed
    if not 200 <= response.status_code <= 205:
        raise WebhookFailed(f"the webhook answered {response.status_code}")
    if trouble == "invalid":
        return "<html>Bad gateway</html>"
    if trouble == "empty" or not response.content.strip():
        return None
    try:
        return response.json()
    except ValueError:
        return response.text


def _signed(body: bytes, way: Way) -> dict[str, str]:
    if way.unsigned:
        return {"Content-Type": "application/json"}
    signed = b"another body" if way.wrong_hash else body
    return signed_headers(signed, iat=int(time.time() + way.clock_skew))
