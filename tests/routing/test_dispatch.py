"""Work that waits meets people who are free."""

from __future__ import annotations

import pytest

from routing.models import AgentProfile, Reservation, RuleSet, WorkItem
from routing.need import Need
from routing.services import queueing, reservations
from routing.services.decide import decide
from tests.routing.conftest import Company

pytestmark = pytest.mark.django_db(transaction=True)

PERSON = Need(asked_for_human=True)
GAS = Need(reason="gas_smell")
ANGER = Need(sentiment=-0.9, failed_turns=3)


def wait_for(subject: str, need: Need = PERSON, kind: str = "messaging", preferred: AgentProfile | None = None) -> WorkItem:
    """Work of a subject, in the line."""
    return queueing.enqueue(
        subject=subject, kind=kind, decision=decide(need, subject=subject), preferred_agent=preferred
    )


def offers(agent: AgentProfile) -> list[str]:
    """The subjects offered to an agent now."""
    live = Reservation.objects.filter(agent=agent, state="pending").order_by("pk")
    return [reservation.work_item.subject for reservation in live.select_related("work_item")]


def load(agent: AgentProfile) -> int:
    agent.refresh_from_db()
    return agent.load


def test_waiting_work_is_offered_at_once_and_taken(company: Company, published: RuleSet) -> None:
    """Enqueued work reaches a free agent without a sweep; accepting and completing it frees the capacity."""
    ann = company.agent("ann")
    wait_for("c1")
    offered = Reservation.objects.get()
    assert (offered.agent, offered.state, load(ann)) == (ann, "pending", 2)
    reservations.accept(offered.pk, ann)
    assert WorkItem.objects.get().state == "assigned"
    reservations.wrap_up("c1")
    assert (WorkItem.objects.get().state, load(ann)) == ("wrapping", 2)
    reservations.complete("c1")
    assert (WorkItem.objects.get().state, load(ann)) == ("completed", 0)
    offered.refresh_from_db()
    assert offered.state == "completed"
