"""One look, now and then, at all the turns that run on an event loop: whether each is still to be gone on with.

Each turn looking for itself would cost the database some statements a second for every customer who waits.
"""

from __future__ import annotations

import asyncio
from typing import Final
from weakref import WeakKeyDictionary

from conversations.services import turns
from conversations.services.turns import Claim, Look

LOOKS_EVERY_SECONDS: Final = 0.4

_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, _Watch] = WeakKeyDictionary()


async def next_look(claim: Claim) -> Look:
    """How the turn stands at the next look, at most LOOKS_EVERY_SECONDS and a statement from now. Raises what the database does."""
    loop = asyncio.get_running_loop()
    watch = _watches.setdefault(loop, _Watch())
    return await watch.next_look(claim)


class _Watch:
    """The turns of one event loop that wait for the next look. It runs only while some do."""

    def __init__(self) -> None:
        self._waiting: dict[Claim, asyncio.Future[Look]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def next_look(self, claim: Claim) -> Look:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Look] = loop.create_future()
        self._waiting[claim] = future
        if self._looking is None:
            self._looking = loop.create_task(self._look_on(), name="look at turns")
        try:
            return await future
        finally:
            if self._waiting.get(claim) is future:
                del self._waiting[claim]
            if not self._waiting and self._looking:
                self._looking.cancel()
                self._looking = None

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(LOOKS_EVERY_SECONDS)
            waiting = {claim: each for claim, each in self._waiting.items() if not each.done()}
            try:
                found = await turns.look(list(waiting)) if waiting else {}
            except Exception as problem:
                for each in waiting.values():
                    _end(each, problem)
            else:
                for claim, each in waiting.items():
                    _end(each, found[claim.worker])


def _end(future: asyncio.Future[Look], found: Look | Exception) -> None:
    if future.done():
        return
    if isinstance(found, Exception):
        future.set_exception(found)
    else:
        future.set_result(found)
