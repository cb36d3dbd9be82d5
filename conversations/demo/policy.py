"""What routing needs of the demo company: skills, hours, queues, reasons, outcomes, territories, people, tables.

Every function creates what is missing and leaves alone what is there, so that a manager's changes outlive a restart.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User

from conversations.demo.source import Content
from routing.models import (
    AgentProfile,
    AgentSkill,
    AwayReason,
    DeclaredFact,
    DeclaredFactValue,
    DispositionCode,
    Queue,
    ReasonCode,
    ReasonPhrase,
    RoutingProfile,
    RoutingProfileQueue,
    RoutingProfileWork,
    RoutingStep,
    Rule,
    RuleSet,
    RuleSetCase,
    ServiceHours,
    ServiceHoursException,
    ServiceLevel,
    Skill,
    Team,
    Territory,
    TerritoryPostcode,
)
from routing.rules.publish import publish

PASSWORD = "harbor-demo-2026"  # noqa: S105 (a demo on the visitor's own machine)


def add_policy(company: Content) -> None:
    """Skills, hours, service levels, queues, declared facts, outcomes and territories."""
    for row in company["skills"]:
        Skill.objects.get_or_create(code=row["code"], defaults={"name": row["name"]})
    for row in company["hours"]:
        _add_hours(row, company)
    for row in company["service_levels"]:
        values = {
            "name": row["name"],
            "answer_within_seconds": row["seconds"],
            "target_percent": row["percent"],
            "max_wait_seconds": row["longest"],
            "rise_every_seconds": row["longest"],
        }
        ServiceLevel.objects.get_or_create(code=row["code"], defaults=values)
    for row in company["queues"]:
        _add_queue(row)
    for row in company["facts"]:
        _add_fact(row)
    for row in company["dispositions"]:
        DispositionCode.objects.get_or_create(code=row["code"], defaults={"name": row["name"], "resolved": row["resolved"]})
    for row in company["territories"]:
        territory, _ = Territory.objects.get_or_create(code=row["code"], defaults={"name": row["name"]})
        for prefix in row["prefixes"]:
            TerritoryPostcode.objects.get_or_create(prefix=prefix, defaults={"territory": territory})


def add_reasons(reasons: list[Content]) -> None:
    """Reason codes; the phrases only of those that are new."""
    for row in reasons:
        values = {"name": row["name"], "line_of_business": row["line_of_business"], "urgency": row["urgency"]}
        reason, created = ReasonCode.objects.get_or_create(code=row["code"], defaults=values)
        if created:
            ReasonPhrase.objects.bulk_create(ReasonPhrase(reason=reason, text=text) for text in row["phrases"])


def add_people(company: Content) -> list[User]:
    """The manager and the agents with teams, routing profiles and skills. Returns the users that are new."""
    for row in company["routing_profiles"]:
        _add_profile(row)
    for name in company["away_reasons"]:
        AwayReason.objects.get_or_create(name=name)
    for name in company["teams"]:
        Team.objects.get_or_create(name=name)
    manager, created = _add_user(company["manager"], is_staff=True, is_superuser=True)
    new = [manager] if created else []
    for row in company["agents"]:
        user, created = _add_user(row)
        new += [user] if created else []
        _add_agent(row, user)
    return new


def publish_rule_sets(rule_sets: list[Content]) -> None:
    """Publishes a first version of every kind of table that has no version at all.

    Raises routing.rules.publish.PublishRefused when a table does not pass its own cases.
    """
    for content in rule_sets:
        if RuleSet.objects.filter(kind=content["kind"]).exists():
            continue
        rule_set = RuleSet.objects.create(kind=content["kind"], version=1, note=content["note"])
        Rule.objects.bulk_create(
            Rule(rule_set=rule_set, position=position, description=row["description"], conditions=row["when"], outputs=row["then"])
            for position, row in enumerate(content["rows"], start=1)
        )
        RuleSetCase.objects.bulk_create(
            RuleSetCase(rule_set=rule_set, name=case["name"], need=case["need"], expected=case["expected"]) for case in content["cases"]
        )
        publish(rule_set, by="demo", note=content["note"])


def _add_hours(row: Content, company: Content) -> None:
    values = {
        "name": row["name"],
        "time_zone": company["time_zone"],
        "expression": row["expression"],
        "country": company["country"],
        "subdivision": row["subdivision"],
    }
    hours, created = ServiceHours.objects.get_or_create(code=row["code"], defaults=values)
    if created:
        ServiceHoursException.objects.bulk_create(
            ServiceHoursException(hours=hours, date=_date(each["date"]), expression=each["times"], note=each["note"])
            for each in row["exceptions"]
        )


def _date(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _add_queue(row: Content) -> None:
    values = {
        "name": row["name"],
        "service_level": ServiceLevel.objects.get(code=row["service_level"]),
        "hours": ServiceHours.objects.get(code=row["hours"]),
    }
    queue, created = Queue.objects.get_or_create(code=row["code"], defaults=values)
    for step in row.get("steps", []) if created else []:
        also = Queue.objects.get(code=step["also"]) if "also" in step else None
        RoutingStep.objects.create(queue=queue, after_seconds=step["after"], also_queue=also, becomes_kind=step.get("becomes", ""))


def _add_fact(row: Content) -> None:
    fact, created = DeclaredFact.objects.get_or_create(name=row["name"])
    if created:
        values = row["values"].items()
        DeclaredFactValue.objects.bulk_create(DeclaredFactValue(fact=fact, value=value, meaning=meaning) for value, meaning in values)


def _add_profile(row: Content) -> None:
    profile, created = RoutingProfile.objects.get_or_create(name=row["name"])
    if not created:
        return
    for each in row["queues"]:
        queue = Queue.objects.get(code=each["queue"])
        RoutingProfileQueue.objects.create(profile=profile, queue=queue, order=each["order"], delay_seconds=each.get("delay", 0))
    RoutingProfileWork.objects.bulk_create(
        RoutingProfileWork(profile=profile, kind=each["kind"], weight=each["weight"], max_at_once=each["at_once"]) for each in row["work"]
    )


def _add_user(row: Content, **rights: bool) -> tuple[User, bool]:
    model = get_user_model()
    found = model.objects.filter(username=row["username"]).first()
    if found is not None:
        return found, False
    names = {"first_name": row["first_name"], "last_name": row["last_name"]}
    return model.objects.create_user(row["username"], row["email"] if "email" in row else _email(row), PASSWORD, **names, **rights), True


def _email(row: Content) -> str:
    return f"{row['username']}@harborhome.example"


def _add_agent(row: Content, user: User) -> None:
    values = {
        "display_name": row["first_name"],
        "team": Team.objects.get(name=row["team"]),
        "routing_profile": RoutingProfile.objects.get(name=row["profile"]),
        "phone_number": row["phone"],
    }
    agent, created = AgentProfile.objects.get_or_create(user=user, defaults=values)
    if created:
        AgentSkill.objects.bulk_create(
            AgentSkill(agent=agent, skill=Skill.objects.get(code=code), proficiency=level) for code, level in row["skills"].items()
        )
