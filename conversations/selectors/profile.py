"""Everything known about the customer of one conversation, for the people who work on it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import Booking, ContactPreference, Conversation, Customer, Identifier, Interaction
from conversations.models.identifier import ASSURANCE_RANK, Assurance
from conversations.selectors import access, consent, inbox, merge_trail, naming
from conversations.selectors.consent import PurposeAnswers

MOST_LINES = 50


@dataclass(frozen=True, slots=True)
class Fact:
    """One known fact: its label, its value as read, how sure, the channel it came over, the entry that taught it."""

    name: str
    value: object
    assurance: str
    channel: str
    seq: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """Another record that may be the same person: the pair's number, what the other is called, and what speaks for it.

    It is told apart from the customer, who may have the same name.
    """

    number: int
    calls_by: str
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Profile:
    """`assurance` is the best that a party of this conversation has shown; `calls_by` what to call the customer."""

    customer: Customer
    calls_by: str
    assurance: str
    assurance_label: str
    identifiers: list[Identifier]
    facts: list[Fact]
    bookings: list[Booking]
    earlier: list[Conversation]
    candidates: list[Candidate]
    consents: list[PurposeAnswers]
    preference: ContactPreference | None


def profile_of(conversation: Conversation) -> Profile:
    """The profile of a conversation's customer; a bounded number of statements."""
    customer = conversation.customer
    identifiers = _best_of_each(customer.identifiers.exclude(kind=Identifier.Kind.VISITOR).order_by("kind", "-last_seen_at")[:20])
    assurance = best_assurance(conversation)
    return Profile(
        customer=customer,
        calls_by=naming.name_of(customer),
        assurance=assurance,
        assurance_label=str(Assurance(assurance).label) if assurance else _("Nothing shown"),
        identifiers=identifiers,
        facts=[
            Fact(name, row["value"], row.get("assurance", ""), row.get("channel", ""), row["seq"])
            for name, row in sorted(conversation.facts.items(), key=lambda item: item[1]["seq"])
        ],
        bookings=bookings_of(customer, timezone.now()),
        earlier=inbox.earlier(conversation),
        candidates=candidates_of(customer),
        consents=consent.answers_of(customer),
        preference=consent.preference_of(customer),
    )


def candidates_of(customer: Customer) -> list[Candidate]:
    """The other records that may be the same person and that nobody has settled, at most ten."""
    found = merge_trail.open_candidates(customer).annotate(
        reachable_at=naming.reachable_at("customer"), other_reachable_at=naming.reachable_at("other")
    )
    return [
        Candidate(each.pk, each.other.told_apart(each.other.name or each.other_reachable_at or ""), each.evidence)
        if customer.pk in (each.customer_id, each.customer.root_id)
        else Candidate(each.pk, each.customer.told_apart(each.customer.name or each.reachable_at or ""), each.evidence)
        for each in found[:10]
    ]


def best_assurance(conversation: Conversation) -> str:
    """The best assurance among the parties of the conversation's interactions; empty before the first."""
    lines = list(Interaction.objects.filter(conversation=conversation).order_by("-pk")[:MOST_LINES])
    return max(map(access.assurance_of, lines), key=lambda level: ASSURANCE_RANK[level], default="")


def bookings_of(customer: Customer, now: datetime) -> list[Booking]:
    """What is booked from now on, soonest first, then what is past or cancelled, newest first."""
    every = Booking.objects.filter(customer=customer).select_related("technician")
    coming = every.filter(state=Booking.State.BOOKED, window__endswith__gt=now).order_by("window")[:10]
    others = every.exclude(state=Booking.State.BOOKED, window__endswith__gt=now).order_by("-window")[:5]
    return [*coming, *others]


def _best_of_each(identifiers: Iterable[Identifier]) -> list[Identifier]:
    """Each kind and value once, with its best assurance: records that were joined may each have brought the same one."""
    best: dict[tuple[str, str], Identifier] = {}
    for each in identifiers:
        kept = best.get((each.kind, each.value))
        if kept is None or ASSURANCE_RANK[each.assurance] > ASSURANCE_RANK[kept.assurance]:
            best[each.kind, each.value] = each
    return list(best.values())
