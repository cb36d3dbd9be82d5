"""Links of the company (to pay, to a form, to an article) sent to a customer by text message or email."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import Identifier, Interaction, SentLink, SentText
from conversations.models.consent import Purpose
from conversations.selectors.consent import suppression_of
from conversations.services import consent, consent_texts, identity, messengers, numbers, sent_texts, timeline
from conversations.services.parties import IdentifierClaim
from conversations.services.staff_words import in_staffs_language
from conversations.services.timeline import Appended, NewEntry

LASTS: Final = timedelta(minutes=15)
"""For how long the request to be sent a text message lets one through."""
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
MOST_TO_ONE_IN_AN_HOUR: Final = 3
MOST_TO_ONE_IN_A_DAY: Final = 6


class NotSendable(Exception):
    """No link is sent: `code` for programs, and a sentence for whoever wanted it."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


def send(
    line: Interaction, *, code: str, label: str, address: str, to: IdentifierClaim, made_by: str, key: str, tells: bool = False
) -> SentLink:
    """Sends one of the company's links to a number or address in normal form; a `key` that was sent is not sent again.

    To who wants no contact nothing is sent, which only staff are told, in the history and where `tells`: whoever asks on a line
    cannot find out who that is. A caller is told of the number that they call from.

    Must not run in a transaction. A process that dies between the message and the note of it makes the next one send it twice:
    once too often rather than never. Takes the number's or address's advisory lock while the limits are looked at. Raises
    NotSendable.
    """
    earlier = SentLink.objects.filter(idempotency_key=key).first()
    if earlier is not None and earlier.sent_at is not None:
        return earlier
    is_welcome = _is_welcome(line, to, made_by)
    if not is_welcome and (tells or consent.own_number(line) == (to.kind, to.value)):
        raise NotSendable("not_wanted", _("No link can be sent there."))
    with transaction.atomic():
        identity.lock([to])
        if _is_too_many(to, but=key):
            raise NotSendable("too_many", _("Several links were sent there already, so no other one is sent for now."))
        row, _created = SentLink.objects.get_or_create(
            idempotency_key=key, defaults={"interaction": line, "link": code, "kind": to.kind, "value": to.value}
        )
    text: SentText | None = None
    try:
        if is_welcome:
            text = _deliver(line, to, label, address)
    except messengers.NotSent as problem:
        raise NotSendable("not_sent", _("The link could not be sent.")) from problem
    with transaction.atomic():
        SentLink.objects.filter(pk=row.pk).update(sent_at=Now())
        told = _note(line, row, label, made_by, was_sent=is_welcome)
        if text is not None:
            sent_texts.tell_of(text, told)
    return row


def _is_welcome(line: Interaction, to: IdentifierClaim, made_by: str) -> bool:
    """Whether the holder lets themselves be written to because somebody asks for a link. Raises NotSendable for a number without texts."""
    if to.kind == Identifier.Kind.EMAIL:
        return suppression_of(to.kind, to.value) is None
    if not numbers.takes_texts(to.value):
        raise NotSendable("no_texts", _("That number does not take text messages."))
    asked = consent.ask_for(
        line, Purpose.SMS, to.value, wording=str(consent_texts.LINK_ASKED_FOR), lasts=LASTS, recorded_by=made_by
    )
    return asked.allowed


def _is_too_many(to: IdentifierClaim, *, but: str) -> bool:
    now = timezone.now()
    sent = SentLink.objects.filter(value=to.value).exclude(idempotency_key=but)
    in_an_hour, in_a_day = (sent.filter(asked_at__gt=now - period).count() for period in (HOUR, DAY))
    return in_an_hour >= MOST_TO_ONE_IN_AN_HOUR or in_a_day >= MOST_TO_ONE_IN_A_DAY


def _deliver(line: Interaction, to: IdentifierClaim, label: str, address: str) -> SentText | None:
    """Sends it; returns the text message, if it was one."""
    company = line.entry_point.company_name
    text = _("%(company)s: %(label)s: %(address)s") % {"company": company, "label": label, "address": address}
    if to.kind == Identifier.Kind.EMAIL:
        subject = _("%(label)s, from %(company)s") % {"label": label, "company": company}
        messengers.send_email(to=to.value, subject=subject, text=text)
        return None
    return sent_texts.send_one(line, what=SentText.What.LINK, to=to.value, text=text)


@in_staffs_language()
def _note(line: Interaction, row: SentLink, label: str, made_by: str, *, was_sent: bool) -> Appended:
    place = Interaction.objects.values_list("conversation", flat=True).get(pk=line.pk)
    way = _("by email") if row.kind == Identifier.Kind.EMAIL else _("by text message")
    told = _("A link was sent %(way)s: %(label)s.")
    if not was_sent:
        told = _("A link was asked for %(way)s and not sent, since its receiver wants no contact: %(label)s.")
    return timeline.append(
        place,
        NewEntry(
            kind="link.sent",
            actor_kind="system",
            actor_name=made_by,
            audience="staff",
            interaction=line,
            body=told % {"way": way, "label": label},
            data={"link": row.link},
            source_id=f"link:{row.pk}",
        ),
    )
