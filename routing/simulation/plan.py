"""Fits the files and the company's policy together, and writes what a day needs into the throwaway database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.core.management.color import no_style
from django.db import connection
from django.utils.translation import gettext as _

from routing.models import (
    AgentProfile,
    AgentSkill,
    Decision,
    Queue,
    RoutingProfile,
    RoutingProfileQueue,
    RoutingProfileWork,
    Rule,
    RuleSet,
    ServiceLevel,
    Skill,
)
from routing.simulation.company import Company
from routing.simulation.problems import Problem, UnusableInput
from routing.simulation.reading import Arrival, Shift, Staffing, Trace

MADE_UP_QUEUE = "simulated"
MADE_UP_PROFILE = "Simulated"
MAY_GET_MORE_ROWS = (Skill, ServiceLevel, Queue, RoutingProfile, RoutingProfileQueue, RoutingProfileWork)
LAST = 1000
"""The place, among the queues of a profile, of one that is made up."""


@dataclass(frozen=True)
class Plan:
    """A trace and a staffing that can be played, and whose policy they are played with."""

    company: Company
    trace: Trace
    staffing: Staffing
    arrivals: list[Arrival]
    queue_of: dict[int, str]
    notes: list[str] = field(default_factory=list)
    """`arrivals` are those of the queues that were asked for, `queue_of` is by their line; `notes` says what was made up or left out."""


@dataclass(frozen=True)
class Stage:
    """What stands in the throwaway database: agents by name, decisions by what they ask for."""

    queues: dict[str, Queue]
    agents: dict[str, AgentProfile]
    decisions: dict[tuple[str, int, tuple[str, ...]], Decision]


def fit(company: Company, trace: Trace, staffing: Staffing, queues: Sequence[str]) -> Plan:
    """Checks what names what. `queues` are the codes that were asked for, or none for all.

    Raises UnusableInput for skills, queues and profiles that nobody knows, and for work whose queue is not told.
    """
    known = [queue.code for queue in company.queues]
    default = _default_queue(known, queues)
    problems = [*_unknown_skills(company, trace, staffing), *_unknown_profiles(company, staffing), *_same_agents(company, staffing)]
    queue_of: dict[int, str] = {}
    for arrival in trace.arrivals:
        queue_of[arrival.line] = arrival.queue or default or ""
        if not queue_of[arrival.line]:
            sentence = _("The line names no queue. Add a column “queue”, or say --queue with one of: %(queues)s.")
            problems.append(Problem(trace.file, arrival.line, "queue", sentence % {"queues": ", ".join(known)}))
    named = set(queue_of.values())
    for code in queues:
        if code not in named and code not in known:
            sentence = _("There is no queue “%(code)s”. There are: %(queues)s.")
            problems.append(Problem("--queue", 0, "", sentence % {"code": code, "queues": ", ".join(sorted({*known, *named} - {""}))}))
    arrivals = [arrival for arrival in trace.arrivals if not queues or queue_of[arrival.line] in queues]
    if not problems and not arrivals:
        problems.append(Problem(trace.file, 0, "queue", _("No line is of a queue that was asked for.")))
    if problems:
        raise UnusableInput(problems)
    plan = Plan(company, trace, staffing, arrivals, queue_of)
    plan.notes.extend(_notes(plan, len(trace.arrivals) - len(arrivals)))
    return plan


def set_the_stage(plan: Plan) -> Stage:
    """Writes the policy, the agents and the decisions into the database that is connected: the throwaway one."""
    for rows in plan.company.in_order():
        if rows:
            type(rows[0])._default_manager.bulk_create(rows)
    _count_on()
    _add_missing_skills(plan)
    queues = {queue.code: queue for queue in Queue.objects.select_related("service_level", "hours")}
    for code in _missing_queues(plan):
        queues[code] = _make_up_queue(code)
    agents = {name: _add_agent(plan, name, shifts) for name, shifts in plan.staffing.by_agent().items()}
    _complete_profiles(plan, list(agents.values()))
    return Stage(queues, agents, _decisions(plan, queues))


def _default_queue(known: list[str], asked_for: Sequence[str]) -> str | None:
    """Where work goes that names no queue: to the one that was asked for, or the only one there is."""
    candidates = list(asked_for) or known or [MADE_UP_QUEUE]
    return candidates[0] if len(candidates) == 1 else None


def _unknown_skills(company: Company, trace: Trace, staffing: Staffing) -> Iterator[Problem]:
    """A skill that the company does not have must stand in both files: what only one of them names is a slip."""
    known = {skill.code for skill in company.skills}
    wanted = {skill for arrival in trace.arrivals for skill in arrival.skills}
    offered = {skill for shift in staffing.shifts for skill in shift.skills}
    sentence = _("Nobody knows the skill “%(skill)s”. Use one of: %(skills)s; or name a new skill in both files.")
    there_are = ", ".join(sorted(known | (wanted & offered))) or "–"
    for arrival in trace.arrivals:
        for skill in arrival.skills:
            if skill not in known | offered:
                yield Problem(trace.file, arrival.line, "skill", sentence % {"skill": skill, "skills": there_are})
    for shift in staffing.shifts:
        for skill in shift.skills:
            if skill not in known | wanted:
                yield Problem(staffing.file, shift.line, "skills", sentence % {"skill": skill, "skills": there_are})


def _unknown_profiles(company: Company, staffing: Staffing) -> Iterator[Problem]:
    names = [profile.name for profile in company.profiles]
    for shift in staffing.shifts:
        if shift.profile and shift.profile not in names:
            sentence = _("There is no routing profile “%(name)s”. Use one of: %(names)s; or leave the cell empty.")
            yield Problem(staffing.file, shift.line, "profile", sentence % {"name": shift.profile, "names": ", ".join(names) or "–"})


def _same_agents(company: Company, staffing: Staffing) -> Iterator[Problem]:
    """Agents who stand there both by the name that they sign in with and by the one that they show."""
    named: dict[int, str] = {}
    for shift in staffing.shifts:
        agent = company.agents.get(shift.agent)
        if agent and named.setdefault(agent.pk, shift.agent) != shift.agent:
            sentence = _("“%(one)s” and “%(other)s” are the same agent. Use one name in all lines.")
            yield Problem(staffing.file, shift.line, "agent", sentence % {"one": named[agent.pk], "other": shift.agent})


def _notes(plan: Plan, left_out: int) -> Iterator[str]:
    """What managers must know to read the figures."""
    for file in (plan.trace, plan.staffing):
        if file.ignored:
            yield _("%(file)s: columns that are not read: %(columns)s.") % {"file": file.file, "columns": ", ".join(file.ignored)}
    if left_out:
        yield _("%(count)d lines of other queues were left out.") % {"count": left_out}
    for code in _missing_queues(plan):
        yield _("The company has no queue “%(code)s”: it was made up, to answer within 20 seconds.") % {"code": code}
    for kind in _missing_kinds(plan):
        yield _("No routing profile has work of the kind “%(kind)s”: it was made up, to take the whole of an agent.") % {"kind": kind}
    strangers = [name for name in plan.staffing.by_agent() if name not in plan.company.agents]
    if strangers:
        usual = plan.company.usual_profile()
        sentence = _("The company has no agents of these names, who work as “%(profile)s” unless the file says more: %(names)s.")
        yield sentence % {"profile": usual.name if usual else MADE_UP_PROFILE, "names": _shortened(strangers)}


def _shortened(names: list[str], most: int = 10) -> str:
    return ", ".join([*names[:most], *(["…"] if len(names) > most else [])])


def _missing_queues(plan: Plan) -> list[str]:
    known = {queue.code for queue in plan.company.queues}
    return sorted({plan.queue_of[arrival.line] for arrival in plan.arrivals} - known)


def _missing_kinds(plan: Plan) -> list[str]:
    known = {row.kind for row in plan.company.profile_work}
    return sorted({arrival.kind for arrival in plan.arrivals} - known)


def _count_on() -> None:
    """Numbers go on after those of the rows that were taken over."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), MAY_GET_MORE_ROWS):
            cursor.execute(statement)


