"""How many chats may begin from one network address, so that a script cannot fill the record or the schedule."""

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
    """Counts one more chat that begins at this address and says whether the hour's limit allows it.

    Counted in Valkey, under a hash of the address, for an hour from the first. With Valkey away everybody may.
    """
    if not address:
        return True
    key = f"chats-begun:{hashlib.sha256(address.encode()).hexdigest()}"
    try:
        await cache.aadd(key, 0, HOUR_SECONDS)
        return bool(await cache.aincr(key) <= settings.CHAT_SESSIONS_PER_HOUR)
    except (RedisError, ValueError):
        logger.warning("chats_not_counted")
        return True
