"""Short words for what tests of the line say often."""

from __future__ import annotations

from routing.models import AgentProfile, Reservation, WorkItem
from routing.need import Need
from routing.services import queueing
from routing.services.decide import decide

PERSON = Need(asked_for_human=True)
GAS = Need(reason="gas_smell")
ANGER = Need(sentiment=-0.9, failed_turns=3)


def wait(
    subject: str, need: Need = PERSON, kind: str = "messaging", preferred: AgentProfile | None = None
) -> WorkItem:
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


def offer_of(subject: str) -> Reservation:
    return Reservation.objects.get(work_item__subject=subject, state="pending")


def item(subject: str) -> WorkItem:
    return WorkItem.objects.filter(subject=subject).latest("pk")
