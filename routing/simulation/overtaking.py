"""Watches the order from outside: was work given to somebody who should have had another piece of its class first?

It asks the stored rows at the moment of the offer, and shares no line with the dispatcher that it watches.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import Min, Q

from routing.models import AgentProfile, AgentSkill, RoutingProfileQueue, RoutingProfileWork, WorkItem


class Overtaking:
    """Knows what each agent may take; reads it once."""

    def __init__(self, agents: Iterable[AgentProfile]) -> None:
        self._agents = {agent.pk: agent for agent in agents}
        self._delays: dict[int, dict[int, timedelta]] = defaultdict(dict)
        for row in RoutingProfileQueue.objects.all():
            self._delays[row.profile_id][row.queue_id] = timedelta(seconds=row.delay_seconds)
        self._work: dict[int, dict[str, RoutingProfileWork]] = defaultdict(dict)
        for limit in RoutingProfileWork.objects.all():
            self._work[limit.profile_id][limit.kind] = limit
        self._skills: dict[int, dict[str, int]] = defaultdict(dict)
        for agent_id, code, proficiency in AgentSkill.objects.values_list("agent_id", "skill__code", "proficiency"):
            self._skills[agent_id][code] = proficiency

    def happened(self, work_item_id: int, agent_id: int, in_hand: Sequence[tuple[int, str]], now: datetime) -> bool:
        """Whether a piece of the same class that still waits comes before this one and the agent could have taken it.

        `in_hand` has weight and kind of what the agent had already. Two queries.
        """
        taken = WorkItem.objects.select_related("queue").get(pk=work_item_id)
        before = (
            Q(in_good_time__lt=taken.in_good_time)
            | Q(in_good_time=taken.in_good_time, deadline__lt=taken.deadline)
            | Q(in_good_time=taken.in_good_time, deadline=taken.deadline, pk__lt=taken.pk)
        )
        waiting = WorkItem.objects.filter(
            before, state=WorkItem.State.QUEUED, priority_class=taken.priority_class, queue__group=taken.queue.group
        )
        alike = waiting.order_by().values("queue_id", "also_queues", "kind", "required_skills", "min_proficiency")
        agent = self._agents[agent_id]
        return any(
            self._has_room(agent, each["kind"], in_hand)
            and self._has_skills(agent, each["required_skills"], each["min_proficiency"])
            and self._serves(agent, (each["queue_id"], *each["also_queues"]), now - each["first"])
            for each in alike.annotate(first=Min("enqueued_at"))
        )

    def _has_room(self, agent: AgentProfile, kind: str, in_hand: Sequence[tuple[int, str]]) -> bool:
        limit = self._work[agent.routing_profile_id].get(kind)
        if limit is None:
            return False
        load = sum(weight for weight, _kind in in_hand)
        return load + limit.weight <= agent.capacity and sum(each == kind for _weight, each in in_hand) < limit.max_at_once

    def _has_skills(self, agent: AgentProfile, skills: Iterable[str], proficiency: int) -> bool:
        return all(self._skills[agent.pk].get(skill, 0) >= proficiency for skill in skills)

    def _serves(self, agent: AgentProfile, queue_ids: Iterable[int], waited: timedelta) -> bool:
        delays = self._delays[agent.routing_profile_id]
        return any(queue_id in delays and waited >= delays[queue_id] for queue_id in queue_ids)
