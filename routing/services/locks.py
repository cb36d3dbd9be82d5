"""The locks of routing, named; see `routing.services` for their order."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from routing.models import AgentProfile, Reservation, WorkItem


def lock_queue_group(group: str) -> None:
    """One dispatch pass per queue group at a time, until the transaction ends."""
    _advisory_lock(f"routing.queue_group:{group}")


def lock_subject(subject: str) -> None:
    """One writer per subject at a time, until the transaction ends."""
    _advisory_lock(f"routing.subject:{subject}")


def lock_agents(agent_ids: Iterable[int]) -> dict[int, AgentProfile]:
    """Locks agents by rising id and returns them by id."""
    found = AgentProfile.objects.select_for_update(of=("self",)).filter(pk__in=list(agent_ids)).order_by("pk")
    return {agent.pk: agent for agent in found}


def lock_live_work(subject: str) -> WorkItem | None:
    """Locks the live work item of a subject, when there is one."""
    return (
        WorkItem.objects.select_for_update(of=("self",))
        .select_related("queue")
        .filter(subject=subject, state__in=WorkItem.LIVE_STATES)
        .first()
    )


def lock_live_reservation(work_item: WorkItem) -> Reservation | None:
    """Locks the live reservation of a work item that the caller has locked."""
    return (
        Reservation.objects.select_for_update(of=("self",))
        .filter(work_item=work_item, state__in=Reservation.LIVE_STATES)
        .first()
    )


def _advisory_lock(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
