"""One-time codes by email and text message: who holds an address or number, shown on the line on which it was asked.

The same happens for every address, whether or not there is a record of it. A guess is counted, and the count committed,
before the code is looked at.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from conversations.models import Entry, Identifier, Interaction, OneTimeCode, SentText
from conversations.models.consent import Purpose
from conversations.models.entry_point import Channel
from conversations.selectors.consent import suppression_of
from conversations.services import consent, consent_texts, identity, messengers, raising, sent_texts, timeline, visitors
from conversations.services.parties import IdentifierClaim
from conversations.services.staff_words import in_staffs_language
from conversations.services.timeline import Appended, NewEntry

CODE_DIGITS = 6
LIFETIME = timedelta(minutes=10)
MAX_ATTEMPTS = 5
MAX_SENT_ON_A_LINE = 3
MAX_SENT_BY_A_PARTY_IN_AN_HOUR = 6
MAX_SENT_TO_ONE_IN_AN_HOUR = 5
MAX_SENT_TO_ONE_IN_A_DAY = 10
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class TooManyCodes(Exception):
    """No further code is sent: on this line, by this party, or to this address."""


class NoLiveCode(Exception):
    """There is no code that could be tried: none was sent, or it is used, too old, or tried too often."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a try: whether it was right, and how many more there are when it was not."""

    is_right: bool
    tries_left: int = 0


def send(interaction: Interaction, claim: IdentifierClaim, *, made_by: str, wording: str = "") -> OneTimeCode:
    """Sends a code to an email address or a number in normal form, good for ten minutes and for this line.

    `wording` is how it was offered, by default in the AI agent's words.

    An earlier code of the line ends. To who is on the do-not-contact list nothing is sent, which only staff are told: whoever
    asks cannot find out who is on it. Must not run in a transaction. Takes the customer's lock, then the address's advisory
    lock and the interaction's row, while the caps are looked at. Raises TooManyCodes, messengers.NotSent.
    """
    welcome = is_welcome(interaction, claim, made_by=made_by, wording=wording)
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    with transaction.atomic():
        identity.lock([claim])
        line = Interaction.objects.select_for_update(no_key=True, of=("self",)).select_related("entry_point").get(pk=interaction.pk)
        if _is_too_many(line, claim):
            raise TooManyCodes
        OneTimeCode.objects.filter(interaction=line, used_at__isnull=True, ended_at__isnull=True).update(ended_at=Now())
        row = OneTimeCode.objects.create(
            interaction=line,
            way=OneTimeCode.Way.EMAIL if claim.kind == Identifier.Kind.EMAIL else OneTimeCode.Way.TEXT,
            kind=claim.kind,
            value=claim.value,
            code_hash=_hash(line, code),
            expires_at=Now() + LIFETIME,
        )
        sentence = _sent_sentence(row) if welcome else _("A one-time code was asked for and not sent: its receiver wants no contact.")
        told = _note(line, "identity.code_sent", sentence, made_by, {"way": row.way, "to": row.value})
    try:
        if welcome:
            _deliver(row, line, code, told)
    except messengers.NotSent:
        OneTimeCode.objects.filter(pk=row.pk, used_at__isnull=True).update(ended_at=Now())
        raise
    return row


def check(interaction: Interaction, code: str, *, made_by: str) -> Checked:
    """Tries a code on the line that it was sent for. When it is right the line is raised; see `raising`.

    Must not run in a transaction: the try is counted in one of its own. Then takes what `raising.raise_line` takes. Raises
    NoLiveCode.
    """
    tried = _count_try(interaction)
    if tried is None:
        raise NoLiveCode
    row, attempts = tried
    if not hmac.compare_digest(row.code_hash, _hash(interaction, re.sub(r"\D", "", code))):
        left = MAX_ATTEMPTS - attempts
        _note(interaction, "identity.code_refused", _("A wrong one-time code was given."), made_by, {"tries_left": left})
        return Checked(False, left)
    claim = IdentifierClaim(row.kind, row.value, "verified")
    with transaction.atomic():
        identity.lock([claim])
        used = OneTimeCode.objects.filter(pk=row.pk, used_at__isnull=True, ended_at__isnull=True).update(used_at=Now())
        if not used:
            raise NoLiveCode
        sentence = _given_sentence(row)
        if interaction.channel == Channel.CHAT:
            line = Interaction.objects.select_related("conversation__customer").get(pk=interaction.pk)
            heir = _said_by(line, row, code)
            visitors.raise_browser(line, claim, method="one_time_code", made_by=made_by, sentence=sentence, heir=heir)
        else:
            raising.raise_line(interaction, claim, method="one_time_code", made_by=made_by, sentence=sentence)
    return Checked(True)


def was_written(interaction: Interaction, code: str) -> bool:
    """Whether the customer has written these digits on the line since the live code of it was sent."""
    row = live_code(interaction)
    return row is not None and _message_with(interaction, row, code) is not None


