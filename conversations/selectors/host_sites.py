"""Which keys of host sites are believed."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from conversations.models import HostSiteKey


def accepted() -> QuerySet[HostSiteKey]:
    """The keys that are believed at this moment."""
    now_or_later = Q(state=HostSiteKey.State.RETIRING, accepted_until__gt=Now())
    return HostSiteKey.objects.filter(Q(state=HostSiteKey.State.ACTIVE) | now_or_later)


def accepted_key(entry_point_id: int, kid: str) -> HostSiteKey | None:
    """The key of this id that is believed at this entry point now, or None."""
    return accepted().filter(entry_point=entry_point_id, kid=kid).first()
