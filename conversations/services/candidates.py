"""Settling pairs of records that may be one person."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from conversations.models import CustomerLink, MatchCandidate
from conversations.services import merging, records


class AlreadySettled(ValueError):
    """Somebody decided about this pair before."""


def join(candidate: MatchCandidate, user: Any) -> CustomerLink:
    """Joins the pair, the other record into the customer's, with the candidate's evidence. It can be taken back.

    Locks both records, then the candidate. Raises AlreadySettled, or ValueError when they are one record already.
    """
    with transaction.atomic():
        records.lock_roots(candidate.customer, candidate.other)
        row = _open(candidate)
        link = merging.join_customers(
            row.other, row.customer, evidence={**row.evidence, "candidate": row.pk, "score": row.score}, made_by=str(user)
        )
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
