"""Who joined which records, when and with what evidence, and what is still to be settled."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from conversations.models import Customer, CustomerLink, FieldConflict, MatchCandidate

MOST_SHOWN = 50


def links_of(customer: Customer) -> QuerySet[CustomerLink]:
    """Every joining that a record or one that counts for it takes or took part in, the newest first, those taken back too."""
    records = Customer.objects.filter(Q(pk=customer.pk) | Q(root=customer)).values("pk")
    of_these = CustomerLink.objects.filter(Q(joined__in=records) | Q(into__in=records))
    return of_these.select_related("joined", "into").prefetch_related("conflicts").order_by("-made_at", "-pk")[:MOST_SHOWN]


def open_conflicts(customer: Customer | None = None) -> QuerySet[FieldConflict]:
    """What joined records say differently and nobody has settled: of one root and its records, or of everybody."""
    rows = FieldConflict.objects.filter(state=FieldConflict.State.OPEN, link__active=True)
    if customer is not None:
        rows = rows.filter(Q(link__joined=customer) | Q(link__joined__root=customer))
    return rows.select_related("link__joined", "link__into", "link__joined__root").order_by("field", "pk")


def open_candidates(customer: Customer) -> QuerySet[MatchCandidate]:
    """The pairs to be looked at in which a record stands, or one that counts for it."""
    ours = Q(customer=customer) | Q(customer__root=customer) | Q(other=customer) | Q(other__root=customer)
    return MatchCandidate.objects.filter(ours, state=MatchCandidate.State.OPEN).select_related("customer__root", "other__root")
