"""The company's policy, read and never written: what a simulation is played with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from django.db import models

from routing.models import (
    AgentProfile,
    AgentSkill,
    Queue,
    RoutingProfile,
    RoutingProfileQueue,
    RoutingProfileWork,
    RoutingStep,
    ServiceHours,
    ServiceHoursException,
    ServiceLevel,
    Skill,
)


@dataclass(frozen=True)
class Company:
    """Rows of policy. `agents` has who is active, by the name that they sign in with and by the one that customers see."""

    skills: list[Skill] = field(default_factory=list)
    hours: list[ServiceHours] = field(default_factory=list)
    exceptional_days: list[ServiceHoursException] = field(default_factory=list)
    levels: list[ServiceLevel] = field(default_factory=list)
    queues: list[Queue] = field(default_factory=list)
    steps: list[RoutingStep] = field(default_factory=list)
    profiles: list[RoutingProfile] = field(default_factory=list)
    profile_queues: list[RoutingProfileQueue] = field(default_factory=list)
    profile_work: list[RoutingProfileWork] = field(default_factory=list)
    agents: dict[str, AgentProfile] = field(default_factory=dict)
    agent_skills: dict[int, dict[str, int]] = field(default_factory=dict)

    def usual_profile(self) -> RoutingProfile | None:
        """The routing profile that most agents have."""
        count = Counter(agent.routing_profile_id for agent in {agent.pk: agent for agent in self.agents.values()}.values())
        return max(self.profiles, key=lambda profile: (count[profile.pk], -profile.pk), default=None)

    def in_order(self) -> list[list[models.Model]]:
        """The rows that are taken over as they are, each kind after those that it names."""
        kinds = (
            self.skills, self.hours, self.exceptional_days, self.levels, self.queues, self.steps, self.profiles,
            self.profile_queues, self.profile_work,
        )
        return [list(rows) for rows in kinds]


def read_company() -> Company:
    """What the database that is connected says of its policy and its agents. Queues that are paused now are taken as open."""
    queues = list(Queue.objects.order_by("pk"))
    for queue in queues:
        queue.paused_at, queue.paused_by, queue.paused_why = None, "", ""
    active = AgentProfile.objects.filter(active=True).select_related("user").order_by("-pk")
    by_shown_name = {agent.display_name: agent for agent in active}
    agent_skills: dict[int, dict[str, int]] = {}
    for agent_id, code, proficiency in AgentSkill.objects.values_list("agent_id", "skill__code", "proficiency"):
        agent_skills.setdefault(agent_id, {})[code] = proficiency
    return Company(
        skills=list(Skill.objects.order_by("pk")),
        hours=list(ServiceHours.objects.order_by("pk")),
        exceptional_days=list(ServiceHoursException.objects.order_by("pk")),
        levels=list(ServiceLevel.objects.order_by("pk")),
        queues=queues,
        steps=list(RoutingStep.objects.order_by("pk")),
        profiles=list(RoutingProfile.objects.order_by("pk")),
        profile_queues=list(RoutingProfileQueue.objects.order_by("pk")),
        profile_work=list(RoutingProfileWork.objects.order_by("pk")),
        agents=by_shown_name | {agent.user.get_username(): agent for agent in active},
        agent_skills=agent_skills,
    )
