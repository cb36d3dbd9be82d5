"""Joining two customer records by a link, and taking it back. No row is rewritten but its current owner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from conversations.models import Conversation, ConversationLink, Customer, CustomerLink
from conversations.models.customer import re_rooted_models
from conversations.services import records, weaving


def join_customers(joined: Customer, into: Customer, *, evidence: Mapping[str, Any], made_by: str) -> CustomerLink:
    """Makes `joined` count as `into`: everything either was the record of now counts for one root.

    Their open conversations are joined first. One transaction; locks both roots, then what `weaving.join_with_work`
    locks. Raises ValueError when they are one record already.
    """
    with transaction.atomic():
        source, target = records.lock_roots(joined, into)
        if source == target:
            raise ValueError("These are one record already.")
        link = CustomerLink.objects.create(joined=source, into=target, evidence=dict(evidence), made_by=made_by)
        _join_open_conversations(source, target, link)
        Customer.objects.filter(models.Q(pk=source.pk) | models.Q(root=source)).update(root=target)
        _recount(Customer.objects.filter(models.Q(pk=target.pk) | models.Q(root=target)))
    return link


def separate_customers(link: CustomerLink, *, undone_by: str) -> None:
    """Takes a join back: every row counts again for what its own record is joined into without this link.

    Conversations that were joined because of it go on apart. Once taken back it stays so. One transaction; locks the
    root, then its other records, then what `weaving.separate` locks.
    """
    with transaction.atomic():
        root = records.lock_root(link.joined)
        changed = CustomerLink.objects.filter(pk=link.pk, active=True).update(active=False, undone_at=Now(), undone_by=undone_by)
        if not changed:
            return
        affected = Customer.objects.select_for_update(no_key=True).filter(models.Q(pk=root.pk) | models.Q(root=root)).order_by("pk")
        ids = [each.pk for each in affected]
        for customer in Customer.objects.filter(pk__in=ids):
            Customer.objects.filter(pk=customer.pk).update(root=_root_by_links(customer))
        # Rows first: a joined conversation takes no customer's place as the open one, so that it may change hands.
        _recount(Customer.objects.filter(pk__in=ids))
        weaving.separate(_links_across_records(ids), undone_by=undone_by)


def _recount(customers: models.QuerySet[Customer]) -> None:
    for customer in customers:
        root_id = customer.root_id or customer.pk
        for model in re_rooted_models():
            rows = model._default_manager.filter(original_customer=customer).exclude(customer_id=root_id)
            rows.update(customer_id=root_id)


def _root_by_links(customer: Customer) -> Customer | None:
    at = customer
    while link := CustomerLink.objects.filter(joined=at, active=True).select_related("into").first():
        at = link.into
    return None if at == customer else at


def _join_open_conversations(source: Customer, target: Customer, link: CustomerLink) -> None:
    alone = Conversation.objects.filter(status=Conversation.Status.OPEN, joined_into__isnull=True)
    theirs, ours = alone.filter(customer=source).first(), alone.filter(customer=target).first()
    if theirs and ours:
        sentence = str(link.evidence.get("sentence") or _("The two records were joined."))
        weaving.join_with_work(theirs, ours, evidence=link.evidence, made_by=link.made_by, sentence=sentence, because_of=link)


def _links_across_records(customer_ids: list[int]) -> list[ConversationLink]:
    """The joinings of conversations, made by joining records, whose two ends do not count for one record any more."""
    made = ConversationLink.objects.filter(active=True, customer_link__isnull=False)
    ends = models.Q(joined__original_customer__in=customer_ids) | models.Q(into__original_customer__in=customer_ids)
    apart = made.filter(ends).exclude(joined__customer=models.F("into__customer"))
    return list(apart.select_related("joined", "into").order_by("pk"))
