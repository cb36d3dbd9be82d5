"""The locks of routing, named; see `routing.services` for their order."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from routing import advisory
from routing.models import AgentProfile, Reservation, WorkItem


def lock_queue_group(group: str) -> None:
    """One dispatch pass per queue group at a time, until the transaction ends."""
    advisory.lock(_pass_of(group))


def lock_idle_queue_group(group: str) -> bool:
    """The same without waiting: says whether no other pass was under way."""
    return advisory.try_lock(_pass_of(group))


def is_next_for_queue_group(group: str) -> bool:
    """Waits until the pass that is under way is over; at once no when somebody else waits for that already.

    A transaction of its own. Whoever is told no is covered: the one who waits begins to read after they asked.
    """
    with transaction.atomic():
        if not advisory.try_lock(f"routing.queue_group_next:{group}"):
            return False
        lock_queue_group(group)
    return True


def _pass_of(group: str) -> str:
    return f"routing.queue_group:{group}"


def lock_subject(subject: str) -> None:
    """One writer per subject at a time, until the transaction ends."""
    advisory.lock(f"routing.subject:{subject}")


def lock_agents(agent_ids: Iterable[int]) -> dict[int, AgentProfile]:
    """Locks agents by rising id and returns them by id."""
    found = AgentProfile.objects.select_for_update(of=("self",)).filter(pk__in=list(agent_ids)).order_by("pk")
    return {agent.pk: agent for agent in found}


def reserve_idle_waiting_work(work_item_ids: Iterable[int]) -> dict[int, WorkItem]:
    """Locks those of the waiting work items that nobody else holds, without waiting, and has them reserved; returns them by id.

    One statement, of the dispatch pass.
    """
    rows = WorkItem.objects.raw(
        """
        UPDATE routing_workitem SET state = 'reserved' WHERE id IN (
            SELECT id FROM routing_workitem WHERE id = ANY(%s) AND state = 'queued' FOR NO KEY UPDATE SKIP LOCKED
        ) RETURNING *
        """,
        [list(work_item_ids)],
    )
    return {row.pk: row for row in rows}


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
    """Locks the live reservation of a work item that the caller has locked, but not against a pass that lays it aside."""
    return (
        Reservation.objects.select_for_update(of=("self",), no_key=True)
        .filter(work_item=work_item, state__in=Reservation.LIVE_STATES)
        .first()
    )
