"""From a call into a web chat: a link is opened, and a new chat session goes on where the call is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.flows import inbound, wrapping_up
from conversations.models import ChatLink, EntryPoint, Identifier, Interaction
from conversations.models.entry_point import Channel
from conversations.models.proof import Proof
from conversations.selectors import access, website
from conversations.services import chat_links, identity, joining, raising, threads, timeline, transport
from conversations.services.parties import IdentifierClaim, Party
from conversations.services.timeline import NewEntry

MADE_BY: Final = "text link"


class NotOpened(Exception):
    """The link opens nothing; `code` for programs, and a sentence for whoever opened it."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


@dataclass(frozen=True, slots=True)
class Opened:
    """Where a link leads. `is_new` says that a chat session was begun for it; otherwise the browser holds the call's chat already."""

    door: EntryPoint
    is_new: bool


def look_at(token: str) -> EntryPoint:
    """The web chat that a link would open; changes nothing, since scanners look at links, too. Raises NotOpened."""
    return _openable(token)[1]


def open_link(token: str, *, party: Party, session: str, browser: str = "") -> Opened:
    """Uses a link up and has a new chat session, of a new visitor, go on in the conversation of the call.

    The text message reached whoever opens it, so the party of the chat has proven to hold the number: that is kept as proof.
    `party` and `session` are a new visitor's and its first session's: a token that this browser had before may have been
    planted there. `browser` is the visitor that the browser is so far, if any; when that one's chat is another party's, the
    link stays good, to be opened elsewhere. One transaction; takes the advisory locks of the number and the visitor, then the
    link's row, then what `raising` and `joining` lock. Raises NotOpened.
    """
    link, door = _openable(token)
    is_new = not _is_here(link.interaction, browser)
    number = IdentifierClaim(Identifier.Kind.PHONE, link.value, "verified")
    with transaction.atomic():
        identity.lock([number, *party.claims])
        if not chat_links.use_up(link):
            raise _why_closed(ChatLink.objects.get(pk=link.pk)) or _too_old()
        if is_new:
            transport.record_chat_session(session_id=session, entry_point_address=door.address, visitor=party.display)
            _begin(link, number, door, party, session)
    return Opened(door, is_new)


def _openable(token: str) -> tuple[ChatLink, EntryPoint]:
    link = chat_links.find(token)
    if link is None:
        raise NotOpened("unknown", _("This link is not complete. Open it from the text message itself, or ask for a new one on the phone."))
    problem = _why_closed(link)
    if problem:
        raise problem
    door = website.chat_door_beside(link.interaction.entry_point)
    if door is None or joining.going_on_from(link.interaction.conversation) is None:
        raise NotOpened("over", _("The call that this link came from is closed by now. You can write to us or call us anew."))
    return link, door


def _why_closed(link: ChatLink) -> NotOpened | None:
    """Why a link opens nothing any more; None when it still does."""
    if link.used_at:
        return NotOpened("used", _("This link was opened already, and opens only once. Ask for a new one on the phone."))
    return _too_old() if link.expires_at <= timezone.now() else None


def _too_old() -> NotOpened:
    return NotOpened("too_old", _("This link is too old: it was good for 15 minutes. Ask for a new one on the phone."))


def _is_here(call: Interaction, browser: str) -> bool:
    """Whether the browser holds a chat of the call's party. Raises NotOpened when it holds another party's."""
    if not browser or not access.has_open_chat(browser):
        return False
    if access.lines_of_party(call).filter(channel=Channel.CHAT, party=browser).exists():
        return True
    raise NotOpened(
        "other_chat",
        _("Another chat with us is open in this browser, so nothing was opened. Open the link on your phone, or in a private window."),
    )


def _begin(link: ChatLink, number: IdentifierClaim, door: EntryPoint, party: Party, session: str) -> None:
    sentence = _("The link sent by text message to the number of the call was opened.")
    customer = identity.resolve(party.claims, source=door.get_channel_display(), region=door.default_region)
    chat = threads.start_interaction(threads.open_or_resume(customer), entry_point=door, provider_id=session, party=party)
    chat = raising.raise_line(chat, number, method=Proof.Method.TEXT_LINK, made_by=MADE_BY, sentence=sentence)
    call = Interaction.objects.select_related("conversation").get(pk=link.interaction_id)
    place = joining.join(chat, call.conversation, method="text_link", sentence=sentence)
    chat_links.note_opened(link, chat)
    chat.refresh_from_db()
    inbound.disclose(chat, door)
    _greet(chat, door)
    wrapping_up.talk_again_after_commit(place)


def _greet(chat: Interaction, door: EntryPoint) -> None:
    with override(chat.language):
        text = _("Here you can go on in writing. What was said on the phone is known here.")
    timeline.append(
        chat.conversation_id,
        NewEntry(
            kind="message",
            actor_kind="system",
            actor_name=door.company_name,
            body=text,
            interaction=chat,
            source_id=f"went-on-in-chat:{chat.public_id.hex}",
        ),
    )
