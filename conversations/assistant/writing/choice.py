"""Which writer writes, and having it write from where nothing else waits."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from django.conf import settings
from django.db import close_old_connections, connection

from conversations.assistant.writing.base import Writer
from conversations.assistant.writing.extractive import ExtractiveWriter
from conversations.selectors.roll_out import stop_in_force

T = TypeVar("T")


def choose_writer() -> Writer:
    """The writer to use now: with a key the one that asks Claude, with the one without a model behind it; that one alone without a
    key, and while the AI agent is stopped everywhere. At most one statement.
    """
    if not settings.ANTHROPIC_API_KEY or stop_in_force():
        return ExtractiveWriter()
    # The library takes long to load, and nobody without a key needs it.
    from conversations.assistant.claude import Claude
    from conversations.assistant.writing.by_model import ModelWriter
    from conversations.assistant.writing.falling_back import WritingFallsBack

    return WritingFallsBack(ModelWriter(Claude()), ExtractiveWriter())


def written(work: Coroutine[Any, Any, T]) -> T:
    """What a writer is to write, waited for in a thread without an event loop; raises what the writer raises.

    It may wait for a network, so the thread's connection to the database is given back first. Call it outside of
    transactions: one would stay open meanwhile.
    """
    if not connection.in_atomic_block:
        close_old_connections()
    return asyncio.run(_alone(work))


async def _alone(work: Coroutine[Any, Any, T]) -> T:
    """In an event loop that ends with it, and with what is open to the model's provider."""
    try:
        return await work
    finally:
        if settings.ANTHROPIC_API_KEY:
            from conversations.assistant import claude

            await claude.close()
