"""Pushes from synchronous code that an event loop runs in its threads."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from threading import Event
from typing import Any

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from conversations.services import announce
from tests.support.locks import until

PATIENCE_SECONDS = 30


class Watched(asyncio.SelectorEventLoop):
    """A loop that says when a thread has asked it for something."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = Event()

    def call_soon_threadsafe(self, *arguments: Any, **options: Any) -> asyncio.Handle:
        handle = super().call_soon_threadsafe(*arguments, **options)
        self.asked.set()
        return handle


def test_a_push_of_a_turn_that_is_cancelled_at_the_end_of_its_loop_holds_nothing_up() -> None:
    """The loop ends, as a web process does, while a thread of it writes: what the thread pushes ends, too."""
    def write(loop: Watched, begun: Event) -> None:
        loop.asked.clear()
        begun.set()
        announce._send("conversation.1", {"type": "activity"})

    async def turn() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Watched)
        begun = Event()
        writing = asyncio.create_task(database_sync_to_async(write, thread_sensitive=False)(loop, begun))
        await asyncio.sleep(0)
        assert begun.wait(PATIENCE_SECONDS)
        assert loop.asked.wait(PATIENCE_SECONDS)
        writing.cancel()

    def process() -> None:
        with asyncio.Runner(loop_factory=Watched) as runner:
            runner.run(turn())

    in_a_fork(process)


async def test_a_forked_process_pushes_with_a_loop_of_its_own() -> None:
    """A worker's processes are forked from one that may have pushed already."""
    layer = get_channel_layer()
    assert layer
    name = await layer.new_channel()
    await layer.group_add("conversation.2", name)
    push("conversation.2")
    await asyncio.to_thread(in_a_fork, lambda: push("conversation.2"))
    for _ in range(2):
        assert (await asyncio.wait_for(layer.receive(name), PATIENCE_SECONDS))["type"] == "activity"


def push(group: str) -> None:
    announce._send(group, {"type": "activity"})


def in_a_fork(work: Callable[[], None]) -> None:
    """Does the work in a forked process, and sees that it comes to its end."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    ended: list[int] = []

    def has_ended() -> bool:
        pid, status = os.waitpid(child, os.WNOHANG)
        ended.extend([status] if pid else [])
        return bool(pid)

    try:
        until(has_ended)
    finally:
        if not ended:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(ended[0]) == 0
