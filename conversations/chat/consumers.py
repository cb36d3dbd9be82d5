"""The customer's chat socket: parse a frame, call one function, answer."""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import Any, Final
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.chat import delivery, guests, limits, protocol, tickets
from conversations.chat.guests import Guest
from conversations.chat.host_identity import NotBelieved
from conversations.flows import calling_back, inbound
from conversations.models import EntryPoint
from conversations.selectors import access
from conversations.services import announce, transport, visitors
from conversations.sockets import RecordSocket
from routing.compiled import CompiledOnce, Given

logger = logging.getLogger(__name__)
NO_SUCH_DOOR = 4404
NOT_FROM_HERE = 4403
TOO_MANY_REFUSALS = 4429
MAX_REFUSALS_IN_A_ROW = 50
REMEMBERED_MESSAGES = 50
MOVES_LINES = ("conversation.joined", "conversation.separated", "interaction.moved")
OPEN_DOOR: Final = CompiledOnce(
    lambda: EntryPoint.objects.filter(channel="chat", address=Given("address"))
    .exclude(mode=EntryPoint.Mode.OFF)
    .select_related("hours")[:1]
)


class ChatConsumer(RecordSocket):
    """One browser tab. The socket keeps nothing that a reconnect could lose."""

    entry_point: EntryPoint | None = None
    guest: Guest | None = None
    interaction_id: int | None = None
    interaction_public_id: str | None = None
    conversation_hex: str | None = None
    language = ""
    spoken = ""
    sent_upto = 0
    refusals = 0

    async def connect(self) -> None:
        """Accepts when the entry point exists and the page may show the widget."""
        self.allowance, self.allowance_at = float(settings.CHAT_MESSAGES_PER_SECOND), monotonic()
        self.said_here: deque[str] = deque(maxlen=REMEMBERED_MESSAGES)
        asked = parse_qs(self.scope["query_string"].decode("latin-1"))
        self.language = asked.get("language", [""])[0].partition("-")[0][:10]
        found = await in_thread(_entry_point, asked.get("entry_point", [""])[0][:200])
        await self.accept()
        if found is None:
            await self.close(code=NO_SUCH_DOOR)
        elif not _origin_allowed(self.scope, found):
            await self.close(code=NOT_FROM_HERE)
        else:
            self.entry_point = found
            self.spoken = self.language or found.language.partition("-")[0]
            await self.channel_layer.group_add(announce.CHATS_GROUP, self.channel_name)

    async def disconnect(self, code: int) -> None:
        """Leaves its groups; nothing else depends on the socket."""
        await self.channel_layer.group_discard(announce.CHATS_GROUP, self.channel_name)
        await self._watch_nothing()
        await self._be(None)

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
        except visitors.NotTheirs:
            await self._start_over()

    async def _take(self, frame: protocol.Frame, entry_point: EntryPoint) -> None:
        if isinstance(frame, protocol.Hello):
            await self._hello(frame, entry_point)
        elif self.guest is None:
            raise protocol.Refused("no_hello", _("Say hello first."), getattr(frame, "client_id", None))
        elif isinstance(frame, protocol.Say):
            await self._say(self.guest, frame.client_id, frame.text)
        elif isinstance(frame, protocol.Person):
            with override(self.spoken):
                asked = _("I would like to talk to a person.")
            await self._say(self.guest, frame.client_id, asked)
        elif isinstance(frame, protocol.Resume):
            await self._catch_up(after=frame.after)
        elif isinstance(frame, protocol.Typing):
            await self._tell_typing()
        elif isinstance(frame, protocol.CallMe):
            await self._call(frame.number)
        elif isinstance(frame, protocol.Identify):
            await self._identify(self.guest, frame.jwt)
        elif isinstance(frame, protocol.SignOut):
            await self._be(await in_thread(guests.signed_out, self.guest))
            await self._greet()
        else:
            await self._give_phone_code()

    async def _hello(self, frame: protocol.Hello, entry_point: EntryPoint) -> None:
        if frame.ticket:
            frame = await self._with_ticket(frame)
        guest = await in_thread(guests.known_by, frame.token, frame.session, entry_point)
        await self._be(guest)
        if frame.identity is not None:
            await self._believe(guest, frame.identity)
        is_new = self.guest is None or self.guest.visitor.id != guest.visitor.id
        await self._greet(None if is_new else frame.conversation, 0 if is_new else frame.after)

    async def _identify(self, guest: Guest, token: str) -> None:
        await self._believe(guest, token)
        if self.guest and self.guest.visitor.id != guest.visitor.id:
            await self._greet()
        elif self.guest:
            await self._send(type="identity", identity=self.guest.identity_frame)

    async def _believe(self, guest: Guest, token: str) -> None:
        """Has the guest be whom a host site's token names; what is wrong with it is said to the site's developer."""
        try:
            await self._be(await in_thread(guests.identified, guest, token))
        except NotBelieved as refusal:
            await self._send(type="error", code=refusal.code, reason=refusal.reason)

    async def _greet(self, conversation: str | None = None, after: int = 0) -> None:
        """Says who the guest is to us and where its chat stands: all of it, or what follows on `after` in the named conversation."""
        guest = self.guest
        if guest is None:
            return
        opening = await in_thread(delivery.opening, guest.entry_point, self.language)
        standing = await in_thread(delivery.standing, guest.visitor, guest.entry_point)
        stands = standing.state if standing else delivery.State("assistant", "", "")
        state = {"owner": stands.owner, "name": stands.name}
        known = {"token": guest.visitor.token, "session": guest.session, "identity": guest.identity_frame}
        await self._send(type="welcome", **known, state=state, **opening)
        await self._speak(stands.language)
        self.sent_upto = 0
        if standing is None:
            await self._watch_nothing()
            await self._send(type="entries", conversation=None, entries=[], upto=0)
            return
        # Watching comes first: what is written between the two is pushed, and not missed.
        await self._watch(standing.conversation_hex, standing.interaction_id, standing.interaction_public_id)
        if conversation == standing.conversation_hex:
            await self._catch_up(after=after)
            return
        for chapter in await in_thread(delivery.seen_before, standing.interaction_id, guest.visitor):
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

    async def _be(self, guest: Guest | None) -> None:
        """Has the socket be this guest's from now on, and hear when the browser's id is replaced."""
        before, self.guest = self.guest, guest
        if before and (guest is None or guest.visitor.id != before.visitor.id):
            await self.channel_layer.group_discard(announce.visitor_group(before.visitor.id), self.channel_name)
        if guest and (before is None or guest.visitor.id != before.visitor.id):
            await self.channel_layer.group_add(announce.visitor_group(guest.visitor.id), self.channel_name)

    async def _start_over(self) -> None:
        """This browser's id is out of use: whoever is on the socket has to say hello anew, with the token that they have then."""
        await self._watch_nothing()
        await self._be(None)
        await self._send(type="start_over")

    async def _say(self, guest: Guest, client_id: str, text: str) -> None:
        if self.interaction_id is None:
            await self._begin_session(guest, client_id)
        self.said_here.append(client_id)
        try:
            received = await self._receive(guest, client_id, text)
        except inbound.InteractionOver:
            guest = self.guest = guest.renewed()
            await self._begin_session(guest, client_id)
            await self._send(type="session", session=guest.session)
            received = await self._receive(guest, client_id, text)
        if self.interaction_id not in (None, received.interaction_id):
            await self._record_session(guest)
        if self.interaction_id != received.interaction_id or self.conversation_hex != received.conversation_hex:
            goes_on_elsewhere = self.conversation_hex not in (None, received.conversation_hex)
            await self._watch(received.conversation_hex, received.interaction_id, str(received.interaction_public_id))
            self.sent_upto = 0
            await self._catch_up(after=0)
            if goes_on_elsewhere:
                await self._show_state()
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
            source_id=f"chat:{guest.visitor.browser.series}:{client_id}",
            data={"client_id": client_id},
            language=self.language,
        )
        return await inbound.receive(message, channel="chat")

    async def _begin_session(self, guest: Guest, client_id: str) -> None:
        if not await limits.may_begin(limits.address_of(self.scope)):
            reason = _("Too many chats have begun from your network. Please try again in an hour, or call us.")
            raise protocol.Refused("too_many_chats", reason, client_id)
        await self._record_session(guest)

    async def _record_session(self, guest: Guest) -> None:
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
        if self.guest is None or self.interaction_id is None:
            return
        found = await in_thread(delivery.place_of, self.interaction_id, self.guest.visitor)
        if found != self.conversation_hex:
            await self._watch(found, self.interaction_id, self.interaction_public_id)
            self.sent_upto = 0
            await self._catch_up(after=0)

    async def _catch_up(self, *, after: int) -> None:
        if self.guest is None or self.interaction_id is None:
            return
        while True:
            entries, upto, chosen = await in_thread(delivery.seen_since, self.interaction_id, self.guest.visitor, after=after)
            self.sent_upto = max(self.sent_upto, upto)
            # It may have been chosen, by the first words, before this socket watched.
            await self._speak(chosen)
            await self._send(type="entries", conversation=self.conversation_hex, entries=entries, upto=upto)
            if len(entries) < access.PAGE:
                return
            after = upto

    async def _tell_typing(self) -> None:
        if self.conversation_hex:
            await announce.send(
                announce.conversation_group(self.conversation_hex),
                announce.activity(self.conversation_hex, who="customer", name="", what="typing"),
            )

    async def _give_phone_code(self) -> None:
        if self.guest is None or self.interaction_id is None:
            raise protocol.Refused("nothing_said", _("Write a first message, and a code comes here that takes it along to the phone."))
        frame = await in_thread(delivery.phone_code, self.interaction_id, self.guest.visitor)
        if frame is None:
            raise protocol.Refused("no_phone", _("There is no number to call at the moment."))
        await self._send(**frame)

    async def _call(self, number: str) -> None:
        if self.guest is None or self.interaction_id is None:
            raise protocol.Refused("nothing_said", _("Write a first message, then we can call you."))
        network_is_over = not await limits.may_ask_for_call(limits.address_of(self.scope))
        try:
            frame = await in_thread(delivery.call, self.interaction_id, self.guest.visitor, number, network_is_over=network_is_over)
        except calling_back.NotCalled as refusal:
            raise protocol.Refused("not_called", str(refusal)) from None
        await self._send(**frame)

    async def entries_appended(self, event: dict[str, Any]) -> None:
        """Shows pushed entries; a hole is read from the database, a repetition is ignored.

        What they say of the conversation is looked at even when a catch-up has passed them by already.
        """
        if event["conversation"] != self.conversation_hex:
            return
        try:
            await self._show_pushed(event["entries"])
        except visitors.NotTheirs:
            # Who goes on under another id is said in a push of its own, behind this one; nothing more is shown until then.
            await self._watch_nothing()

    async def _show_pushed(self, entries: list[dict[str, Any]]) -> None:
        new = [entry for entry in entries if entry["seq"] > self.sent_upto]
        if new:
            await self._show_new(new)
        kinds = {entry["kind"] for entry in entries}
        if any(entry["kind"] == "identity.proven" and entry["interaction"] == self.interaction_public_id for entry in entries):
            # Who has proven to be the customer sees more than before, and whose id was replaced nothing any more.
            await self._catch_up(after=0)
        if not kinds.isdisjoint(MOVES_LINES):
            await self._follow_line()
        if not kinds.isdisjoint(("owner.changed", "handoff.requested", "conversation.closed", "language.chosen", *MOVES_LINES)):
            await self._show_state()

    async def entries_redacted(self, event: dict[str, Any]) -> None:
        """Shows entries that the party has seen as they are after something was taken out of them."""
        seqs = [entry["seq"] for entry in event["entries"] if entry["seq"] <= self.sent_upto and _for_parties(entry)]
        if self.guest and self.interaction_id and event["conversation"] == self.conversation_hex and seqs:
            try:
                entries = await in_thread(delivery.seen_among, self.interaction_id, self.guest.visitor, seqs)
            except visitors.NotTheirs:
                await self._watch_nothing()
                return
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

    async def visitor_replaced(self, event: dict[str, Any]) -> None:
        """The browser's id was replaced: the socket that said what it was replaced for goes on, any other starts over."""
        if self.guest is None or self.guest.visitor.id != event["visitor"]:
            return
        if event["successor"] and event["heir"] in self.said_here:
            await self._be(self.guest.under(event["successor"]))
            await self._greet()
        else:
            await self._start_over()

    async def activity(self, event: dict[str, Any]) -> None:
        """Shows that the other side types or drafts; what goes to another party or comes from the customer is not shown."""
        if event["who"] != "customer" and event["interaction"] in (None, self.interaction_public_id):
            await self._send(type="activity", who=event["who"], name=event["name"], what=event["what"], text=event["text"])

    async def _show_state(self) -> None:
        stands = await in_thread(delivery.state_of, self.conversation_hex)
        await self._speak(stands.language)
        await self._send(type="state", owner=stands.owner, name=stands.name)

    async def _speak(self, chosen: str) -> None:
        """Has the widget speak the language that was chosen in the conversation, or the page's where none was."""
        entry_point = self.guest.entry_point if self.guest else self.entry_point
        if entry_point is None:
            return
        wanted = chosen or self.language or entry_point.language.partition("-")[0]
        if wanted != self.spoken:
            self.spoken = wanted
            await self._send(**delivery.spoken(entry_point, wanted))

    async def answering_changed(self, event: dict[str, Any]) -> None:
        """Says who answers from now on, and whether people are there."""
        if self.guest:
            opening = await in_thread(delivery.opening, self.guest.entry_point, self.language)
            await self._send(type="answering", **opening)

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
    return OPEN_DOOR.first(address=address.replace("\x00", ""))


def _origin_allowed(scope: Any, entry_point: EntryPoint) -> bool:
    headers = dict(scope["headers"])
    origin = headers.get(b"origin", b"").decode("latin-1").rstrip("/").lower()
    if not origin:
        return True
    host = headers.get(b"host", b"").decode("latin-1").lower()
    return origin.split("://", 1)[-1] == host or origin in [str(each).rstrip("/").lower() for each in entry_point.allowed_origins]