def _add_missing_skills(plan: Plan) -> None:
    known = {skill.code for skill in plan.company.skills}
    named = {skill for shift in plan.staffing.shifts for skill in shift.skills}
    Skill.objects.bulk_create(Skill(code=code, name=code) for code in sorted(named - known))


def _make_up_queue(code: str) -> Queue:
    level, _created = ServiceLevel.objects.get_or_create(
        code="simulated_level", defaults={"name": MADE_UP_PROFILE, "answer_within_seconds": 20}
    )
    return Queue.objects.create(code=code, name=code, service_level=level)


def _add_agent(plan: Plan, name: str, shifts: list[Shift]) -> AgentProfile:
    """An agent with the company's skills, profile and capacity, but for what the file says."""
    theirs = plan.company.agents.get(name)
    wanted = next((shift.profile for shift in shifts if shift.profile), "")
    agent = AgentProfile.objects.create(
        user=User.objects.create(username=f"simulated {name}"),
        display_name=name,
        routing_profile_id=_profile_id(plan, theirs, wanted),
        **({"capacity": theirs.capacity} if theirs else {}),
    )
    at_home = plan.company.agent_skills.get(theirs.pk, {}) if theirs else {}
    told = next((shift.skills for shift in shifts if shift.skills), None)
    default = AgentSkill._meta.get_field("proficiency").get_default()
    skills = at_home if told is None else {code: given or at_home.get(code, default) for code, given in told.items()}
    ids = dict(Skill.objects.filter(code__in=skills).values_list("code", "pk"))
    AgentSkill.objects.bulk_create(AgentSkill(agent=agent, skill_id=ids[code], proficiency=given) for code, given in skills.items())
    return agent