def live_code(interaction: Interaction) -> OneTimeCode | None:
    """The code that this line may try now, if any."""
    alive = OneTimeCode.objects.filter(interaction=interaction, used_at__isnull=True, ended_at__isnull=True, expires_at__gt=Now())
    return alive.filter(attempts__lt=MAX_ATTEMPTS).first()


def _said_by(line: Interaction, row: OneTimeCode, code: str) -> str:
    """The client id of the message that the code was said in, or ""."""
    message = _message_with(line, row, code)
    return str(message.data.get("client_id", "")) if message else ""


def _message_with(line: Interaction, row: OneTimeCode, code: str) -> Entry | None:
    """The first message with the code since it was sent, as others may have read it there."""
    digits = re.sub(r"\D", "", code)
    messages = Entry.objects.filter(interaction=line, kind="message", actor_kind="customer", recorded_at__gte=row.sent_at)
    return next((each for each in messages.order_by("seq") if digits and digits in re.sub(r"\D", "", each.body)), None)


def _count_try(interaction: Interaction) -> tuple[OneTimeCode, int] | None:
    """Counts one try of the live code in one statement, so that no number of simultaneous guesses gets more than five."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE conversations_onetimecode SET attempts = attempts + 1 WHERE interaction_id = %s AND used_at IS NULL"
            " AND ended_at IS NULL AND expires_at > statement_timestamp() AND attempts < %s RETURNING id, attempts",
            [interaction.pk, MAX_ATTEMPTS],
        )
        found = cursor.fetchone()
    return (OneTimeCode.objects.get(pk=found[0]), found[1]) if found else None


def _is_too_many(line: Interaction, claim: IdentifierClaim) -> bool:
    codes = OneTimeCode.objects.all()
    by_party = codes.filter(interaction__party=line.party, interaction__channel=line.channel, sent_at__gt=Now() - HOUR)
    to_one = codes.filter(kind=claim.kind, value=claim.value)
    return (
        codes.filter(interaction=line).count() >= MAX_SENT_ON_A_LINE
        or (line.party != "" and by_party.count() >= MAX_SENT_BY_A_PARTY_IN_AN_HOUR)
        or to_one.filter(sent_at__gt=Now() - HOUR).count() >= MAX_SENT_TO_ONE_IN_AN_HOUR
        or to_one.filter(sent_at__gt=Now() - DAY).count() >= MAX_SENT_TO_ONE_IN_A_DAY
    )


def is_welcome(interaction: Interaction, claim: IdentifierClaim, *, made_by: str, wording: str = "") -> bool:
    """Whether the holder of an address or number lets themselves be written to because somebody asks for a code.

    Keeps that it was asked for, and how it was offered, by default in the AI agent's words. Locks the customer.
    """
    if claim.kind == Identifier.Kind.EMAIL:
        return suppression_of(claim.kind, claim.value) is None
    is_own = consent.own_number(interaction) == (claim.kind, claim.value)
    offer = consent_texts.CODE_TO_NUMBER % {"number": consent_texts.NUMBER_LEFT_OUT} if is_own else str(consent_texts.CODE_SOMEWHERE)
    asked = consent.ask_for(interaction, Purpose.SMS, claim.value, wording=wording or offer, lasts=LIFETIME, recorded_by=made_by)
    return asked.allowed


def _deliver(row: OneTimeCode, line: Interaction, code: str, told: Appended) -> None:
    company = line.entry_point.company_name
    text = _(
        "%(code)s is your code for %(company)s. It is good for ten minutes. If you did not ask for it, do nothing, and tell it to"
        " nobody who calls you."
    )
    text %= {"code": code, "company": company}
    if row.way == OneTimeCode.Way.EMAIL:
        messengers.send_email(to=row.value, subject=_("Your code for %(company)s") % {"company": company}, text=text)
    else:
        sent_texts.send_one(line, what=SentText.What.CODE, to=row.value, text=text, told=told)


@in_staffs_language()
def _sent_sentence(row: OneTimeCode) -> str:
    return _("A one-time code was sent by %(way)s.") % {"way": str(row.get_way_display()).lower()}


@in_staffs_language()
def _given_sentence(row: OneTimeCode) -> str:
    return _("The one-time code sent by %(way)s was given.") % {"way": str(row.get_way_display()).lower()}



def _note(interaction: Interaction, kind: str, sentence: str, made_by: str, data: dict[str, object]) -> Appended:
    place = Interaction.objects.values_list("conversation", flat=True).get(pk=interaction.pk)
    return timeline.append(
        place,
        NewEntry(
            kind=kind, actor_kind="system", actor_name=made_by, audience="staff", interaction=interaction, body=sentence, data=data
        ),
    )


def _hash(interaction: Interaction, code: str) -> str:
    """Keyed, and bound to the line, so that a code is worth nothing on another one."""
    return hmac.new(settings.SECRET_KEY.encode(), f"one-time-code:{interaction.pk}:{code}".encode(), sha256).hexdigest()
