"""How many chats and calls one network address may ask for, so that a script cannot fill the record or have phones rung."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
HOUR_SECONDS: Final = 3600


def client_address(peer: str, forwarded_for: str) -> str:
    """The address a request came from, given its socket's peer and its X-Forwarded-For header.

    Behind a trusted proxy that is the last address in the header, which the proxy itself added; those before it are
    whatever the client chose to write.
    """
    if settings.TRUST_PROXY_HEADERS and forwarded_for.strip():
        return forwarded_for.rsplit(",", 1)[-1].strip()
    return peer


def address_of(scope: Mapping[str, Any]) -> str:
    """The address that a websocket came from; empty when the server does not know it."""
    forwarded = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
    return client_address((scope.get("client") or [""])[0], forwarded.decode("latin-1"))


async def may_begin(address: str) -> bool:
    """Counts one more chat that begins at this address and says whether the hour's limit allows it."""
    return await _is_within("chats-begun", address, settings.CHAT_SESSIONS_PER_HOUR)


async def may_ask_for_call(address: str) -> bool:
    """Counts one more call that is asked for from this address and says whether the hour's limit allows it."""
    return await _is_within("calls-asked-for", address, settings.CALL_ME_PER_HOUR)


async def _is_within(what: str, address: str, most: int) -> bool:
    """Counted in Valkey, under a hash of the address, for an hour from the first. With Valkey away everybody may."""
    if not address:
        return True
    key = f"{what}:{hashlib.sha256(address.encode()).hexdigest()}"
    try:
        await cache.aadd(key, 0, HOUR_SECONDS)
        return bool(await cache.aincr(key) <= most)
    except (RedisError, ValueError):
        logger.warning("not_counted", extra={"what": what})
        return True
