"""Links that carry a call into a web chat: sent by text message to the call's own number, opened once, for a quarter of an hour."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final
from urllib.parse import urljoin

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import ChatLink, EntryPoint, Interaction, SentText
from conversations.models.consent import Purpose
from conversations.models.entry_point import Channel
from conversations.models.identifier import Identifier
from conversations.models.keyed_hash import keyed_hash
from conversations.selectors import website
from conversations.services import consent, consent_texts, identity, messengers, numbers, sent_texts, timeline
from conversations.services.parties import IdentifierClaim
from conversations.services.staff_words import in_staffs_language
from conversations.services.timeline import Appended, NewEntry

LIFETIME: Final = timedelta(minutes=15)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
MOST_TO_A_NUMBER_IN_AN_HOUR: Final = 3
MOST_TO_A_NUMBER_IN_A_DAY: Final = 5
SALT: Final = "chat.link"
SEPARATOR: Final = "."


class NoLink(Exception):
    """No link is sent: `code` for programs, and a sentence for the caller or for whoever wanted to send one."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


def send(call: Interaction, *, made_by: str, wording: str = "") -> ChatLink:
    """Sends a link to the number that the call shows, and to no other; an earlier link of the call opens nothing any more.

    `wording` is how it was offered, by default in the AI agent's words.

    Must not run in a transaction. Takes the number's advisory lock while the caps are looked at. Raises NoLink.
    """
    claim = _number_of(call)
    door = website.chat_door_beside(call.entry_point)
    if door is None:
        raise NoLink("no_chat", _("There is no web chat that a link could lead to."))
    words = wording or str(consent_texts.CHAT_LINK)
    if not consent.ask_for(call, Purpose.SMS, claim.value, wording=words, lasts=LIFETIME, recorded_by=made_by).allowed:
        raise NoLink("not_wanted", _("No link can be sent to this number."))
    token = signing.Signer(sep=SEPARATOR, salt=SALT).sign(secrets.token_urlsafe(16))
    with transaction.atomic():
        identity.lock([claim])
        if _is_too_many(claim.value):
            raise NoLink("too_many", _("Several links were sent to this number already, so no other one is sent for now."))
        ChatLink.objects.filter(interaction=call, used_at__isnull=True).update(expires_at=Now())
        link = ChatLink.objects.create(
            interaction=call, value=claim.value, token_hash=_hash(token), expires_at=timezone.now() + LIFETIME
        )
    try:
        text = sent_texts.send_one(call, what=SentText.What.LINK, to=claim.value, text=_text(door, token))
    except messengers.NotSent as problem:
        ChatLink.objects.filter(pk=link.pk).update(expires_at=Now())
        raise NoLink("not_sent", _("The text message could not be sent.")) from problem
    sent_texts.tell_of(text, _note(call, link, made_by))
    return link


def may_send(call: Interaction) -> bool:
    """Whether a call shows a number that a link could be texted to."""
    return call.channel == Channel.VOICE and call.party.startswith("+") and numbers.takes_texts(call.party)


def find(token: str) -> ChatLink | None:
    """The link with this token, whatever became of it; None when it was altered or never sent. Changes nothing."""
    try:
        signing.Signer(sep=SEPARATOR, salt=SALT).unsign(token)
    except signing.BadSignature:
        return None
    found = ChatLink.objects.select_related("interaction__entry_point", "interaction__conversation")
    return found.filter(token_hash=_hash(token)).first()


def use_up(link: ChatLink) -> bool:
    """Marks a link as opened, once, and says whether this call did it; False when it is used or too old.

    Must run in a transaction; locks the link's row, so that whoever opens it at the same instant waits and finds it used.
    """
    return bool(ChatLink.objects.filter(pk=link.pk, used_at__isnull=True, expires_at__gt=Now()).update(used_at=Now()))


def note_opened(link: ChatLink, chat: Interaction) -> None:
    """Keeps which chat a link has opened, so that its party sees the call. Needs the transaction of `use_up`."""
    ChatLink.objects.filter(pk=link.pk).update(used_by=chat)


def _number_of(call: Interaction) -> IdentifierClaim:
    """The number that the call shows. Raises NoLink when it shows none, or none that takes text messages."""
    if call.channel != Channel.VOICE or not call.party.startswith("+"):
        raise NoLink("no_number", _("The number of this call is not shown, so no link can be sent to it."))
    if not numbers.takes_texts(call.party):
        raise NoLink("no_texts", _("The number of this call does not take text messages."))
    return IdentifierClaim(Identifier.Kind.PHONE, call.party, "network_hint")


def _is_too_many(number: str) -> bool:
    now = timezone.now()
    sent = ChatLink.objects.filter(value=number)
    in_an_hour, in_a_day = (sent.filter(sent_at__gt=now - period).count() for period in (HOUR, DAY))
    return in_an_hour >= MOST_TO_A_NUMBER_IN_AN_HOUR or in_a_day >= MOST_TO_A_NUMBER_IN_A_DAY


def _text(door: EntryPoint, token: str) -> str:
    words = _("%(company)s: carry on your call in our web chat: %(link)s\nGood for 15 minutes, opens once. Not asked for? Do not open it.")
    return words % {"company": door.company_name, "link": urljoin(settings.PUBLIC_URL, f"/c/{token}")}


@in_staffs_language()
def _note(call: Interaction, link: ChatLink, made_by: str) -> Appended:
    place = Interaction.objects.values_list("conversation", flat=True).get(pk=call.pk)
    sentence = _("A link to the chat was sent by text message to the number ending in %(ending)s.")
    return timeline.append(
        place,
        NewEntry(
            kind="link.sent",
            actor_kind="system",
            actor_name=made_by,
            audience="staff",
            interaction=call,
            body=sentence % {"ending": numbers.ending(link.value)},
            source_id=f"chat-link:{link.pk}",
        ),
    )


def _hash(token: str) -> str:
    return keyed_hash("chat-link", token)
