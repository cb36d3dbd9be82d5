"""Work that would wait for nobody: what no agent of its queue may take, and kinds that a step of its queue makes of it."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from routing.models import AgentProfile, Queue, RoutingProfileWork, RoutingStep, Rule, RuleSet


def steps_into_work_nobody_takes() -> QuerySet[RoutingStep]:
    """Steps of queues that make work a kind which nobody who may get the queue's work takes. One query.

    Who may get it are active agents whose profile serves the queue, or one that a step of the queue opens, and whose capacity the
    kind fits into.
    """
    opened = RoutingStep.objects.filter(queue=OuterRef(OuterRef("queue")), also_queue__isnull=False).values("also_queue")
    takes = RoutingProfileWork.objects.filter(
        Q(profile__queue_rows__queue=OuterRef("queue")) | Q(profile__queue_rows__queue__in=opened),
        kind=OuterRef("becomes_kind"),
        profile__agents__active=True,
        profile__agents__capacity__gte=F("weight"),
    )
    changing = RoutingStep.objects.exclude(becomes_kind="").exclude(Exists(takes))
    return changing.select_related("queue").order_by("queue__name", "after_seconds")


def is_taken(queue: Queue, kind: str) -> bool:
    """Whether an active agent who serves the queue takes this kind of work, and has room for it when free. One query."""
    takes = RoutingProfileWork.objects.filter(profile__queue_rows__queue=queue, kind=kind, profile__agents__active=True)
    return takes.filter(profile__agents__capacity__gte=F("weight")).exists()


def rows_nobody_takes(rule_set: RuleSet) -> list[tuple[int, Rule]]:
    """The rows of a routing table that send work to people of whom none may take it, each with its place, counted from 1.

    Who may are active agents who serve the row's queue, or one that a step of it opens, and have the row's skills, unless a step
    drops these. Three queries for each queue with its skills that the table names.
    """
    known: dict[tuple[str, frozenset[str]], bool] = {}
    found = []
    queues = {queue.code: queue for queue in Queue.objects.all()}
    for number, rule in enumerate(rule_set.rules.order_by("position", "pk"), start=1):
        queue, skills = queues.get(rule.outputs.get("queue") or ""), frozenset(rule.outputs.get("required_skills") or ())
        if queue is None or rule.outputs.get("handler") not in ("human", "callback"):
            continue
        if (queue.code, skills) not in known:
            known[queue.code, skills] = _is_staffed(queue, skills)
        if not known[queue.code, skills]:
            found.append((number, rule))
    return found


def _is_staffed(queue: Queue, skills: Collection[str]) -> bool:
    steps = list(RoutingStep.objects.filter(queue=queue))
    served = [queue.pk, *(step.also_queue_id for step in steps if step.also_queue_id)]
    agents = AgentProfile.objects.filter(active=True, routing_profile__queue_rows__queue__in=served)
    if not any(step.without_skills for step in steps):
        least = min([queue.min_proficiency, *(step.min_proficiency for step in steps if step.min_proficiency)])
        for skill in skills:
            agents = agents.filter(skill_rows__skill__code=skill, skill_rows__proficiency__gte=least)
    return agents.exists()
