"""An event loop in a thread of its own, for pushes that synchronous code makes.

A push that went through the loop which the synchronous code was called from would wait for ever when that loop ends and
cancels the push before it began, and a loop made for each push would connect anew each time.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from threading import Lock, Thread
from typing import Any

_lock = Lock()
_loop: asyncio.AbstractEventLoop | None = None


def run(work: Coroutine[Any, Any, None], *, within_seconds: float) -> None:
    """Runs a coroutine on this process's push loop and waits for it; whatever it raises is raised here.

    Raises TimeoutError when it takes longer; it is cancelled then.
    """
    running = asyncio.run_coroutine_threadsafe(work, _running_loop())
    try:
        running.result(within_seconds)
    except CancelledError:
        raise TimeoutError("The push loop has ended.") from None
    except TimeoutError:
        running.cancel()
        raise


def _running_loop() -> asyncio.AbstractEventLoop:
    global _loop  # noqa: PLW0603
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            Thread(target=_loop.run_forever, name="push loop", daemon=True).start()
        return _loop


def _forget_the_parents() -> None:
    """A forked process has none of its parent's threads."""
    global _loop, _lock
    _loop, _lock = None, Lock()


os.register_at_fork(after_in_child=_forget_the_parents)
