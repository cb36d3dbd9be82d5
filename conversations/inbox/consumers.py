"""The socket of an agent's screen: new entries of the open conversation, changed lists, offers."""

import asyncio
import json
from typing import Any

from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

from conversations.inbox.protocol import Command, Heartbeat, Leave, NotUnderstood, Open, Resume, Typing, parse
from conversations.inbox.signing_out import mark_of
from conversations.models import Conversation
from conversations.selectors import access, history
from conversations.services import announce
from conversations.sockets import RecordSocket
from routing.models import AgentProfile
from routing.services import presence

NOT_STAFF = 4403
PAGE = 200
# Lists are asked for again at most this often, however fast the work moves.
LISTS_PAUSE_SECONDS = 0.5


class InboxConsumer(RecordSocket):
    """Frames are described in docs/architecture.md.

    `watching` is the open conversation's id as hex and `sent` the last seq this screen was given of it.
    A pushed entry that follows on is passed along without touching the database; a hole, a repetition
    or a reconnect is settled by reading what comes after `sent`. `mine` are the agent's own other
    conversations: what happens in them changes the lists. Handlers run one after the other.
    """

    agent: AgentProfile | None = None
    watching: str | None = None
    conversation_id: int = 0
    sent: int = 0
    mine: frozenset[str] = frozenset()
    lists_changed: set[str | None]
    lists_timer: asyncio.TimerHandle | None = None

    async def connect(self) -> None:
        """Lets active agents and managers in, and nobody else."""
        self.lists_changed = set()
        user = self.scope.get("user")
        may_read, self.agent = await database_sync_to_async(_viewer)(user)
        if not may_read:
            await self.close(code=NOT_STAFF)
            return
        await self.channel_layer.group_add(announce.AGENTS_GROUP, self.channel_name)
        if await database_sync_to_async(access.may_supervise)(user):
            await self.channel_layer.group_add(announce.SUPERVISORS_GROUP, self.channel_name)
        if self.agent:
            await self.channel_layer.group_add(announce.agent_group(self.agent.pk), self.channel_name)
            await self._follow_mine()
        await self.accept()

    async def disconnect(self, code: int) -> None:
        """Leaves the groups. Presence stays: a reload or a lost network is not going away."""
        if self.lists_timer:
            self.lists_timer.cancel()
        groups = {announce.conversation_group(each) for each in {*self.mine, self.watching} if each}
        groups |= {announce.AGENTS_GROUP, announce.SUPERVISORS_GROUP} | ({announce.agent_group(self.agent.pk)} if self.agent else set())
        for group in groups:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """One frame from the screen."""
        try:
            command = parse(text_data)
        except NotUnderstood as error:
            await self._send({"type": "error", "code": "not_understood", "reason": str(error)})
            return
        await self._carry_out(command)

    async def entries_appended(self, frame: dict[str, Any]) -> None:
        """A push of new entries: the hot path, so nothing is done here that is not needed."""
        if frame["conversation"] != self.watching:
            await self.work_changed(frame)
            return
        entries = frame["entries"]
        last = entries[-1]["seq"]
        if entries[0]["seq"] == self.sent + 1:
            self.sent = last
            text = json.dumps({"type": "entries", "conversation": self.watching, "entries": entries, "upto": last})
            await self.send(text_data=text)
        elif last > self.sent:
            await self._catch_up()

    async def entries_redacted(self, frame: dict[str, Any]) -> None:
        """Something was taken out of entries that this screen may show."""
        seqs = [entry["seq"] for entry in frame["entries"] if entry["seq"] <= self.sent]
        if frame["conversation"] == self.watching and seqs:
            await self._send({"type": "redacted", "conversation": self.watching, "seqs": seqs})
        await self.work_changed(frame)

    async def activity(self, frame: dict[str, Any]) -> None:
        """Somebody types, speaks or has a reply streaming."""
        if frame["conversation"] == self.watching:
            await self._send(frame)

    async def work_changed(self, frame: dict[str, Any]) -> None:
        """Lists may have changed: told at once, then at most every LISTS_PAUSE_SECONDS."""
        self.lists_changed.add(frame["conversation"])
        if self.lists_timer is None:
            await self._tell_lists()

    async def presence_changed(self, frame: dict[str, Any]) -> None:
        """This agent's state changed, or, for a supervisor, anybody's."""
        await self.work_changed({"conversation": None})

    async def signed_out(self, frame: dict[str, Any]) -> None:
        """Somebody signed out: this screen closes when it was theirs, in the same browser."""
        if frame["mark"] == mark_of(self.scope["session"].session_key):
            await self.close(code=NOT_STAFF)

    async def offer_changed(self, frame: dict[str, Any]) -> None:
        """An offer to this agent came or went, and with it perhaps a conversation of theirs."""
        if frame["state"] != "pending":
            await self._follow_mine()
        await self._send({"type": "offer", "reservation": frame["reservation"], "state": frame["state"]})

    async def _carry_out(self, command: Command) -> None:
        match command:
            case Open(conversation, after):
                await self._open(conversation.hex, after)
            case Resume(after):
                self.sent = min(after, self.sent)
                await self._catch_up()
            case Leave():
                await self._leave()
            case Typing(active):
                await self._typing(active)
            case Heartbeat():
                await self._heartbeat()

    async def _open(self, public_hex: str, after: int) -> None:
        """Joins the group before reading, so that nothing can fall between the two."""
        await self._leave()
        found = await database_sync_to_async(_find)(self.scope["user"], public_hex)
        if found is None:
            reason = _("There is no such conversation, or you may not see it.")
            await self._send({"type": "error", "code": "not_found", "reason": reason})
            return
        self.conversation_id, last_seq = found
        self.watching, self.sent = public_hex, min(after, last_seq)
        await self.channel_layer.group_add(announce.conversation_group(public_hex), self.channel_name)
        await self._send({"type": "watching", "conversation": public_hex, "after": self.sent})
        await self._catch_up()

    async def _catch_up(self) -> None:
        """Sends everything stored after `sent`, in order."""
        while self.watching:
            stored = await database_sync_to_async(_stored_after)(self.conversation_id, self.sent)
            if not stored:
                return
            self.sent = stored[-1]["seq"]
            await self._send({"type": "entries", "conversation": self.watching, "entries": stored, "upto": self.sent})
            if len(stored) < PAGE:
                return

    async def _leave(self) -> None:
        left, self.watching = self.watching, None
        if left and left not in self.mine:
            await self.channel_layer.group_discard(announce.conversation_group(left), self.channel_name)

    async def _follow_mine(self) -> None:
        """Joins the groups of the conversations the agent has now and leaves those they no longer have."""
        if self.agent is None:
            return
        before, self.mine = self.mine, await database_sync_to_async(_owned_by)(self.agent)
        for public_hex in self.mine - before:
            await self.channel_layer.group_add(announce.conversation_group(public_hex), self.channel_name)
        for public_hex in before - self.mine - {self.watching}:
            await self.channel_layer.group_discard(announce.conversation_group(public_hex), self.channel_name)

    async def _typing(self, active: bool) -> None:
        """Shows the customer that their person is writing; others' typing stays among themselves."""
        if self.agent is None or self.watching is None:
            return
        if await database_sync_to_async(_owns)(self.agent, self.conversation_id):
            what = "typing" if active else "idle"
            frame = announce.activity(self.watching, who="agent", name=self.agent.display_name, what=what)
            await announce.send(announce.conversation_group(self.watching), frame)

    async def _heartbeat(self) -> None:
        """Keeps presence alive, notices when the account may no longer be here, and shows what a lost push left out."""
        may_read, self.agent = await database_sync_to_async(_viewer)(self.scope["user"], beat=True)
        if not may_read:
            await self.close(code=NOT_STAFF)
            return
        await self._send({"type": "heartbeat"})
        await self._catch_up()
        await self._follow_mine()
        await self.work_changed({"conversation": None})

    async def _tell_lists(self) -> None:
        changed, self.lists_changed = self.lists_changed, set()
        self.lists_timer = asyncio.get_running_loop().call_later(LISTS_PAUSE_SECONDS, self._lists_pause_over)
        await self._send({"type": "work", "conversations": sorted(filter(None, changed))})

    def _lists_pause_over(self) -> None:
        self.lists_timer = None
        if self.lists_changed:
            self.lists_task = asyncio.create_task(self._tell_lists())

    async def _send(self, frame: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(frame))


def _viewer(user: Any, *, beat: bool = False) -> tuple[bool, AgentProfile | None]:
    """Whether the user may be here, and the agent they are, read anew."""
    if user is None or not user.is_authenticated:
        return False, None
    user = get_user_model().objects.filter(pk=user.pk).first() if beat else user
    agent = access.agent_of(user)
    if agent and beat:
        presence.heartbeat(agent)
    return access.may_read_conversations(user), agent


def _find(user: Any, public_hex: str) -> tuple[int, int] | None:
    try:
        found = access.conversation_for_agent(user, public_hex)
    except Conversation.DoesNotExist:
        return None
    return found.pk, found.last_seq


def _stored_after(conversation_id: int, after: int) -> list[dict[str, Any]]:
    return [announce.wire_entry_of(each) for each in history.entries(conversation_id, after=after, limit=PAGE)]


def _owned_by(agent: AgentProfile) -> frozenset[str]:
    open_ones = Conversation.objects.filter(owner_agent=agent, status="open")
    return frozenset(each.hex for each in open_ones.values_list("public_id", flat=True))


def _owns(agent: AgentProfile, conversation_id: int) -> bool:
    return Conversation.objects.filter(pk=conversation_id, owner_agent=agent, status="open").exists()
