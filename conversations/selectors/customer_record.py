"""All that is kept of one customer beside the history, for the managers' page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, Case, Exists, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Now

from conversations.models import Conversation, Customer, Identifier, Proof, SharedIdentifier
from conversations.models.identifier import ASSURANCE_RANK, Assurance

MOST_ROWS = 50


@dataclass(frozen=True, slots=True)
class KnownFact:
    """The newest value of a fact over all conversations, and the conversation that it was learned in."""

    name: str
    value: Any
    assurance: str
    conversation: Conversation


@dataclass(frozen=True, slots=True)
class KnownValue:
    """A value that the customer is known by, once: its best row, and the rows behind it, one for each record that brought it."""

    best: Identifier
    rows: list[Identifier]

    @property
    def sources(self) -> list[str]:
        """Where it was seen, the surest first."""
        return list(dict.fromkeys(each.source for each in self.rows))

    @property
    def first_seen_at(self) -> datetime:
        """Since when it is known."""
        return min(each.first_seen_at for each in self.rows)

    @property
    def last_seen_at(self) -> datetime:
        """When it was seen last."""
        return max(each.last_seen_at for each in self.rows)


def known_values(identifiers: Iterable[Identifier]) -> list[KnownValue]:
    """Each value once: joined records may each have brought the same one. The identifiers come surest first."""
    rows: dict[tuple[str, str], list[Identifier]] = {}
    for each in identifiers:
        rows.setdefault((each.kind, each.value), []).append(each)
    return [KnownValue(same[0], same) for same in rows.values()]


def identifiers_of(customer: Customer) -> QuerySet[Identifier]:
    """What the customer is known by, the surest first, each with `is_shared`: whether it identifies nobody."""
    shared = SharedIdentifier.objects.filter(kind=OuterRef("kind"), value=OuterRef("value"), allowed_by="")
    surest_first = Case(*(When(assurance=level, then=Value(-rank)) for level, rank in ASSURANCE_RANK.items()))
    rows = Identifier.objects.filter(customer=customer).select_related("original_customer").annotate(is_shared=Exists(shared))
    return rows.order_by(surest_first, "kind", "-last_seen_at")


def assurance_of(identifiers: Iterable[Identifier]) -> Assurance | None:
    """The best assurance among identifiers that name a person; None when there are only browsers or nothing."""
    levels = [each.assurance for each in identifiers if each.kind != Identifier.Kind.VISITOR]
    return Assurance(max(levels, key=lambda level: ASSURANCE_RANK[level])) if levels else None


def proofs_of(customer: Customer) -> QuerySet[Proof]:
    """What was proven on the customer's lines, the newest first, each with `counts`: whether it still does."""
    still = Q(withdrawn_at__isnull=True) & (Q(expires_at__isnull=True) | Q(expires_at__gt=Now())) & ~Q(interaction__state="ended")
    counts = Case(When(still, then=Value(True)), default=Value(False), output_field=BooleanField())
    proofs = Proof.objects.filter(customer=customer).select_related("interaction__entry_point", "interaction__conversation")
    return proofs.annotate(counts=counts).order_by("-made_at", "-pk")[:MOST_ROWS]


def facts_of(conversations: Iterable[Conversation]) -> list[KnownFact]:
    """The facts of these conversations, which come newest first."""
    known: dict[str, KnownFact] = {}
    for conversation in conversations:
        for name, fact in conversation.facts.items():
            if isinstance(fact, dict) and name not in known:
                known[name] = KnownFact(name, fact.get("value"), str(fact.get("assurance", "")), conversation)
    return [known[name] for name in sorted(known)]
