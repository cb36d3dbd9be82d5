"""What the customer's and the agent's websockets have in common."""

from __future__ import annotations

from typing import Any

from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer


class RecordSocket(AsyncWebsocketConsumer):
    """A websocket consumer that uses the database only through `database_sync_to_async`, which closes old connections itself.

    Channels closes them before each frame and each push, too, in a thread that all consumers share. What that costs is in
    docs/decisions/no-thread-for-each-frame.md.
    """

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Hands a frame or a push to its handler."""
        await getattr(self, get_handler_name(message))(message)
