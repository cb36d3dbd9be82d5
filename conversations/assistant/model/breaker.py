"""Remembers, for every process, that the provider is down, so that a turn does not wait for what will not come.

Closed: everybody asks. After `FAILURES` in a row it opens: for `OPEN_SECONDS` nobody asks. Then one turn at a time tries; the
first answer closes it, a failure opens it again. It lives in Valkey, where it costs a fraction of a millisecond and
goes away by itself; what is lost with it is a few turns' waiting. Without Valkey it counts as closed.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import Final

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.cache import cache

from conversations.assistant.model.exchange import PROVIDER_IS_DOWN, ModelFailed

logger = logging.getLogger(__name__)
FAILURES: Final = 3
WINDOW_SECONDS: Final = 60
OPEN_SECONDS: Final = 20
WRONG_KEY_SECONDS: Final = 120
TRIED_AGAIN_FOR_SECONDS: Final = 900
"""For how long after it opened turns try one at a time, when none has been answered since."""
TRIES_SECONDS: Final = 15


@dataclass(frozen=True, slots=True)
class Look:
    """What was found: whether to ask, whether there is something to be forgotten after an answer, and whether it was down until now."""

    asks: bool
    is_marked: bool
    is_trial: bool = False


async def look() -> Look:
    """Whether this turn may ask the provider. One round trip, two while it is being tried again."""
    return await sync_to_async(_look, thread_sensitive=False)()


async def worked(found: Look) -> None:
    """The provider answered."""
    if found.is_marked:
        await sync_to_async(_forget, thread_sensitive=False)()


async def failed(problem: ModelFailed) -> None:
    """The provider did not answer; other failures say nothing of it."""
    if problem.kind in PROVIDER_IS_DOWN:
        await sync_to_async(_count, thread_sensitive=False)(problem)


def _look() -> Look:
    try:
        found = cache.get_many([key_of("open"), key_of("failures"), key_of("opened")])
        if key_of("open") in found:
            return Look(False, True)
        if key_of("opened") in found:
            return Look(bool(cache.add(key_of("try"), 1, TRIES_SECONDS)), True, is_trial=True)
        return Look(True, bool(found))
    except Exception:
        logger.exception("model_breaker_not_read")
        return Look(True, False)


def _forget() -> None:
    try:
        cache.delete_many([key_of(name) for name in ("open", "failures", "opened", "try")])
    except Exception:
        logger.exception("model_breaker_not_written")


def _count(problem: ModelFailed) -> None:
    try:
        cache.add(key_of("failures"), 0, WINDOW_SECONDS)
        count = cache.incr(key_of("failures"))
        wrong_key = problem.kind == "refused_key"
        if not (wrong_key or count >= FAILURES or cache.get(key_of("opened"))):
            return
        cache.set(key_of("open"), 1, WRONG_KEY_SECONDS if wrong_key else OPEN_SECONDS)
        cache.set(key_of("opened"), 1, TRIED_AGAIN_FOR_SECONDS)
        cache.delete(key_of("try"))
        logger.warning("model_provider_left_alone", extra={"why": problem.kind, "failures": count})
    except Exception:
        # The counter may have run out between two commands, or Valkey is away: the next failure counts again.
        logger.exception("model_breaker_not_written")


def key_of(name: str) -> str:
    """Under which name it is kept. Another provider or another key begins anew."""
    about = hashlib.sha256(f"{settings.ANTHROPIC_BASE_URL} {settings.ANTHROPIC_API_KEY}".encode()).hexdigest()[:12]
    return f"model.breaker:{about}:{name}"
