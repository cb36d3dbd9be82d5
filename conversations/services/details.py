"""What a record says of a person, put right at their own request: the value before and after stand in the history."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import Case, Q, QuerySet, Value, When
from django.utils.translation import gettext as _

from conversations.models import Customer, Entry, Identifier, Interaction
from conversations.models.identifier import PUT_RIGHT, PUT_RIGHT_BEFORE, SAID, Assurance
from conversations.services import facts, identity, records, timeline
from conversations.services.action_items import By
from conversations.services.facts import FACT_LABELS, LearnedFact
from conversations.services.staff_words import in_staffs_language
from conversations.services.timeline import NewEntry

COLUMNS: Final = {"name": 200, "postcode": 16, "address": 300}
"""Columns of the record, and how long what stands there may be."""
IDENTIFIERS: Final = (Identifier.Kind.PHONE.value, Identifier.Kind.EMAIL.value)
CHANGEABLE: Final = (*COLUMNS, *IDENTIFIERS)
COUNTS_FIRST: Final = tuple(
    When(condition, then=Value(place))
    for place, condition in enumerate((Q(source=PUT_RIGHT), *(Q(assurance=each) for each in (Assurance.VERIFIED, Assurance.NETWORK_HINT))))
)


class NotChangeable(ValueError):
    """The value cannot be kept, in a sentence for people."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A detail as it reads now, and as it read before; empty when nothing was known."""

    fact: str
    before: str
    after: str


def change(line: Interaction, fact: str, value: str, *, by: By, key: str) -> Changed:
    """Writes one detail of the record that a line is filed under; the same `key` again changes nothing.

    A number or address is added as one that was told and not proven; those before stay, since they may still reach the
    person. Whether the party may change anything is for the caller to have settled. One transaction; locks the customer, then
    the conversation. Raises NotChangeable.
    """
    if fact not in CHANGEABLE:
        raise NotChangeable(_("That cannot be changed here."))
    source_id = f"record.changed:{key}"
    with transaction.atomic():
        fresh = Interaction.objects.select_related("conversation__customer", "entry_point").get(pk=line.pk)
        customer = records.lock_root(fresh.conversation.customer)
        told = Entry.objects.filter(source_id=source_id).first()
        if told is not None:
            return Changed(fact, str(told.data.get("replaces") or ""), str(told.data.get("value") or ""))
        normal, before = _normal(fact, value, fresh.entry_point.default_region), _standing(customer, fact)
        _write(customer, fact, normal)
        with in_staffs_language():
            label = FACT_LABELS.get(fact, fact)
            sentence = _("%(label)s on the record is now: %(value)s") % {"label": label, "value": facts.written(fact, normal)}
        appended = timeline.append(
            fresh.conversation_id,
            NewEntry(
                kind="record.changed",
                actor_kind=by.kind,
                actor_name=by.name,
                audience="staff",
                body=sentence,
                interaction=fresh,
                data={"name": fact, "value": normal, "replaces": before},
                source_id=source_id,
            ),
        )
        noted_by = by.name if by.kind == Entry.Actor.AGENT else ""
        learned = LearnedFact(fact, normal, normal, by=noted_by)
        facts.learn(fresh.conversation, [learned], interaction=fresh, from_seq=appended.seq)
    return Changed(fact, before, normal)


def of_record(customer: int, kinds: Collection[str]) -> dict[str, str]:
    """The number and the address that stand on a record, by the kind of `kinds` that it has any of: what was put right last goes first,
    then the surest and newest. What was only said while somebody talked with us is none. One statement."""
    rows = _standing_of(customer).filter(kind__in=kinds).values_list("kind", "value")
    found: dict[str, str] = {}
    for kind, value in rows:
        found.setdefault(kind, value)
    return found


def _standing_of(customer: int) -> QuerySet[Identifier]:
    rows = Identifier.objects.filter(customer=customer).exclude(source=SAID)
    return rows.order_by(Case(*COUNTS_FIRST, default=Value(len(COUNTS_FIRST))), "-last_seen_at", "-pk")


def _normal(fact: str, value: str, region: str) -> str:
    words = " ".join(value.replace("\x00", "").split())
    if fact in IDENTIFIERS:
        try:
            return identity.normalise(fact, words, region)
        except identity.InvalidIdentifier as problem:
            raise NotChangeable(_("That is not a number or address that I can note.")) from problem
    if not words:
        raise NotChangeable(_("There is nothing to note."))
    return words[: COLUMNS[fact]]


def _standing(customer: Customer, fact: str) -> str:
    if fact in IDENTIFIERS:
        return of_record(customer.pk, [fact]).get(fact, "")
    return str(getattr(customer, fact))


def _write(customer: Customer, fact: str, value: str) -> None:
    if fact in IDENTIFIERS:
        identity.claim(customer, fact, value, source=PUT_RIGHT)
        known = customer.identifiers.filter(kind=fact)
        known.filter(source=PUT_RIGHT).exclude(value=value).update(source=PUT_RIGHT_BEFORE)
        # It may have been known before, from what was said or from elsewhere.
        known.filter(value=value).update(source=PUT_RIGHT)
        return
    stored = "".join(each for each in value.upper() if each.isalnum()) if fact == "postcode" else value
    setattr(customer, fact, stored)
    records.correct(customer, [fact])
