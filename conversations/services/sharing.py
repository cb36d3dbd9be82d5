"""Values that more customers show than one person can be: they stop saying who somebody is.

An office line, a household's address and a shop's tablet would otherwise pull everybody who uses them into one record. What
is shown again at a level is outweighed by what was shown at that level before: anybody's word counts against a caller ID,
which itself is only a hint; only proofs count against a proof, so that nobody can make another one's address worthless by
typing it many times.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Now

from conversations.models import Identifier, SharedIdentifier
from conversations.models.identifier import ASSURANCE_RANK, Assurance
from conversations.services.parties import IdentifierClaim


def shared_up_to(kind: str, value: str) -> Subquery:
    """For a query: up to which assurance the value in the columns `kind` and `value` identifies nobody; NULL when it identifies."""
    shared = SharedIdentifier.objects.filter(kind=OuterRef(kind), value=OuterRef(value), allowed_by="")
    return Subquery(shared.values("shown_as")[:1])


def covers(shared_as: str | None, claim: IdentifierClaim) -> bool:
    """Whether a value that is shared up to `shared_as` (None: not at all) says nothing when it is shown as this claim shows it."""
    return shared_as is not None and ASSURANCE_RANK[claim.assurance] <= ASSURANCE_RANK[shared_as]


def is_shared(claim: IdentifierClaim) -> bool:
    """Whether the value, in normal form, says nothing of who its bearer is when it is shown as this claim shows it."""
    shared = SharedIdentifier.objects.filter(kind=claim.kind, value=claim.value, allowed_by="").first()
    return covers(shared.shown_as if shared else None, claim)


def count(claim: IdentifierClaim) -> bool:
    """Counts on how many records a value was seen, marks it as shared when they are too many, and says whether it is now.

    Needs the value's advisory lock or a customer's, in a transaction.
    """
    most = settings.IDENTIFIER_SHARED_ABOVE
    rows: Any = Identifier.objects.filter(kind=claim.kind, value=claim.value)
    seen = _number(rows, most)
    if seen <= most:
        return False
    proven = _number(rows.filter(shown_as=Assurance.VERIFIED), most)
    level = Assurance.VERIFIED if proven > most else Assurance.NETWORK_HINT
    SharedIdentifier.objects.update_or_create(
        kind=claim.kind, value=claim.value, defaults={"customers": seen, "shown_as": level}
    )
    return is_shared(claim)


def allow(shared: SharedIdentifier, by: str) -> None:
    """Has a value identify all the same from now on, by the decision of a person."""
    SharedIdentifier.objects.filter(pk=shared.pk, allowed_by="").update(allowed_by=by[:200], allowed_at=Now())


def forbid(shared: SharedIdentifier) -> None:
    """Takes `allow` back."""
    SharedIdentifier.objects.filter(pk=shared.pk).update(allowed_by="", allowed_at=None)


def _number(rows: Any, most: int) -> int:
    """How many records there are, counted no further than two beyond `most`."""
    return int(rows.order_by("original_customer").values("original_customer").distinct()[: most + 2].count())
