"""Waiting for the AI agent."""

from __future__ import annotations

import asyncio

from django.db.models import F

from conversations.models import Conversation

PATIENCE_SECONDS = 60.0


async def nothing_owed() -> None:
    """Waits until the AI agent has answered what was said."""
    open_ones = Conversation.objects.filter(status="open", owner_kind="assistant", joined_into__isnull=True)
    owed = open_ones.filter(turn_wanted_seq__gt=F("turn_done_seq"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await owed.aexists():  # noqa: ASYNC110  # the database is asked, so there is no event to wait for
            await asyncio.sleep(0.02)
