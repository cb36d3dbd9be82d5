"""Everything known about the customer of one conversation, for the people who work on it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F
from django.utils import timezone

from conversations.models import ActionItem, Booking, ContactPreference, Conversation, Customer, Entry, Identifier, Interaction
from conversations.models.identifier import ASSURANCE_RANK
from conversations.selectors import access, consent, inbox, merge_trail, naming, said
from conversations.selectors.consent import PurposeAnswers
from conversations.selectors.said import Said


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
    """`assurance` is that of the line that is spoken on; `calls_by` what to call the customer; `facts` what each line said."""

    customer: Customer
    calls_by: str
    assurance: str
    identifiers: list[Identifier]
    facts: list[Said]
    bookings: list[Booking]
    to_do: list[ActionItem]
    earlier: list[Conversation]
    candidates: list[Candidate]
    consents: list[PurposeAnswers]
    preference: ContactPreference | None
    wrap_ups: list[Entry]


def profile_of(conversation: Conversation, line: Interaction | None) -> Profile:
    """The profile of a conversation's customer for whoever speaks on a line of it; a bounded number of statements."""
    customer = conversation.customer
    identifiers = _best_of_each(customer.identifiers.exclude(kind=Identifier.Kind.VISITOR).order_by("kind", "-last_seen_at")[:20])
    return Profile(
        customer=customer,
        calls_by=naming.name_of(customer),
        assurance=access.assurance_of(line) if line else "",
        identifiers=identifiers,
        facts=said.said_in(conversation),
        bookings=bookings_of(customer, timezone.now()),
        to_do=to_do_of(customer),
        earlier=inbox.earlier(conversation),
        candidates=candidates_of(customer),
        consents=consent.answers_of(customer),
        preference=consent.preference_of(customer),
        wrap_ups=wrap_ups_of(customer),
    )


def wrap_ups_of(customer: Customer, limit: int = 3) -> list[Entry]:
    """What was written up of the customer's last interactions, newest first, whatever the channel. One statement."""
    written = Entry.objects.filter(kind="wrapped_up", redacted_at__isnull=True, conversation__customer=customer)
    return list(written.select_related("interaction", "conversation").order_by("-pk")[:limit])


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


def bookings_of(customer: Customer, now: datetime) -> list[Booking]:
    """What is booked from now on, soonest first, then what is past or cancelled, newest first."""
    every = Booking.objects.filter(customer=customer).select_related("technician")
    coming = every.filter(state=Booking.State.BOOKED, window__endswith__gt=now).order_by("window")[:10]
    others = every.exclude(state=Booking.State.BOOKED, window__endswith__gt=now).order_by("-window")[:5]
    return [*coming, *others]


def to_do_of(customer: Customer) -> list[ActionItem]:
    """What is to be done for a customer, the most urgent first, then what was done lately."""
    every = ActionItem.objects.filter(customer=customer).select_related("owner")
    waiting = every.filter(done_at__isnull=True).order_by(F("due_at").asc(nulls_last=True), "pk")[:20]
    return [*waiting, *every.filter(done_at__isnull=False).order_by("-done_at")[:3]]


def _best_of_each(identifiers: Iterable[Identifier]) -> list[Identifier]:
    """Each kind and value once, with its best assurance: records that were joined may each have brought the same one."""
    best: dict[tuple[str, str], Identifier] = {}
    for each in identifiers:
        kept = best.get((each.kind, each.value))
        if kept is None or ASSURANCE_RANK[each.assurance] > ASSURANCE_RANK[kept.assurance]:
            best[each.kind, each.value] = each
    return list(best.values())
