"""Waiting for the AI agent."""

from __future__ import annotations

import asyncio

from django.db.models import F

from conversations.models import Conversation

PATIENCE_SECONDS = 60.0


async def nothing_owed() -> None:
    """Waits until the AI agent has answered what was said."""
    owed = Conversation.objects.filter(turn_wanted_seq__gt=F("turn_done_seq"), owner_kind="assistant", status="open")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await owed.aexists():  # noqa: ASYNC110  # the database is asked, so there is no event to wait for
            await asyncio.sleep(0.02)
