"""What joining two records would do, and what taking a joining back would do, before it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.utils.text import capfirst

from conversations.models import (
    Conversation,
    ConversationLink,
    Customer,
    CustomerLink,
    Entry,
    FieldConflict,
    Identifier,
    Proof,
    customer_fields,
)
from conversations.models.customer_fields import Difference
from conversations.models.identifier import ASSURANCE_RANK
from conversations.models.registry import re_rooted_models
from conversations.selectors import closeness, customer_record, naming

MOST_SHOWN = 12
"""So many identifiers, proofs and joined records of each side are shown."""
IDENTIFIERS_READ = 60
"""Of so many identifiers of each side, the surest, each value is shown once."""
CONVERSATIONS_READ = 20
"""So many of each side's newest conversations say what is known of its needs."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two records as it is now. `rows` counts what else is filed under it, by what people call it."""

    customer: Customer
    calls_by: str
    identifiers: list[Identifier]
    number_of_identifiers: int
    proofs: list[Proof]
    number_of_conversations: int
    number_of_entries: int
    open_conversation: Conversation | None
    rows: list[tuple[str, int]]
    facts: Mapping[str, Any]
    joined_records: list[Customer]

    @property
    def told_apart(self) -> str:
        """What it is called beside the other one, which may have the same name."""
        return self.customer.told_apart(self.calls_by if self.calls_by != str(self.customer) else "")


@dataclass(frozen=True, slots=True)
class SharedIdentifier:
    """A value that both records are known by, with how sure each is of it."""

    identifier: Identifier
    of_joined: Identifier


@dataclass(frozen=True, slots=True)
class FactConflict:
    """A fact that the newest conversations of the two know differently. Both stay where they were learned."""

    name: str
    root_value: Any
    joined_value: Any


@dataclass(frozen=True, slots=True)
class Preview:
    """Everything of `joined` would count as `into`. `goes_on` is the open conversation in which `goes_along` would go on."""

    into: Side
    joined: Side
    filled: list[Difference]
    conflicts: list[Difference]
    fact_conflicts: list[FactConflict]
    shared: list[SharedIdentifier]
    goes_on: Conversation | None
    goes_along: Conversation | None


@dataclass(frozen=True, slots=True)
class FieldGoingBack:
    """A field that a joining wrote: what would stand there again, or that it was changed since and stays."""

    conflict: FieldConflict
    stays: bool


@dataclass(frozen=True, slots=True)
class GoingBack:
    """What taking a joining back would do: the records that leave, their rows by what people call them, fields, conversations."""

    records: list[Customer]
    rows: list[tuple[str, int]]
    fields: list[FieldGoingBack]
    conversations: list[ConversationLink]


def is_fuller(one: Customer, other: Customer) -> bool:
    """Whether more conversations are filed under the first record than under the second; one statement."""
    filed = Conversation.objects.filter(customer__in=[one, other]).order_by().values_list("customer").annotate(number=Count("pk"))
    numbers: dict[int, int] = dict(filed)
    return numbers.get(one.pk, 0) > numbers.get(other.pk, 0)


def preview(into: Customer, joined: Customer) -> Preview:
    """What joining one record into another would do; both must be roots. A bounded number of statements."""
    both = (into, joined)
    counts = _counts(both)
    open_ones = {each.customer_id: each for each in _alone(both)}
    facts = _facts(both)
    sides = [_side(each, counts, open_ones.get(each.pk), facts[each.pk]) for each in both]
    root_values, joined_values = (customer_fields.values_of(each) for each in both)
    differences = customer_fields.differences(root_values, joined_values)
    goes_on = goes_along = None
    if len(open_ones) == len(both):
        works = closeness.live_works(open_ones.values())
        goes_along, goes_on = closeness.joined_and_going_on(open_ones[joined.pk], open_ones[into.pk], works)
    return Preview(
        into=sides[0],
        joined=sides[1],
        filled=[each for each in differences if each.fills],
        conflicts=[each for each in differences if not each.fills],
        fact_conflicts=[
            FactConflict(name, value, facts[joined.pk][name])
            for name, value in facts[into.pk].items()
            if name in facts[joined.pk] and facts[joined.pk][name] != value
        ],
        shared=_shared(into, joined),
        goes_on=goes_on,
        goes_along=goes_along,
    )