def _profile_id(plan: Plan, theirs: AgentProfile | None, wanted: str) -> int:
    if wanted:
        return next(profile.pk for profile in plan.company.profiles if profile.name == wanted)
    usual = plan.company.usual_profile()
    if theirs or usual:
        return theirs.routing_profile_id if theirs else usual.pk  # type: ignore[union-attr]
    made_up, _created = RoutingProfile.objects.get_or_create(name=MADE_UP_PROFILE)
    return made_up.pk


def _complete_profiles(plan: Plan, agents: list[AgentProfile]) -> None:
    """Everybody serves the queues and the kinds of work that were made up; one piece of such a kind takes all of an agent.

    Where the profile is made up itself, it serves every queue.
    """
    made_up = list(Queue.objects.filter(code__in=_missing_queues(plan)) if plan.company.profiles else Queue.objects.all())
    kinds = _missing_kinds(plan)
    smallest: dict[int, int] = {}
    for agent in agents:
        smallest[agent.routing_profile_id] = min(agent.capacity, smallest.get(agent.routing_profile_id, agent.capacity))
    RoutingProfileQueue.objects.bulk_create(
        RoutingProfileQueue(profile_id=profile, queue=queue, order=LAST) for profile in smallest for queue in made_up
    )
    RoutingProfileWork.objects.bulk_create(
        RoutingProfileWork(profile_id=profile, kind=kind, weight=capacity) for profile, capacity in smallest.items() for kind in kinds
    )


def _decisions(plan: Plan, queues: dict[str, Queue]) -> dict[tuple[str, int, tuple[str, ...]], Decision]:
    """One decision for all work that asks for the same."""
    table = RuleSet.objects.create(kind=RuleSet.Kind.ROUTING, version=1)
    row = Rule.objects.create(rule_set=table, position=1, description=_("As the trace says."))
    asked: Iterable[tuple[str, int, tuple[str, ...]]] = {
        (plan.queue_of[arrival.line], arrival.priority, arrival.skills) for arrival in plan.arrivals
    }
    return {
        each: Decision.objects.create(
            subject="simulation",
            need={},
            rule_set=table,
            rule=row,
            handler=Decision.Handler.HUMAN,
            queue=queues[each[0]],
            priority_class=each[1],
            required_skills=list(each[2]),
            sentence=row.description,
        )
        for each in sorted(asked)
    }
