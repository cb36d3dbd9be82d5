"""What must always be true of work and agents, each with the query that finds what breaks it.

`manage.py doctor` runs them. An app adds its own in `<app>/selectors/invariants.py`, as a tuple `INVARIANTS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from routing.models import AgentProfile, Interruption, Reservation, WorkItem

OFFER_GRACE = timedelta(minutes=1)
WORK_ITEM_GRACE = timedelta(hours=24)
MISSING = "missing"
LIVE = Q(reservations__state__in=Reservation.LIVE_STATES)


@dataclass(frozen=True)
class Invariant:
    """A sentence that must hold. `violations` returns one line for each thing that breaks it, and none when it holds."""

    sentence: str
    violations: Callable[[], list[str]]


def work_items_with_several_reservations() -> list[str]:
    """Work items offered to or held by more than one agent at once."""
    items = WorkItem.objects.annotate(live=Count("reservations", filter=LIVE)).filter(live__gt=1)
    return [f"Work item {item.pk} has {item.live} live reservations." for item in items]


def work_that_disagrees_with_its_offer() -> list[str]:
    """Work that is said to be offered or in somebody's hands while its live reservation says otherwise, or the other way round."""
    live = Reservation.objects.filter(state__in=Reservation.LIVE_STATES)
    of_work = live.filter(work_item=OuterRef("pk")).order_by("pk")
    disagreeing = (
        WorkItem.objects.annotate(held_as=Coalesce(Subquery(of_work.values("state")[:1]), Value(MISSING)))
        .filter(Q(state__in=WorkItem.LIVE_STATES) | Q(pk__in=live.values("work_item")))
        .exclude(state=WorkItem.State.RESERVED, held_as=Reservation.State.PENDING)
        .exclude(state=WorkItem.State.ASSIGNED, held_as=Reservation.State.ACCEPTED)
        .exclude(state=WorkItem.State.WRAPPING, held_as=Reservation.State.WRAPPING)
        .exclude(state=WorkItem.State.QUEUED, held_as=MISSING)
        .order_by("pk")
    )
    return [f"Work item {item.pk} is {item.state}, but its live reservation is {item.held_as}." for item in disagreeing]


def agents_whose_load_is_wrong() -> list[str]:
    """Agents whose load is over their capacity, or is not the sum of what they hold, without what they laid aside."""
    agents = (
        AgentProfile.objects.annotate(held=_weight(_live_of_agent()), aside=_weight(_live_of_agent().filter(Exists(_laid_aside()))))
        .exclude(load=F("held") - F("aside"), laid_aside=F("aside"), load__lte=F("capacity"))
        .order_by("pk")
    )
    sentence = "{0} has load {0.load} of {0.capacity} and laid {0.laid_aside} aside, but holds {0.held}, of which {0.aside} are aside."
    return [sentence.format(agent) for agent in agents]


def _live_of_agent() -> QuerySet[Reservation]:
    return Reservation.objects.filter(agent=OuterRef("pk"), state__in=Reservation.LIVE_STATES).order_by()


def _laid_aside() -> QuerySet[Interruption]:
    return Interruption.objects.filter(laid_aside=OuterRef("pk"), ended_at=None)


def _weight(reservations: QuerySet[Reservation]) -> Coalesce:
    total = reservations.values("agent").annotate(total=Sum("weight")).values("total")
    return Coalesce(Subquery(total, output_field=IntegerField()), 0)


def offers_in_limbo() -> list[str]:
    """Offers that nobody answered and no sweep took back."""
    late = Reservation.objects.filter(state=Reservation.State.PENDING, expires_at__lt=timezone.now() - OFFER_GRACE)
    return [f"Reservation {offer.pk} should have ended at {offer.expires_at:%Y-%m-%d %H:%M} UTC." for offer in late]


def work_items_in_limbo() -> list[str]:
    """Waiting work whose deadline passed long ago."""
    late = WorkItem.objects.filter(
        state__in=(WorkItem.State.QUEUED, WorkItem.State.RESERVED), deadline__lt=timezone.now() - WORK_ITEM_GRACE
    )
    return [f"Work item {item.pk} waits since {item.enqueued_at:%Y-%m-%d %H:%M} UTC." for item in late]


INVARIANTS = (
    Invariant("A work item has at most one live reservation.", work_items_with_several_reservations),
    Invariant("Work and its live reservation agree on who has it.", work_that_disagrees_with_its_offer),
    Invariant("An agent's load is what they hold and did not lay aside, and within capacity.", agents_whose_load_is_wrong),
    Invariant("Every offer is answered or taken back in time.", offers_in_limbo),
    Invariant("Every work item is answered, called back or closed.", work_items_in_limbo),
)