def going_back(link: CustomerLink) -> GoingBack:
    """What taking an active joining back would do now. A bounded number of statements."""
    leaving = _joined_through(link)
    ids = [each.pk for each in leaving]
    rows = []
    for model in re_rooted_models():
        if number := model._default_manager.filter(original_customer__in=ids).exclude(customer__in=ids).count():
            rows.append((_called(model), number))
    written = link.conflicts.filter(written_to__isnull=False, state__in=[FieldConflict.State.FILLED, FieldConflict.State.SETTLED])
    return GoingBack(
        records=leaving,
        rows=rows,
        fields=[
            FieldGoingBack(each, stays=_now(each) != each.joined_value)
            for each in written.select_related("written_to")
        ],
        conversations=list(
            link.conversation_links.filter(active=True).select_related("joined__original_customer", "into__original_customer")
        ),
    )


def _side(customer: Customer, counts: Mapping[str, Counter[int]], open_one: Conversation | None, facts: Mapping[str, Any]) -> Side:
    reachable = customer_record.identifiers_of(customer).exclude(kind=Identifier.Kind.VISITOR)[:IDENTIFIERS_READ]
    known = [each.best for each in customer_record.known_values(reachable)]
    identifiers = sorted(known[:MOST_SHOWN], key=lambda each: (each.kind, each.value))
    named = {_called(Conversation), _called(Identifier), _called(Entry)}
    return Side(
        customer=customer,
        calls_by=naming.name_of(customer),
        identifiers=identifiers,
        number_of_identifiers=counts[_called(Identifier)][customer.pk],
        proofs=list(customer.proofs.select_related("interaction")[:MOST_SHOWN]),
        number_of_conversations=counts[_called(Conversation)][customer.pk],
        number_of_entries=counts[_called(Entry)][customer.pk],
        open_conversation=open_one,
        rows=[(label, of[customer.pk]) for label, of in counts.items() if label not in named and of[customer.pk]],
        facts=facts,
        joined_records=list(customer.joined_records.all()[:MOST_SHOWN]),
    )


def _counts(customers: Iterable[Customer]) -> dict[str, Counter[int]]:
    """How many rows of each table count for each customer, by what people call the table."""
    found = {}
    for model in re_rooted_models():
        rows = model._default_manager.filter(customer__in=customers).order_by().values_list("customer").annotate(number=Count("pk"))
        found[_called(model)] = Counter(dict(rows))
    entries = Entry.objects.filter(conversation__customer__in=customers).order_by().values_list("conversation__customer")
    found[_called(Entry)] = Counter(dict(entries.annotate(number=Count("pk"))))
    return found


def _alone(customers: Iterable[Customer]) -> list[Conversation]:
    """The open conversations of these customers that go on in no other one."""
    alone = Conversation.objects.filter(customer__in=customers, status=Conversation.Status.OPEN, joined_into__isnull=True)
    return list(alone.select_related("reason", "owner_agent", "customer"))


def _facts(customers: Iterable[Customer]) -> dict[int, dict[str, Any]]:
    """What the newest conversations of each customer know, by name; of each fact the newest value."""
    found: dict[int, dict[str, Any]] = {}
    for customer in customers:
        newest_first = customer.conversations.order_by("-last_entry_at").values_list("facts", flat=True)[:CONVERSATIONS_READ]
        known: dict[str, Any] = {}
        for facts in newest_first:
            known = {name: fact.get("value") for name, fact in facts.items()} | known
        found[customer.pk] = known
    return found


def _shared(into: Customer, joined: Customer) -> list[SharedIdentifier]:
    """The values that both are known by, the best row of each side."""
    best: dict[tuple[str, str, int], Identifier] = {}
    for each in Identifier.objects.filter(customer__in=(into, joined)).exclude(kind=Identifier.Kind.VISITOR):
        key = (each.kind, each.value, each.customer_id)
        if key not in best or ASSURANCE_RANK[each.assurance] > ASSURANCE_RANK[best[key].assurance]:
            best[key] = each
    ours = {(kind, value): each for (kind, value, of), each in best.items() if of == into.pk}
    theirs = {(kind, value): each for (kind, value, of), each in best.items() if of == joined.pk}
    return [SharedIdentifier(ours[key], theirs[key]) for key in sorted(ours.keys() & theirs.keys())]


def _joined_through(link: CustomerLink) -> list[Customer]:
    """The record that a link joined, and those that were joined into it."""
    active = CustomerLink.objects.filter(active=True).exclude(pk=link.pk)
    found: dict[int, Customer] = {link.joined_id: link.joined}
    layer = {link.joined_id}
    while layer:
        new = {each.joined_id: each.joined for each in active.filter(into__in=layer).select_related("joined")}
        layer = new.keys() - found.keys()
        found |= new
    return list(found.values())


def _now(conflict: FieldConflict) -> Any:
    return customer_fields.values_of(conflict.written_to).get(conflict.field) if conflict.written_to else None


def _called(model: Any) -> str:
    return str(capfirst(model._meta.verbose_name_plural))
