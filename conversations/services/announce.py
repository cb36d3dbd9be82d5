"""The only place that pushes to open screens, always after commit.

A push is at-most-once and never the record: the frames carry seq numbers, and sockets read from the
database whatever a hole shows to be missing.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import Any

from channels.layers import get_channel_layer
from django.db import transaction

from conversations.models import Conversation, Entry
from conversations.services import push_loop

logger = logging.getLogger(__name__)
AGENTS_GROUP = "agents"
SUPERVISORS_GROUP = "supervisors"
CHATS_GROUP = "chats"
LONGEST_PUSH_SECONDS = 10
Frame = dict[str, Any]


def conversation_group(public_hex: str) -> str:
    """The group of everybody who watches one conversation."""
    return f"conversation.{public_hex}"


def agent_group(agent_id: int) -> str:
    """The group of one agent's open screens."""
    return f"agent.{agent_id}"


def visitor_group(visitor: str) -> str:
    """The group of the sockets that a browser has open."""
    return f"visitor.{visitor}"


def wire_entry(
    *,
    seq: int,
    kind: str,
    actor_kind: str,
    actor_name: str,
    body: str,
    data: dict[str, Any],
    audience: str,
    interaction: str | None,
    channel: str | None,
    occurred_at: datetime,
    redacted: bool = False,
) -> Frame:
    """An entry as screens get it; see "Pushes" in docs/architecture.md."""
    return {
        "seq": seq,
        "kind": kind,
        "actor_kind": actor_kind,
        "actor_name": actor_name,
        "body": body,
        "data": data,
        "audience": audience,
        "interaction": interaction,
        "channel": channel,
        "occurred_at": occurred_at.isoformat(),
        "redacted": redacted,
    }


def wire_entry_of(entry: Entry) -> Frame:
    """A stored entry as screens get it. Reads its interaction (select it with the entry)."""
    return wire_entry(
        seq=entry.seq,
        kind=entry.kind,
        actor_kind=entry.actor_kind,
        actor_name=entry.actor_name,
        body=entry.body,
        data=entry.data,
        audience=entry.audience,
        interaction=str(entry.interaction.public_id) if entry.interaction else None,
        channel=entry.interaction.channel if entry.interaction else None,
        occurred_at=entry.occurred_at,
        redacted=entry.redacted_at is not None,
    )


def entry_appended(public_hex: str, entry: Frame) -> None:
    """Shows a new entry on every screen that watches the conversation, after commit."""
    send_after_commit(conversation_group(public_hex), entries_frame(public_hex, [entry]))


def entries_frame(public_hex: str, entries: list[Frame]) -> Frame:
    """The channel-layer message that carries new entries."""
    return {"type": "entries.appended", "conversation": public_hex, "entries": entries}


def entry_redacted(entry: Entry) -> None:
    """Has every screen that watches the entry's conversation show it without what was taken out, after commit.

    Reads its conversation and interaction (select them with the entry).
    """
    entries_redacted(entry.conversation.public_id.hex, [wire_entry_of(entry)])


def entries_redacted(public_hex: str, entries: list[Frame]) -> None:
    """Shows entries that something was taken out of, as they are now, on every screen that watches, after commit."""
    send_after_commit(conversation_group(public_hex), {"type": "entries.redacted", "conversation": public_hex, "entries": entries})


def activity(public_hex: str, *, who: str, name: str, what: str, text: str = "", interaction: str | None = None) -> Frame:
    """The channel-layer message that says what somebody is doing now: typing, draft or idle.

    `interaction` is the public id of the line that it is for; no other party of the conversation is shown it.
    """
    doing = {"who": who, "name": name, "what": what, "text": text, "interaction": interaction}
    return {"type": "activity", "conversation": public_hex, **doing}


def work_changed(conversation: Conversation | None = None) -> None:
    """Tells every signed-in agent's screen that its lists may have changed, after commit."""
    public_hex = conversation.public_id.hex if conversation else None
    send_after_commit(AGENTS_GROUP, {"type": "work.changed", "conversation": public_hex})


def offer_changed(agent_id: int, reservation_id: int, state: str) -> None:
    """Tells one agent's screens that an offer to them came or went, after commit."""
    send_after_commit(agent_group(agent_id), {"type": "offer.changed", "reservation": reservation_id, "state": state})


def presence_changed(agent_id: int) -> None:
    """Tells one agent's screens and those of supervisors, after commit, that the agent's state changed."""
    for group in (agent_group(agent_id), SUPERVISORS_GROUP):
        send_after_commit(group, {"type": "presence.changed"})


def answering_changed() -> None:
    """Tells every open chat, after commit, that who answers there may have changed."""
    send_after_commit(CHATS_GROUP, {"type": "answering.changed"})


def visitor_replaced(visitor: str, successor: str, *, heir: str) -> None:
    """Tells the sockets of a browser, after commit, that its id is out of use.

    The one that said the message with the client id `heir` goes on under `successor`; the others have to say hello anew.
    """
    send_after_commit(visitor_group(visitor), {"type": "visitor.replaced", "visitor": visitor, "successor": successor, "heir": heir})


def send_after_commit(group: str, message: Frame) -> None:
    """Sends to a group when the running transaction has committed, or at once without one."""
    transaction.on_commit(lambda: _send(group, message))


async def send(group: str, message: Frame) -> None:
    """Sends to a group now. A layer that is down, or slow beyond `LONGEST_PUSH_SECONDS`, loses the push and nothing else."""
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async with asyncio.timeout(LONGEST_PUSH_SECONDS):
            await layer.group_send(group, message)
    except Exception:
        logger.warning("push_lost", extra={"group": group}, exc_info=True)


def _send(group: str, message: Frame) -> None:
    try:
        push_loop.run(send(group, message), within_seconds=LONGEST_PUSH_SECONDS)
    except TimeoutError:
        logger.warning("push_lost", extra={"group": group})
