"""The list of customers: found by anything, filtered, and as quick with a million of them as with ten."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Subquery, Value, When
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation, Customer, Identifier, MatchCandidate
from conversations.reading import elsewhere
from conversations.selectors import customer_search

COUNTED = 1_000
FOUND = 100


class EstimatingPaginator(Paginator):
    """Counts up to a thousand rows; of more it takes the database's estimate, since nobody reads to the last page."""

    @cached_property
    def count(self) -> int:
        """The number of rows, or about so many."""
        rows: Any = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        counted = rows.order_by()[: COUNTED + 1].count()
        return counted if counted <= COUNTED else max(counted, _estimate(rows))

    @property
    def is_estimate(self) -> bool:
        """Whether `count` is only about right."""
        return self.count > COUNTED


def _estimate(rows: QuerySet[Any]) -> int:
    query, parameters = rows.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {query}", parameters)
        plan = cursor.fetchone()[0]
    return int((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]["Plan Rows"])


def listed(customers: QuerySet[Customer]) -> QuerySet[Customer]:
    """With what the list shows of each: `last_at` and `open_ones`, worked out for the rows of one page only."""
    theirs = Conversation.objects.filter(customer=OuterRef("pk")).order_by()
    open_ones = theirs.filter(status="open", joined_into=None).values("customer").annotate(number=Count("pk")).values("number")
    return customers.prefetch_related("identifiers").annotate(
        last_at=Subquery(theirs.order_by("-last_entry_at").values("last_entry_at")[:1]), open_ones=Subquery(open_ones)
    )


def found_by(customers: QuerySet[Customer], text: str) -> QuerySet[Customer]:
    """The customers of a search, the best first; see `customer_search.search`."""
    found = [each.customer.pk for each in customer_search.search(text, limit=FOUND, elsewhere=elsewhere.whose(text))]
    place = Case(*(When(pk=number, then=Value(position)) for position, number in enumerate(found)), default=Value(len(found)))
    return customers.filter(pk__in=found).order_by(place)


class YesOrNo(SimpleListFilter):
    """Whether something holds for a customer."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        match self.value():
            case "yes":
                return queryset.filter(self.holds())
            case "no":
                return queryset.filter(~self.holds())
            case _other:
                return queryset

    def holds(self) -> Exists:
        """What must exist for a customer."""
        raise NotImplementedError


class HasOpenConversation(YesOrNo):
    title = _("open conversation")
    parameter_name = "open"

    def holds(self) -> Exists:
        return Exists(Conversation.objects.filter(customer=OuterRef("pk"), status="open", joined_into=None))


class IsVerified(YesOrNo):
    title = _("verified identifier")
    parameter_name = "verified"

    def holds(self) -> Exists:
        verified = Identifier.objects.filter(customer=OuterRef("pk"), assurance="verified")
        return Exists(verified.exclude(kind=Identifier.Kind.VISITOR))


class HasJoinedRecords(YesOrNo):
    title = _("joined records")
    parameter_name = "joined"

    def holds(self) -> Exists:
        return Exists(Customer.objects.filter(root=OuterRef("pk")))


class HasCandidates(YesOrNo):
    title = _("candidate for joining")
    parameter_name = "candidates"

    def holds(self) -> Exists:
        pair = Q(customer=OuterRef("pk")) | Q(other=OuterRef("pk"))
        return Exists(MatchCandidate.objects.filter(pair, state=MatchCandidate.State.OPEN))
