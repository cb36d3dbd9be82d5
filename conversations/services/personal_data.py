"""Which rows are about a person: everything that hangs on their records, found by the tables' foreign keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from conversations.models import Conversation, Customer, Identifier, Interaction
from conversations.models.identifier import Assurance
from conversations.models.keyed_hash import keyed_hash


@dataclass(frozen=True, slots=True)
class Scope:
    """One person's records with their conversations and lines, by primary key.

    `conversations` holds those that go on in the person's, whichever record they were filed under, and `lines` every line
    that was ever in one of them: whose line goes on in somebody's conversation was taken to be that person. `mark` is what
    erased entries say of their erasure.
    """

    records: frozenset[int]
    conversations: frozenset[int]
    lines: frozenset[int]
    mark: str = ""


def records_of(customer: Customer) -> list[int]:
    """The numbers of every record that counts for the same root, the root first."""
    root_id = customer.root_id or customer.pk
    return [root_id, *Customer.objects.filter(root=root_id).order_by("pk").values_list("pk", flat=True)]


def scope_of(records: Iterable[int], *, mark: str = "") -> Scope:
    """What belongs to these records now. A handful of statements."""
    numbers = frozenset(records)
    own = Q(customer__in=numbers) | Q(original_customer__in=numbers)
    conversations = set(Conversation.objects.filter(own).values_list("pk", flat=True))
    layer = conversations
    while layer:
        layer = set(Conversation.objects.filter(joined_into__in=layer).values_list("pk", flat=True)) - conversations
        conversations |= layer
    inside = Q(conversation__in=conversations) | Q(original_conversation__in=conversations)
    lines = Interaction.objects.filter(inside).values_list("pk", flat=True)
    return Scope(numbers, frozenset(conversations), frozenset(lines), mark)


def rows_of(model: type[Model], scope: Scope) -> QuerySet[Any]:
    """The rows of a table that refer to one of the person's records, conversations or lines, or are one of these.

    None for a table that refers to nothing of the kind.
    """
    keys: dict[type[Model], frozenset[int]] = {Customer: scope.records, Conversation: scope.conversations, Interaction: scope.lines}
    about = Q(pk__in=keys[model]) if model in keys else Q(pk__in=[])
    for field in model._meta.concrete_fields:
        related = field.related_model
        if model not in keys and isinstance(related, type) and related in keys:
            about |= Q(**{f"{field.name}__in": keys[related]})
    return model._base_manager.filter(about)


def public_ids(scope: Scope) -> list[UUID]:
    """The public ids of the person's records, by which files and outside systems know them."""
    return list(Customer.objects.filter(pk__in=scope.records).order_by("pk").values_list("public_id", flat=True))


def touched_by(scope: Scope) -> set[int]:
    """Every record whose history the scope reaches into: the person's own, and those of the conversations that lines of theirs
    or conversations of theirs were joined with, or go on in."""
    reached = Q(pk__in=scope.conversations) | Q(original_interactions__in=scope.lines) | Q(interactions__in=scope.lines)
    conversations = set(Conversation.objects.filter(reached).values_list("pk", flat=True))
    layer = conversations
    while layer:
        layer = set(Conversation.objects.filter(joined_conversations__in=layer).values_list("pk", flat=True)) - conversations
        conversations |= layer
    owners = Conversation.objects.filter(pk__in=conversations).values_list("customer", "original_customer")
    return {*scope.records, *(number for pair in owners for number in pair)}


def identifiers_of(scope: Scope) -> set[tuple[str, str]]:
    """Every (kind, value) on the person's records."""
    found = Identifier.objects.filter(Q(customer__in=scope.records) | Q(original_customer__in=scope.records))
    return set(found.values_list("kind", "value"))


def known_elsewhere_as(scope: Scope) -> set[str]:
    """By what outside systems may know the person: their numbers for them, and addresses and phones that were proven to be theirs.

    What somebody only claimed may be somebody else's, whose rows must stay. An erasure that has begun has made everything claimed,
    so how well it was shown counts.
    """
    own = Q(customer__in=scope.records) | Q(original_customer__in=scope.records)
    proven = Q(kind=Identifier.Kind.EXTERNAL) | Q(kind__in=[Identifier.Kind.EMAIL, Identifier.Kind.PHONE], shown_as=Assurance.VERIFIED)
    return set(Identifier.objects.filter(own, proven).values_list("value", flat=True))


def erased_hash(kind: str, value: str) -> str:
    """The hash by which an erased value can be recognised and not be read."""
    return keyed_hash("erased", kind, value)
