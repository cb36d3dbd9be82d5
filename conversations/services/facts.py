"""What a conversation has learned about its need: each fact once, with where it came from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import phonenumbers
from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation, Customer, Entry, Interaction
from conversations.models.identifier import SAID
from conversations.selectors import access, history, own_record, said
from conversations.selectors.reach import Reach
from conversations.services import identity, records, timeline
from conversations.services.staff_words import in_staffs_language
from conversations.services.timeline import NewEntry
from routing.compiled import CompiledOnce, Given

LEARNED: Final = CompiledOnce(
    lambda: Entry.objects.filter(
        interaction__pk__any_of=Given("lines"),
        interaction__conversation__pk__any_of=Given("conversations"),
        kind="fact.learned",
        data__has_key="value",
    )
    .select_related("interaction")
    .order_by("recorded_at", "pk")
)
ABOUT_THE_PERSON = frozenset({"name", "phone", "email", "address"})
"""The facts that say who somebody is and how they are reached; routing does not get to know them."""
CURRENCY_SIGNS = {"GBP": "£", "EUR": "€", "USD": "$"}
FACT_LABELS = {
    "name": _("Name"),
    "phone": _("Phone"),
    "email": _("Email"),
    "postcode": _("Postcode"),
    "address": _("Address"),
    "date": _("Date"),
    "time_window": _("Time"),
    "order_number": _("Reference"),
    "amount": _("Amount"),
    "date_of_birth": _("Date of birth"),
    "account_number": _("Customer number"),
    "at_risk": _("Very young, old or ill people there"),
}


@dataclass(frozen=True, slots=True)
class LearnedFact:
    """A fact as understood: its name, its value in normal form (text or plain JSON), the words it was read from.

    `shown` says that the line showed it, as a call its number, and `by` which person noted it: in both cases nobody said it.
    """

    name: str
    value: Any
    text: str = ""
    shown: bool = False
    by: str = ""


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
    """What a party gave itself in a conversation, on whichever of its lines, by name; of each fact the last one counts.

    What it gave on a line that has proven less than this one counts for less, whenever that was.
    """
    if not conversation.facts:
        return {}
    return _told(conversation, access.numbers_of_lines(interaction), access.as_proven_as(interaction))


def known_to(conversation: Conversation, interaction: Interaction, *, reach: Reach | None = None) -> dict[str, KnownFact]:
    """What the AI agent may build on with a party, by name: what it gave itself, so that what is asked and what is not says nothing
    of others; for one that has proven to be the customer also what others said who have proven as much.

    `reach` is what was read of the party's lines already.
    """
    if not conversation.facts:
        return {}
    sure = access.as_proven_as(interaction)
    lines = reach.lines if reach else access.numbers_of_lines(interaction)
    return _told(conversation, {*lines, *sure}, sure, reach)


def _told(conversation: Conversation, lines: Collection[int], sure: Collection[int], reach: Reach | None = None) -> dict[str, KnownFact]:
    """What was said last on these lines, first of all on those that are `sure`."""
    joined = reach.joined if reach else history.going_on_in(conversation.pk)
    here = {conversation.pk, *(each.pk for each in joined)}
    rows = LEARNED.all(lines=lines, conversations=here)
    rows.sort(key=lambda each: each.interaction_id in sure)
    return _known({str(each.data["name"]): _row(each.data, each.seq, each.interaction) for each in rows})


def learn(conversation: Conversation, facts: Iterable[LearnedFact], *, interaction: Interaction | None, from_seq: int) -> list[LearnedFact]:
    """Stores what is new or different, or new from this party, as `fact.learned` entries and returns it.

    What the conversation knows for people is replaced by nothing that a less proven line says; each party goes on with its own.
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
        used = known_to(row, interaction) if interaction else known(row)
        given = told_by(row, interaction) if interaction and used and access.proven_level(interaction) else used
        wanted = list(facts)
        levels = access.levels_of(row.pk) if any(fact.name in row.facts for fact in wanted) else {}
        for fact in wanted:
            own, before = given.get(fact.name), used.get(fact.name)
            if own and before and own.value == before.value == fact.value:
                continue
            _store(row, fact, before, interaction, from_seq, levels)
            learned.append(fact)
        if learned:
            Conversation.objects.filter(pk=row.pk).update(facts=row.facts)
            conversation.facts = row.facts
    return learned


def gather(conversation_id: int) -> None:
    """Makes what a conversation knows what its entries say, of each fact what counts by `said.learned_in`.

    Needs the conversation's lock. Joining, separating and proving call it, so that nothing is left behind and what a line
    said before it proved anything counts as much as what it says now.
    """
    learned = said.learned_in(conversation_id)
    rows = {
        str(each.entry.data["name"]): _row({**each.entry.data, "assurance": each.assurance}, each.entry.seq, each.entry.interaction)
        for each in learned
    }
    Conversation.objects.filter(pk=conversation_id).update(facts=rows)


def _row(data: Mapping[str, Any], seq: int, interaction: Interaction | None) -> dict[str, Any]:
    """A fact as the conversation's column keeps it."""
    return {
        "value": data["value"],
        "seq": seq,
        "assurance": data["assurance"],
        "channel": interaction.channel if interaction else "",
        "line": interaction.pk if interaction else None,
    }


def _store(
    row: Conversation,
    fact: LearnedFact,
    before: KnownFact | None,
    interaction: Interaction | None,
    from_seq: int,
    levels: Mapping[int, str],
) -> None:
    assurance = access.assurance_of(interaction) if interaction else "claimed"
    value = timeline.clean(fact.value)
    with in_staffs_language():
        label = FACT_LABELS.get(fact.name) or fact.name.replace("_", " ").capitalize()
        sentence = f"{label}: {written(fact.name, value)}"
    data = {
        "name": fact.name,
        "value": value,
        "from_seq": from_seq,
        "assurance": assurance,
        "replaces": before.value if before else None,
        **({"shown": True} if fact.shown else {}),
        **({"by": fact.by} if fact.by else {}),
    }
    appended = timeline.append(
        row.pk,
        NewEntry(
            kind="fact.learned",
            actor_kind="system",
            audience="staff",
            body=sentence,
            interaction=interaction,
            data=data,
        ),
    )
    standing = row.facts.get(fact.name)
    if standing is None or said.weight(levels, interaction.pk if interaction else None) >= said.weight(levels, standing.get("line")):
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
    """A fact in its own spelling: “07700 900123”, “Tuesday 24 November”, “10:00 to 12:00”, “£85”; anything else as it is."""
    text = readable(value)
    if name == "phone":
        return phone(text)
    if name == "amount":
        number, _space, currency = text.partition(" ")
        return f"{CURRENCY_SIGNS[currency]}{number.removesuffix('.00')}" if currency in CURRENCY_SIGNS else text
    if name == "time_window":
        return text.replace("-", f" {gettext('to')} ")
    if name == "date":
        try:
            return date_format(date.fromisoformat(text), pgettext("format of a date, as in Django", "l j F"))
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
