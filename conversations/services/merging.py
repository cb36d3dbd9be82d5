"""Joining two customer records by a link, and taking it back. No row is rewritten but its current owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, models, transaction
from django.db.models.functions import Coalesce, Now
from django.db.models.lookups import Exact
from django.utils.translation import gettext as _
from psycopg import sql

from conversations.models import Conversation, ConversationLink, Customer, CustomerLink, FieldConflict, MatchCandidate
from conversations.models.registry import re_rooted_models
from conversations.services import records, survivorship, timeline, weaving
from conversations.services.survivorship import ClockTimestamp


class OneRecordAlready(ValueError):
    """The two count for one record already, so that there is nothing to join: also a record and itself."""


class RecordErased(ValueError):
    """One of the two was erased and is nobody's any more. Its text is a sentence for the person who asked."""


def join_customers(
    joined: Customer, into: Customer, *, evidence: Mapping[str, Any], made_by: str, choices: Mapping[str, str] | None = None
) -> CustomerLink:
    """Makes `joined` count as `into`: everything either was the record of now counts for one root.

    Their open conversations are joined first. What the root does not say is filled in, and what the two say differently is
    kept for a person to settle, but for the fields in `choices` (`FieldConflict.Choice` by field), which are settled at once.
    Pairs of the two that people were to look at are settled. One transaction; locks both roots, then the pairs, then what
    `weaving.join_with_work` locks. Raises OneRecordAlready, and RecordErased.
    """
    with transaction.atomic():
        source, target = records.lock_roots(joined, into)
        if source == target:
            raise OneRecordAlready("These are one record already.")
        if source.erased_at or target.erased_at:
            raise RecordErased(_("One of the two was erased, so nothing is joined with it."))
        link = CustomerLink.objects.create(
            joined=source, into=target, evidence=timeline.clean(evidence), made_by=made_by, made_at=ClockTimestamp()
        )
        Customer.objects.filter(models.Q(pk=source.pk) | models.Q(root=source)).update(root=target)
        _settle_pairs(target)
        _join_open_conversations(source, target, link)
        _recount([target.pk, *Customer.objects.filter(root=target).values_list("pk", flat=True)])
        for conflict in survivorship.note_differences(link, source, target):
            if conflict.state == FieldConflict.State.OPEN and choices and conflict.field in choices:
                survivorship.settle(conflict, choices[conflict.field], settled_by=made_by)
        link.refresh_from_db()
    return link


def separate_customers(link: CustomerLink, *, undone_by: str) -> bool:
    """Takes a join back: every row counts again for what its own record is joined into without this link.

    Conversations that were joined because of it go on apart, and every record says what it would say without it, but for
    what was changed since. Pairs that are two records again are to be looked at again. Once taken back it stays so; says
    whether this call did it. One transaction; locks the root, then its other records, then the pairs, then what
    `weaving.separate` locks.
    """
    with transaction.atomic():
        root = records.lock_root(link.joined)
        changed = CustomerLink.objects.filter(pk=link.pk, active=True).update(active=False, undone_at=Now(), undone_by=undone_by)
        if not changed:
            return False
        affected = Customer.objects.select_for_update(no_key=True).filter(models.Q(pk=root.pk) | models.Q(root=root)).order_by("pk")
        ids = [each.pk for each in affected]
        for customer in Customer.objects.filter(pk__in=ids):
            Customer.objects.filter(pk=customer.pk).update(root=_root_by_links(customer))
        survivorship.take_back(link, ids)
        # Rows first: a joined conversation takes no customer's place as the open one, so that it may change hands.
        _recount(ids)
        _reopen_pairs(ids)
        weaving.separate(_links_across_records(ids), undone_by=undone_by)
    return True


def _recount(customer_ids: Sequence[int]) -> None:
    """Has the rows of these records count for the records' roots: one statement for all tables, and only rows that change hands."""
    update = sql.SQL(
        "UPDATE {table} AS owned SET customer_id = coalesce(record.root_id, record.id) FROM {records} AS record"
        " WHERE record.id = owned.original_customer_id AND owned.original_customer_id = ANY(%(ids)s)"
        " AND owned.customer_id <> coalesce(record.root_id, record.id)"
    )
    records_table = sql.Identifier(Customer._meta.db_table)
    moves = [update.format(table=sql.Identifier(model._meta.db_table), records=records_table) for model in re_rooted_models()]
    named = [sql.SQL("{} AS ({})").format(sql.Identifier(f"moved_{number}"), move) for number, move in enumerate(moves)]
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("WITH {} SELECT 1").format(sql.SQL(", ").join(named)).as_string(), {"ids": list(customer_ids)})


def _settle_pairs(root: Customer) -> None:
    """Pairs that people were to look at, and that are one record now."""
    pairs = MatchCandidate.objects.filter(state=MatchCandidate.State.OPEN)
    pairs.filter(_of_root("customer", root), _of_root("other", root)).update(state=MatchCandidate.State.JOINED, settled_at=Now())


def _of_root(side: str, root: Customer) -> models.Q:
    return models.Q(**{side: root}) | models.Q(**{f"{side}__root": root})


def _reopen_pairs(customer_ids: Sequence[int]) -> None:
    """Pairs that were settled by joining, and that are two records again."""
    counts_for = {side: Coalesce(f"{side}__root", side, output_field=models.BigIntegerField()) for side in ("customer", "other")}
    joined = MatchCandidate.objects.filter(state=MatchCandidate.State.JOINED, customer__in=customer_ids, other__in=customer_ids)
    apart = joined.exclude(Exact(counts_for["customer"], counts_for["other"]))
    apart.update(state=MatchCandidate.State.OPEN, settled_by=None, settled_at=None)


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
