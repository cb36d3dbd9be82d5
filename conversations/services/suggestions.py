"""Notes which records may be one person, for people to look at. Joins nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import OuterRef, Q

from conversations.models import Customer, Identifier, MatchCandidate
from conversations.services import identity, linkage, records, sharing
from conversations.services.linkage import Pair, Person

MOST_AT_ONCE: Final = 1_000
"""So many pairs are noted in one night, the surest first; the others' turn comes when those are settled."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """A pair that people are shown now: the two records, the older first, and whether it is new to them."""

    customer: Customer
    other: Customer
    pair: Pair
    is_new: bool


def suggest(*, threshold: float = linkage.THRESHOLD) -> Iterator[Suggested]:
    """Looks for records of one person among all with a name, notes each pair as a candidate, and yields it.

    Records that were joined count as the one they are joined into. Values that many share tell nothing. A pair that was
    settled before, or two records of which earlier ones were said to be different people, are left alone. Locks each
    pair's records, one pair at a time. Raises linkage.NotInstalled and linkage.TooFew.
    """
    noted = 0
    for pair in linkage.find_pairs(people(), threshold=threshold):
        suggested = _note(pair)
        if suggested:
            noted += 1
            yield suggested
        if noted == MOST_AT_ONCE:
            return


def people() -> Iterator[Person]:
    """Every record that stands for itself and has a name, read in portions."""
    rows = Customer.objects.filter(root__isnull=True).exclude(name="").order_by("pk")
    rows = rows.annotate(phones=_values("phone"), emails=_values("email"))
    for row in rows.iterator(chunk_size=linkage.BATCH):
        yield Person(row.pk, row.name, row.date_of_birth, row.address, row.postcode, row.phones, row.emails)


def _values(kind: str) -> Any:
    own = Identifier.objects.filter(customer=OuterRef("pk"), kind=kind)
    telling = own.annotate(shared=sharing.shared_up_to("kind", "value")).filter(shared__isnull=True)
    return ArraySubquery(telling.values("value"))


def _note(pair: Pair) -> Suggested | None:
    with transaction.atomic():
        rows = list(Customer.objects.filter(pk__in=[pair.one, pair.other]).order_by("pk"))
        if len(rows) < 2:
            return None
        roots = records.lock_roots(*rows)
        if roots != rows or _is_settled(*rows):
            return None
        customer, other = rows
        is_new = not MatchCandidate.objects.filter(_of(customer, other)).exists()
        identity.note_candidate(customer, other, score=pair.probability, evidence={"linkage": _evidence(pair)})
    return Suggested(customer, other, pair, is_new)


def _is_settled(one: Customer, other: Customer) -> bool:
    of_one = Q(customer=one) | Q(customer__root=one)
    of_other = Q(other=other) | Q(other__root=other)
    turned = (Q(customer=other) | Q(customer__root=other)) & (Q(other=one) | Q(other__root=one))
    settled = MatchCandidate.objects.filter((of_one & of_other) | turned)
    return settled.filter(Q(state=MatchCandidate.State.DISMISSED) | Q(_of(one, other), state=MatchCandidate.State.JOINED)).exists()


def _of(one: Customer, other: Customer) -> Q:
    return Q(customer=one, other=other) | Q(customer=other, other=one)


def _evidence(pair: Pair) -> dict[str, Any]:
    """As it is kept: no value of either record, only how they compare, in bits."""
    return {
        "match_weight": round(pair.weight, 2),
        "probability": round(pair.probability, 6),
        "prior_weight": round(pair.prior, 2),
        "comparisons": [
            {
                "comparison": each.comparison,
                "level": each.level,
                "weight": round(each.weight, 2),
                "bayes_factor": float(f"{2**each.weight:.3g}"),
            }
            for each in pair.evidence
        ],
    }
