"""Which articles may be read now, and by whom."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from conversations.models import KnowledgeArticle
from conversations.models.identifier import Assurance
from conversations.models.knowledge import Audience

DUE_WITHIN = timedelta(days=14)
"""So long before its date an article is shown as due for a review."""

FOR_EVERYBODY = frozenset({Audience.PUBLIC.value})
FOR_STAFF = frozenset(Audience.values)

READABLE_NOW = """
SELECT id, title, url, reason_id, language FROM conversations_knowledgearticle
 WHERE published AND audience = ANY(%(audiences)s)
   AND (valid_from IS NULL OR valid_from <= %(today)s) AND (valid_until IS NULL OR valid_until >= %(today)s)
"""
"""What `readable_now` says, for statements that look at more than Django's queries can."""


def audiences_of(level: str) -> frozenset[str]:
    """What a party may be answered from that has proven at `level` (`access.proven_level`) to be the customer. Never what is for staff.

    Answers to questions may be known to others, so they open nothing here.
    """
    return FOR_EVERYBODY | {Audience.VERIFIED.value} if level == Assurance.VERIFIED else FOR_EVERYBODY


def readable_now(audiences: frozenset[str]) -> QuerySet[KnowledgeArticle]:
    """The published articles for these audiences that are valid today."""
    return KnowledgeArticle.objects.filter(_readable(audiences))


def readable_passages(audiences: frozenset[str]) -> Q:
    """The same as a condition on what belongs to an article (`article`)."""
    return _readable(audiences, "article__")


def due_for_review() -> QuerySet[KnowledgeArticle]:
    """The published articles that somebody should read again within two weeks, or should have."""
    return KnowledgeArticle.objects.filter(published=True, review_by__lte=timezone.localdate() + DUE_WITHIN).order_by("review_by")


def _readable(audiences: frozenset[str], of: str = "") -> Q:
    today = timezone.localdate()
    begun = Q(**{f"{of}valid_from__isnull": True}) | Q(**{f"{of}valid_from__lte": today})
    not_over = Q(**{f"{of}valid_until__isnull": True}) | Q(**{f"{of}valid_until__gte": today})
    return Q(**{f"{of}published": True, f"{of}audience__in": sorted(audiences)}) & begun & not_over
