"""The customer's chat socket: parse a frame, call one function, answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from django.conf import settings
from django.utils.translation import gettext as _

from conversations.chat import delivery, limits, protocol, tickets, visitor
from conversations.flows import calling_back, inbound
from conversations.models import Conversation, EntryPoint
from conversations.selectors import access
from conversations.services import announce, transport
from conversations.sockets import RecordSocket

logger = logging.getLogger(__name__)
NO_SUCH_DOOR = 4404
NOT_FROM_HERE = 4403
TOO_MANY_REFUSALS = 4429
MAX_REFUSALS_IN_A_ROW = 50
MOVES_LINES = ("conversation.joined", "conversation.separated", "interaction.moved")


@dataclass(frozen=True, slots=True)
class Guest:
    """Who is on this socket, at which entry point, in which chat session."""

    visitor: visitor.Visitor
    entry_point: EntryPoint
    session: str


class ChatConsumer(RecordSocket):
    """One browser tab. The socket keeps nothing that a reconnect could lose."""

    entry_point: EntryPoint | None = None
    guest: Guest | None = None
    interaction_id: int | None = None
    interaction_public_id: str | None = None
    conversation_hex: str | None = None
    sent_upto = 0
    refusals = 0

    async def connect(self) -> None:
        """Accepts when the entry point exists and the page may show the widget."""
        self.allowance, self.allowance_at = float(settings.CHAT_MESSAGES_PER_SECOND), monotonic()
        address = parse_qs(self.scope["query_string"].decode("latin-1")).get("entry_point", [""])[0]
        found = await in_thread(_entry_point, address[:200])
        await self.accept()
        if found is None:
            await self.close(code=NO_SUCH_DOOR)
        elif not _origin_allowed(self.scope, found):
            await self.close(code=NOT_FROM_HERE)
        else:
            self.entry_point = found

    async def disconnect(self, code: int) -> None:
        """Leaves the conversation's group; nothing else depends on the socket."""
        if self.conversation_hex:
            await self.channel_layer.group_discard(announce.conversation_group(self.conversation_hex), self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Takes one frame; whatever is wrong with it is answered, and the socket stays open."""
        if self.entry_point is None:
            return
        try:
            frame = protocol.parse(text_data, bytes_data)
            self._spend_allowance(getattr(frame, "client_id", None))
            await self._take(frame, self.entry_point)
            self.refusals = 0
        except protocol.Refused as refusal:
            await self._refuse(refusal)

    async def _take(self, frame: protocol.Frame, entry_point: EntryPoint) -> None:
        if isinstance(frame, protocol.Hello):
            await self._hello(frame, entry_point)
        elif self.guest is None:
            raise protocol.Refused("no_hello", _("Say hello first."), getattr(frame, "client_id", None))
        elif isinstance(frame, protocol.Say):
            await self._say(self.guest, frame.client_id, frame.text)
        elif isinstance(frame, protocol.Person):
            await self._say(self.guest, frame.client_id, _("I would like to talk to a person."))
        elif isinstance(frame, protocol.Resume):
            await self._catch_up(after=frame.after)
        elif isinstance(frame, protocol.Typing):
            await self._tell_typing()
        elif isinstance(frame, protocol.CallMe):
            await self._call(frame.number)
        else:
            await self._give_phone_code()

    async def _hello(self, frame: protocol.Hello, entry_point: EntryPoint) -> None:
        if frame.ticket:
            frame = await self._with_ticket(frame)
        browser = visitor.read(frame.token) or visitor.new()
        session = frame.session if frame.session and browser.owns_session(frame.session) else browser.new_session()
        self.guest = Guest(browser, entry_point, session)
        opening = await in_thread(delivery.opening, entry_point)
        standing = await in_thread(delivery.standing, browser, entry_point)
        state = {"owner": standing.owner, "name": standing.owner_name} if standing else {"owner": "assistant", "name": ""}
        await self._send(type="welcome", token=browser.token, session=session, state=state, **opening)
        self.sent_upto = 0
        if standing is None:
            await self._watch_nothing()
            await self._send(type="entries", conversation=None, entries=[], upto=0)
            return
        # Watching comes first: what is written between the two is pushed, and not missed.
        await self._watch(standing.conversation_hex, standing.interaction_id, standing.interaction_public_id)
        if frame.conversation == standing.conversation_hex:
            await self._catch_up(after=frame.after)
            return
        for chapter in await in_thread(delivery.seen_before, standing.interaction_id):
            await self._send(**chapter)
        await self._catch_up(after=0)

    async def _with_ticket(self, frame: protocol.Hello) -> protocol.Hello:
        """The frame of the visitor that a link made of this browser; what is wrong with the ticket is said, and counts for nothing."""
        try:
            taken = await in_thread(tickets.take, str(frame.ticket), frame.token)
        except tickets.NotTaken as refusal:
            await self._send(type="error", code=refusal.code, reason=str(refusal))
            return frame
        return replace(frame, token=taken.token, session=taken.session)

    async def _say(self, guest: Guest, client_id: str, text: str) -> None:
        if self.interaction_id is None:
            await self._begin_session(guest, client_id)
        try:
            received = await self._receive(guest, client_id, text)
        except inbound.InteractionOver:
            guest = self.guest = Guest(guest.visitor, guest.entry_point, guest.visitor.new_session())
            await self._begin_session(guest, client_id)
            await self._send(type="session", session=guest.session)
            received = await self._receive(guest, client_id, text)
        if self.interaction_id != received.interaction_id or self.conversation_hex != received.conversation_hex:
            await self._watch(received.conversation_hex, received.interaction_id, str(received.interaction_public_id))
            self.sent_upto = 0
            await self._catch_up(after=0)
        await self._acknowledge(client_id, received)

    async def _acknowledge(self, client_id: str, received: inbound.Received) -> None:
        """Says where the message stands; one that follows on comes along as stored, so its push need not be shown again."""
        if received.entry is None or received.seq != self.sent_upto + 1:
            await self._send(type="ack", client_id=client_id, seq=received.seq)
            return
        self.sent_upto = received.seq
        await self._send(type="ack", client_id=client_id, seq=received.seq, entry=access.party_frame(received.entry))

    async def _receive(self, guest: Guest, client_id: str, text: str) -> inbound.Received:
        message = inbound.InboundMessage(
            entry_point_id=guest.entry_point.pk,
            provider_id=guest.session,
            party=guest.visitor.party,
            text=text,
            source_id=f"chat:{guest.visitor.id}:{client_id}",
            data={"client_id": client_id},
        )
        return await inbound.receive(message, channel="chat")

    async def _begin_session(self, guest: Guest, client_id: str) -> None:
        if not await limits.may_begin(limits.address_of(self.scope)):
            reason = _("Too many chats have begun from your network. Please try again in an hour, or call us.")
            raise protocol.Refused("too_many_chats", reason, client_id)
        await in_thread(
            transport.record_chat_session,
            session_id=guest.session,
            entry_point_address=guest.entry_point.address,
            visitor=guest.visitor.id,
        )

    async def _watch(self, conversation_hex: str, interaction_id: int | None, interaction_public_id: str | None) -> None:
        if self.conversation_hex and self.conversation_hex != conversation_hex:
            await self.channel_layer.group_discard(announce.conversation_group(self.conversation_hex), self.channel_name)
        self.interaction_id, self.interaction_public_id = interaction_id, interaction_public_id
        self.conversation_hex = conversation_hex
        await self.channel_layer.group_add(announce.conversation_group(conversation_hex), self.channel_name)

    async def _watch_nothing(self) -> None:
        """Another browser said hello on this socket, and it has no chat yet."""
        if self.conversation_hex:
            await self.channel_layer.group_discard(announce.conversation_group(self.conversation_hex), self.channel_name)
        self.interaction_id = self.interaction_public_id = self.conversation_hex = None

    async def _follow_line(self) -> None:
        """Goes on where this chat goes on, when its conversation was joined into another or kept apart again."""
        found = await in_thread(_conversation_of, self.interaction_id)
        if found and found != self.conversation_hex:
            await self._watch(found, self.interaction_id, self.interaction_public_id)
            self.sent_upto = 0
            await self._catch_up(after=0)

    async def _catch_up(self, *, after: int) -> None:
        if self.interaction_id is None:
            return
        while True:
            entries, upto = await in_thread(delivery.seen_since, self.interaction_id, after=after)
            self.sent_upto = max(self.sent_upto, upto)
            await self._send(type="entries", conversation=self.conversation_hex, entries=entries, upto=upto)
            if len(entries) < delivery.PAGE:
                return
            after = upto

    async def _tell_typing(self) -> None:
        if self.conversation_hex:
            await announce.send(
                announce.conversation_group(self.conversation_hex),
                announce.activity(self.conversation_hex, who="customer", name="", what="typing"),
            )

    async def _give_phone_code(self) -> None:
        if self.interaction_id is None:
            raise protocol.Refused("nothing_said", _("Write a first message, then you can carry on by phone."))
        frame = await in_thread(delivery.phone_code, self.interaction_id)
        if frame is None:
            raise protocol.Refused("no_phone", _("There is no number to call at the moment."))
        await self._send(**frame)

    async def _call(self, number: str) -> None:
        if self.interaction_id is None:
            raise protocol.Refused("nothing_said", _("Write a first message, then we can call you."))
        network_is_over = not await limits.may_ask_for_call(limits.address_of(self.scope))
        try:
            frame = await in_thread(delivery.call, self.interaction_id, number, network_is_over=network_is_over)
        except calling_back.NotCalled as refusal:
            raise protocol.Refused("not_called", str(refusal)) from None
        await self._send(**frame)

    async def entries_appended(self, event: dict[str, Any]) -> None:
        """Shows pushed entries; a hole is read from the database, a repetition is ignored.

        What they say of the conversation is looked at even when a catch-up has passed them by already.
        """
        if event["conversation"] != self.conversation_hex:
            return
        new = [entry for entry in event["entries"] if entry["seq"] > self.sent_upto]
        if new:
            await self._show_new(new)
        kinds = {entry["kind"] for entry in event["entries"]}
        if not kinds.isdisjoint(MOVES_LINES):
            await self._follow_line()
        if not kinds.isdisjoint(("owner.changed", "handoff.requested", "conversation.closed", *MOVES_LINES)):
            await self._show_state()

    async def entries_redacted(self, event: dict[str, Any]) -> None:
        """Shows entries that the party has seen as they are after something was taken out of them."""
        seqs = [entry["seq"] for entry in event["entries"] if entry["seq"] <= self.sent_upto and _for_parties(entry)]
        if event["conversation"] == self.conversation_hex and seqs:
            entries = await in_thread(delivery.seen_among, self.interaction_id, seqs)
            await self._send(type="entries", conversation=self.conversation_hex, entries=entries, upto=self.sent_upto)

    async def _show_new(self, entries: list[dict[str, Any]]) -> None:
        whole = [entry["seq"] for entry in entries] == list(range(self.sent_upto + 1, entries[-1]["seq"] + 1))
        if not whole or any(self._needs_a_look(entry) for entry in entries):
            await self._catch_up(after=self.sent_upto)
        else:
            self.sent_upto = entries[-1]["seq"]
            shown = [access.party_frame(entry) for entry in entries if self._is_own(entry)]
            await self._send(type="entries", conversation=self.conversation_hex, entries=shown, upto=self.sent_upto)

    def _is_own(self, entry: dict[str, Any]) -> bool:
        return _for_parties(entry) and entry["interaction"] == self.interaction_public_id

    def _needs_a_look(self, entry: dict[str, Any]) -> bool:
        return _for_parties(entry) and entry["interaction"] != self.interaction_public_id

    async def activity(self, event: dict[str, Any]) -> None:
        """Shows that the other side types or drafts; what goes to another party or comes from the customer is not shown."""
        if event["who"] != "customer" and event["interaction"] in (None, self.interaction_public_id):
            await self._send(type="activity", who=event["who"], name=event["name"], what=event["what"], text=event["text"])

    async def _show_state(self) -> None:
        owner, name = await in_thread(_owner, self.conversation_hex)
        await self._send(type="state", owner=owner, name=name)

    async def _refuse(self, refusal: protocol.Refused) -> None:
        self.refusals += 1
        if refusal.client_id:
            await self._send(type="refused", client_id=refusal.client_id, code=refusal.code, reason=refusal.reason)
        else:
            await self._send(type="error", code=refusal.code, reason=refusal.reason)
        if self.refusals >= MAX_REFUSALS_IN_A_ROW:
            await self.close(code=TOO_MANY_REFUSALS)

    def _spend_allowance(self, client_id: str | None) -> None:
        rate = settings.CHAT_MESSAGES_PER_SECOND
        now = monotonic()
        self.allowance = min(rate * 2.0, self.allowance + (now - self.allowance_at) * rate)
        self.allowance_at = now
        if self.allowance < 1:
            raise protocol.Refused("too_fast", _("That was too fast. Please wait a moment and send it again."), client_id)
        self.allowance -= 1

    async def _send(self, **frame: Any) -> None:
        await self.send(text_data=json.dumps(frame, separators=(",", ":"), default=str))


async def in_thread(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Runs a database function off the event loop, on a thread of its own."""
    return await database_sync_to_async(function, thread_sensitive=False)(*arguments, **named)


def _for_parties(entry: dict[str, Any]) -> bool:
    return entry["audience"] == "everyone" and entry["kind"] in access.PARTY_KINDS


def _entry_point(address: str) -> EntryPoint | None:
    open_doors = EntryPoint.objects.select_related("hours").filter(channel="chat").exclude(mode=EntryPoint.Mode.OFF)
    return open_doors.filter(address=address.replace("\x00", "")).first()


def _conversation_of(interaction_id: int | None) -> str | None:
    found = Conversation.objects.filter(interactions=interaction_id).values_list("public_id", flat=True).first()
    return found.hex if found else None


def _owner(conversation_hex: str) -> tuple[str, str]:
    conversation = Conversation.objects.select_related("owner_agent").get(public_id=conversation_hex)
    name = conversation.owner_agent.display_name if conversation.owner_agent else ""
    return delivery.owner_of(conversation), name


def _origin_allowed(scope: Any, entry_point: EntryPoint) -> bool:
    headers = dict(scope["headers"])
    origin = headers.get(b"origin", b"").decode("latin-1").rstrip("/").lower()
    if not origin:
        return True
    host = headers.get(b"host", b"").decode("latin-1").lower()
    return origin.split("://", 1)[-1] == host or origin in [str(each).rstrip("/").lower() for each in entry_point.allowed_origins]
