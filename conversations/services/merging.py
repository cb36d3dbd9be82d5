"""Joining two customer records by a link, and taking it back. No row is rewritten but its current owner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.db import models, transaction
from django.db.models.functions import Now

from conversations.models import Conversation, ConversationLink, Customer, CustomerLink, Interaction
from conversations.services import announce, timeline
from conversations.services.timeline import NewEntry
from routing.models import WorkItem
from routing.services import queueing
from routing.services.locks import lock_subject

WAITING = (WorkItem.State.QUEUED, WorkItem.State.RESERVED)


def join_customers(joined: Customer, into: Customer, *, evidence: Mapping[str, Any], made_by: str) -> CustomerLink:
    """Makes `joined` count as `into`: everything either was the record of now counts for one root.

    Their open conversations are joined first. One transaction; locks both records in the order of their ids.
    Raises ValueError when they are one record already.
    """
    with transaction.atomic():
        lock_customers(joined, into)
        source, target = root_of(joined), root_of(into)
        if source == target:
            raise ValueError("These are one record already.")
        _join_open_conversations(source, target, evidence, made_by)
        link = CustomerLink.objects.create(joined=source, into=target, evidence=dict(evidence), made_by=made_by)
        Customer.objects.filter(models.Q(pk=source.pk) | models.Q(root=source)).update(root=target)
        _recount(Customer.objects.filter(models.Q(pk=target.pk) | models.Q(root=target)))
    return link


def separate_customers(link: CustomerLink, *, undone_by: str) -> None:
    """Takes a join back: every row counts again for what its own record is joined into without this link."""
    with transaction.atomic():
        lock_customers(link.joined, link.into)
        affected = list(
            Customer.objects.filter(models.Q(pk=link.into_id) | models.Q(root=root_of(link.into)) | models.Q(pk=link.joined_id))
        )
        changed = CustomerLink.objects.filter(pk=link.pk, active=True).update(active=False, undone_at=Now(), undone_by=undone_by)
        if not changed:
            return
        for customer in affected:
            Customer.objects.filter(pk=customer.pk).update(root=_root_by_links(customer))
        ids = [each.pk for each in affected]
        _separate_conversations(ids, undone_by)
        _recount(Customer.objects.filter(pk__in=ids))


def join_conversations(
    joined: Conversation, into: Conversation, *, evidence: Mapping[str, Any], made_by: str, sentence: str
) -> ConversationLink:
    """Makes one conversation go on in another; its live interactions move there, its entries stay where they are.

    Facts that only the joined one knows become known. Must run in a transaction; locks both in the order of their ids.
    """
    rows = {row.pk: row for row in Conversation.objects.select_for_update(no_key=True).filter(pk__in=[joined.pk, into.pk]).order_by("pk")}
    source, target = rows[joined.pk], rows[into.pk]
    link = ConversationLink.objects.create(joined=source, into=target, evidence=dict(evidence), made_by=made_by)
    timeline.append(
        source.pk,
        NewEntry(
            kind="conversation.joined",
            actor_kind="system",
            audience="staff",
            body=sentence,
            data={"conversation": target.public_id.hex, "direction": "into", "evidence": dict(evidence)},
        ),
    )
    Conversation.objects.filter(pk=source.pk).update(joined_into=target, turn_done_seq=models.F("turn_wanted_seq"), turn_lease_until=None)
    Interaction.objects.filter(conversation=source).exclude(state=Interaction.State.ENDED).update(conversation=target)
    Conversation.objects.filter(pk=target.pk).update(facts={**source.facts, **target.facts})
    timeline.append(
        target.pk,
        NewEntry(
            kind="conversation.joined",
            actor_kind="system",
            audience="staff",
            body=sentence,
            data={"conversation": source.public_id.hex, "direction": "from", "evidence": dict(evidence)},
        ),
    )
    announce.work_changed(target)
    return link


def join_with_work(
    joined: Conversation, into: Conversation, *, evidence: Mapping[str, Any], made_by: str, sentence: str
) -> Conversation:
    """Joins two conversations and returns the one that goes on.

    That is the one that a person has, else the one that waits for a person, else `into`. Two that wait become one place
    in the line, the more urgent one. Must run in a transaction; takes the locks of both works, then those of the
    conversations.
    """
    subjects = sorted(each.public_id.hex for each in (joined, into))
    for subject in subjects:
        lock_subject(subject)
    works = {work.subject: work for work in WorkItem.objects.filter(subject__in=subjects, state__in=WorkItem.LIVE_STATES)}
    source, target = sorted([joined, into], key=lambda each: (_closeness(each, works), each == into))
    join_conversations(source, target, evidence=evidence, made_by=made_by, sentence=sentence)
    waiting = works.get(source.public_id.hex)
    if waiting and waiting.state in WAITING:
        if _closeness(target, works) == 1 and waiting.decision:
            queueing.enqueue(subject=target.public_id.hex, kind=waiting.kind, decision=waiting.decision)
        queueing.cancel(waiting.subject)
    return target


def _closeness(conversation: Conversation, works: Mapping[str, WorkItem]) -> int:
    """How near a conversation is to a person: 0 not at all, 1 waiting for one, 2 with one."""
    work = works.get(conversation.public_id.hex)
    return 0 if work is None else 1 if work.state in WAITING else 2


def root_of(customer: Customer) -> Customer:
    """The record a customer counts for now."""
    fresh = Customer.objects.select_related("root").get(pk=customer.pk)
    return fresh.root or fresh


def re_rooted_models() -> Iterator[type[models.Model]]:
    """Every model that keeps both the record it was made for and the record it counts for."""
    for model in apps.get_app_config("conversations").get_models():
        names = {field.name for field in model._meta.fields}
        if {"customer", "original_customer"} <= names:
            yield model


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


def lock_customers(*customers: Customer) -> None:
    """Locks records in the order of their ids: before the conversations that they have."""
    ids = sorted({customer.pk for customer in customers})
    list(Customer.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))


def _join_open_conversations(source: Customer, target: Customer, evidence: Mapping[str, Any], made_by: str) -> None:
    theirs = Conversation.objects.filter(customer=source, status="open", joined_into__isnull=True).first()
    ours = Conversation.objects.filter(customer=target, status="open", joined_into__isnull=True).first()
    if theirs and ours:
        sentence = str(evidence.get("sentence", "The two records were joined."))
        join_with_work(theirs, ours, evidence=evidence, made_by=made_by, sentence=sentence)


def _separate_conversations(customer_ids: list[int], undone_by: str) -> None:
    links = ConversationLink.objects.filter(
        active=True, joined__original_customer_id__in=customer_ids, into__original_customer_id__in=customer_ids
    ).select_related("joined__original_customer", "into__original_customer")
    for link in links:
        if root_of(link.joined.original_customer) == root_of(link.into.original_customer):
            continue
        ConversationLink.objects.filter(pk=link.pk).update(active=False, undone_at=Now(), undone_by=undone_by)
        Conversation.objects.filter(pk=link.joined_id).update(joined_into=None)
        Interaction.objects.filter(original_conversation=link.joined_id, conversation=link.into_id).update(conversation=link.joined_id)
