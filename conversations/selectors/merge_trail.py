"""Who joined which records, when and with what evidence, and what is still to be settled."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from conversations.models import Conversation, ConversationLink, Customer, CustomerLink, FieldConflict, MatchCandidate

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


def conversation_links_of(conversation: Conversation) -> QuerySet[ConversationLink]:
    """Every joining that a conversation takes or took part in, the newest first."""
    links = ConversationLink.objects.filter(Q(joined=conversation) | Q(into=conversation))
    return links.select_related("joined__customer", "into__customer").order_by("-made_at", "-pk")[:MOST_SHOWN]


def may_be_one_need(conversation: Conversation) -> QuerySet[Conversation]:
    """The open conversations of records that may be the same person as an open conversation's customer."""
    pairs = open_candidates(conversation.customer).values_list("customer__root", "customer", "other__root", "other")
    others = {number for row in pairs for number in row if number} - {conversation.customer_id}
    alone = Conversation.objects.filter(customer__in=others, status=Conversation.Status.OPEN, joined_into__isnull=True)
    return alone.select_related("customer", "reason").order_by("-last_entry_at")
