"""What a conversation has learned about its need: each fact once, with where it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import phonenumbers
from django.db import transaction
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation, Customer, Entry, Interaction
from conversations.models.identifier import SAID
from conversations.selectors import access, history, own_record
from conversations.services import identity, records, timeline
from conversations.services.timeline import NewEntry

FACT_LABELS = {
    "name": _("Name"),
    "phone": _("Phone"),
    "email": _("Email"),
    "postcode": _("Postcode"),
    "date": _("Date"),
    "time_window": _("Time"),
    "order_number": _("Reference"),
    "amount": _("Amount"),
    "date_of_birth": _("Date of birth"),
    "account_number": _("Customer number"),
}


@dataclass(frozen=True, slots=True)
class LearnedFact:
    """A fact as understood: its name, its value in normal form (text or plain JSON), the words it was read from."""

    name: str
    value: Any
    text: str = ""


@dataclass(frozen=True, slots=True)
class KnownFact:
    """A fact the conversation knows: where it stands in the history and how sure its giver was known to be."""

    name: str
    value: Any
    seq: int
    assurance: str
    channel: str


def known(conversation: Conversation) -> dict[str, KnownFact]:
    """What the conversation knows, by name."""
    return _known(conversation.facts)


def _known(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, KnownFact]:
    return {
        name: KnownFact(name, row["value"], row["seq"], row["assurance"], row.get("channel", "")) for name, row in rows.items()
    }


def told_by(conversation: Conversation, interaction: Interaction) -> dict[str, KnownFact]:
    """What a party gave itself in a conversation, on whichever of its lines, by name; of each fact the last one counts."""
    here = {conversation.pk, *(each.pk for each in history.going_on_in(conversation.pk))}
    lines = access.lines_of_party(interaction).filter(conversation__in=here)
    entries = Entry.objects.filter(interaction__in=lines, kind="fact.learned", data__has_key="value").select_related("interaction")
    return _known({str(each.data["name"]): _row(each.data, each.seq, each.interaction) for each in entries.order_by("recorded_at", "pk")})


def known_to(conversation: Conversation, interaction: Interaction) -> dict[str, KnownFact]:
    """What the AI agent may build on with a party, by name: what it gave itself, so that what is asked and what is not says nothing
    of others; everything for one that may know of them (`access.may_know_of_others`)."""
    if not conversation.facts:
        return {}
    return known(conversation) if access.may_know_of_others(interaction) else told_by(conversation, interaction)


def learn(conversation: Conversation, facts: Iterable[LearnedFact], *, interaction: Interaction | None, from_seq: int) -> list[LearnedFact]:
    """Stores what is new or different, or new from this party, as `fact.learned` entries and returns it.

    A name becomes the customer's when it has none and the record is the party's own; phone and email become claimed
    identifiers. Nothing is learned from words that were redacted while they were being read. Locks the customer's row and
    then the conversation's.
    """
    learned = []
    with transaction.atomic():
        records.lock_root(Customer.objects.get(conversations=conversation.pk))
        row = Conversation.objects.select_for_update(no_key=True).select_related("customer").get(pk=conversation.pk)
        if Entry.objects.filter(conversation=row, seq=from_seq, redacted_at__isnull=False).exists():
            return []
        given = told_by(row, interaction) if interaction and row.facts else known(row)
        for fact in facts:
            before, own = row.facts.get(fact.name), given.get(fact.name)
            if own and own.value == fact.value:
                continue
            _store(row, fact, before, interaction, from_seq)
            learned.append(fact)
        if learned:
            Conversation.objects.filter(pk=row.pk).update(facts=row.facts)
            conversation.facts = row.facts
    return learned


def gather(conversation_id: int) -> None:
    """Makes what a conversation knows what its entries say: those of its lines first, then of what was joined into it.

    Of each fact the last one learned counts. Needs the conversation's lock. Joining and separating call it, so that
    neither leaves anything behind.
    """
    joined = {each.pk for each in history.going_on_in(conversation_id)}
    here = {conversation_id, *joined}
    entries = (
        Entry.objects.filter(kind="fact.learned", data__has_key="value")
        .filter(Q(interaction__conversation__in=here) | Q(interaction__isnull=True, conversation__in=here))
        .select_related("interaction")
        .order_by("recorded_at", "pk")
    )
    own: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for entry in entries:
        known_facts = others if entry.conversation_id in joined else own
        known_facts[str(entry.data["name"])] = _row(entry.data, entry.seq, entry.interaction)
    Conversation.objects.filter(pk=conversation_id).update(facts=others | own)


def _row(data: Mapping[str, Any], seq: int, interaction: Interaction | None) -> dict[str, Any]:
    """A fact as the conversation's column keeps it."""
    return {
        "value": data["value"],
        "seq": seq,
        "assurance": data["assurance"],
        "channel": interaction.channel if interaction else "",
    }


def _store(row: Conversation, fact: LearnedFact, before: dict[str, Any] | None, interaction: Interaction | None, from_seq: int) -> None:
    assurance = access.assurance_of(interaction) if interaction else "claimed"
    value = timeline.clean(fact.value)
    label = FACT_LABELS.get(fact.name, fact.name)
    data = {
        "name": fact.name,
        "value": value,
        "from_seq": from_seq,
        "assurance": assurance,
        "replaces": before["value"] if before else None,
    }
    appended = timeline.append(
        row.pk,
        NewEntry(
            kind="fact.learned",
            actor_kind="system",
            audience="staff",
            body=f"{label}: {written(fact.name, value)}",
            interaction=interaction,
            data=data,
        ),
    )
    row.facts[fact.name] = _row(data, appended.seq, interaction)
    _note_on_customer(row.customer, fact.name, value, interaction)


def _note_on_customer(customer: Customer, name: str, value: Any, interaction: Interaction | None) -> None:
    if name == "name" and not customer.name and (interaction is None or own_record.is_own(customer, interaction)):
        Customer.objects.filter(pk=customer.pk, name="").update(name=str(value)[:200])
    if name in ("phone", "email"):
        region = interaction.entry_point.default_region if interaction else ""
        try:
            identity.claim(customer, name, str(value), source=SAID, region=region)
        except identity.InvalidIdentifier:
            return


def readable(value: Any) -> str:
    """A fact's value as people read it: a dict shows its own text, when it has one."""
    if isinstance(value, dict):
        return str(value.get("text") or ", ".join(f"{key} {each}" for key, each in value.items()))
    return str(value)


def written(name: str, value: Any) -> str:
    """A fact in its own spelling: “07700 900123”, “Tuesday 24 November”, “10:00 to 12:00”; anything else as it is."""
    text = readable(value)
    if name == "phone":
        return phone(text)
    if name == "time_window":
        return text.replace("-", f" {gettext('to')} ")
    if name == "date":
        try:
            return date_format(date.fromisoformat(text), "l j F")
        except ValueError:
            return text
    return text


def phone(number: str) -> str:
    """An E.164 number as people of its country write it; anything else as it is."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
