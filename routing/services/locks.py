"""The locks of routing, named; see `routing.services` for their order."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from routing import advisory
from routing.models import AgentProfile, Reservation, WorkItem


def lock_queue_group(group: str) -> None:
    """One dispatch pass per queue group at a time, until the transaction ends."""
    advisory.lock(f"routing.queue_group:{group}")


def lock_subject(subject: str) -> None:
    """One writer per subject at a time, until the transaction ends."""
    advisory.lock(f"routing.subject:{subject}")


def lock_agents(agent_ids: Iterable[int]) -> dict[int, AgentProfile]:
    """Locks agents by rising id and returns them by id."""
    found = AgentProfile.objects.select_for_update(of=("self",)).filter(pk__in=list(agent_ids)).order_by("pk")
    return {agent.pk: agent for agent in found}


def lock_idle_rows_of_agents(agent_ids: Iterable[int]) -> set[int]:
    """Locks those of the agents whom nobody else holds, without waiting; returns their ids."""
    rows = AgentProfile.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    return set(rows.filter(pk__in=list(agent_ids)).order_by("pk").values_list("pk", flat=True))


def lock_idle_waiting_work(work_item_ids: Iterable[int]) -> dict[int, WorkItem]:
    """Locks those of the waiting work items that nobody else holds, without waiting; returns them by id."""
    rows = WorkItem.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    return {row.pk: row for row in rows.filter(pk__in=list(work_item_ids), state=WorkItem.State.QUEUED)}


def wait_for_agents(agent_ids: Iterable[int]) -> None:
    """Returns when each of the agents was free of locks once. Outside a transaction it holds nothing while it waits."""
    for agent_id in agent_ids:
        with transaction.atomic():
            lock_agents([agent_id])


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
