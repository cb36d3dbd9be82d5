"""Settling pairs of records that may be one person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from conversations.models import CustomerLink, MatchCandidate
from conversations.services import merging, records


class AlreadySettled(ValueError):
    """Somebody decided about this pair before."""


def join(candidate: MatchCandidate, user: Any, *, other_way: bool = False, choices: Mapping[str, str] | None = None) -> CustomerLink:
    """Joins the pair, the other record into the customer's, or the other way, with the candidate's evidence. It can be taken back.

    `choices` as in `merging.join_customers`. Locks both records, then the candidate. Raises AlreadySettled,
    merging.OneRecordAlready, or merging.RecordErased.
    """
    with transaction.atomic():
        records.lock_roots(candidate.customer, candidate.other)
        row = _open(candidate)
        joined, into = (row.customer, row.other) if other_way else (row.other, row.customer)
        evidence = {**row.evidence, "candidate": row.pk, "score": row.score}
        link = merging.join_customers(joined, into, evidence=evidence, made_by=str(user), choices=choices)
        _settle(row, MatchCandidate.State.JOINED, user)
    return link


def dismiss(candidate: MatchCandidate, user: Any) -> None:
    """Notes that the pair are different people. Locks the candidate. Raises AlreadySettled."""
    with transaction.atomic():
        _settle(_open(candidate), MatchCandidate.State.DISMISSED, user)


def _open(candidate: MatchCandidate) -> MatchCandidate:
    row = MatchCandidate.objects.select_for_update(no_key=True, of=("self",)).select_related("customer", "other").get(pk=candidate.pk)
    if row.state != MatchCandidate.State.OPEN:
        raise AlreadySettled(row.get_state_display())
    return row


def _settle(row: MatchCandidate, state: str, user: Any) -> None:
    MatchCandidate.objects.filter(pk=row.pk).update(state=state, settled_by=user, settled_at=Now())
