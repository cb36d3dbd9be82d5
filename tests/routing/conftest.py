"""A small company: three queues in one group, two service levels, a routing table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from pytest_django.plugin import DjangoDbBlocker

from routing.models import (
    AgentProfile,
    AgentSkill,
    Presence,
    Queue,
    ReasonCode,
    RoutingProfile,
    RoutingProfileQueue,
    RoutingProfileWork,
    Rule,
    RuleSet,
    RuleSetCase,
    ServiceLevel,
    Skill,
    Territory,
)
from routing.rules.publish import publish
from routing.signals import presence_changed, queue_changed, reservation_changed, work_item_changed

ROWS: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    (
        "A smell of gas goes to people first",
        {"reason": "gas_smell"},
        {
            "handler": "human",
            "queue": "urgent",
            "priority_class": 1,
            "required_skills": ["gas"],
            "service_level": "urgent",
        },
    ),
    (
        "Whoever asks for a person gets one",
        {"asked_for_human": "yes", "in_hours": "yes"},
        {"handler": "human", "queue": "service", "priority_class": 3},
    ),
    (
        "Anger after failed answers goes to billing",
        {"sentiment": "< -0.5", "failed_turns": ">= 2"},
        {"handler": "human", "queue": "billing", "priority_class": 2},
    ),
    ("Everything else is answered by the assistant", {}, {"handler": "assistant"}),
]


@dataclass
class Company:
    """The rows that tests refer to by name."""

    urgent: Queue
    service: Queue
    billing: Queue
    profile: RoutingProfile
    gas: Skill

    def skill(self, code: str) -> Skill:
        """A skill by its code, made when there is none."""
        return Skill.objects.get_or_create(code=code, defaults={"name": code.capitalize()})[0]

    def agent(
        self,
        name: str,
        *,
        capacity: int = 6,
        skills: tuple[Skill, ...] = (),
        profile: RoutingProfile | None = None,
        state: str = "available",
    ) -> AgentProfile:
        """Somebody at work, with a presence."""
        agent = AgentProfile.objects.create(
            user=User.objects.create(username=name),
            display_name=name.capitalize(),
            routing_profile=profile or self.profile,
            capacity=capacity,
        )
        for skill in skills:
            AgentSkill.objects.create(agent=agent, skill=skill)
        Presence.objects.create(agent=agent, state=state)
        return agent


def make_company() -> Company:
    """Creates the company in the current database."""
    urgent_level = ServiceLevel.objects.create(
        code="urgent", name="Urgent", answer_within_seconds=20, max_wait_seconds=120
    )
    standard = ServiceLevel.objects.create(
        code="standard", name="Standard", answer_within_seconds=120, max_wait_seconds=600
    )
    queues = [
        Queue.objects.create(code=code, name=code.capitalize(), service_level=level)
        for code, level in (("urgent", urgent_level), ("service", standard), ("billing", standard))
    ]
    profile = RoutingProfile.objects.create(name="Everything")
    for queue in queues:
        RoutingProfileQueue.objects.create(profile=profile, queue=queue)
    RoutingProfileWork.objects.create(profile=profile, kind="live_voice", weight=6, max_at_once=1)
    RoutingProfileWork.objects.create(profile=profile, kind="messaging", weight=2, max_at_once=3)
    for code in ("gas_smell", "no_heating", "billing_question"):
        ReasonCode.objects.create(code=code, name=code.replace("_", " "), line_of_business="heating")
    Territory.objects.create(code="north", name="North")
    gas = Skill.objects.create(code="gas", name="Gas")
    return Company(*queues, profile=profile, gas=gas)


def make_draft(
    rows: list[tuple[str, dict[str, str], dict[str, Any]]] | None = None, kind: str = "routing", *, example: bool = True
) -> RuleSet:
    """A draft with these rows, or with the company's, and an example: an ordinary need gets what the last row answers."""
    newest = RuleSet.objects.filter(kind=kind).order_by("-version").first()
    draft = RuleSet.objects.create(kind=kind, version=newest.version + 1 if newest else 1)
    for position, (description, conditions, outputs) in enumerate(ROWS if rows is None else rows, start=1):
        Rule.objects.create(
            rule_set=draft, position=position, description=description, conditions=conditions, outputs=outputs
        )
    if example and (written := ROWS if rows is None else rows):
        RuleSetCase.objects.create(rule_set=draft, name="An ordinary need", need={}, expected=written[-1][2])
    return draft


@pytest.fixture(autouse=True)
def routing_alone() -> Iterator[None]:
    """Nobody above listens: routing works without the apps that use it."""
    signals = (reservation_changed, work_item_changed, presence_changed, queue_changed)
    listeners = [signal.receivers for signal in signals]
    for signal in signals:
        signal.receivers = []
    yield
    for signal, kept in zip(signals, listeners, strict=True):
        signal.receivers = kept


@pytest.fixture
def transactional_db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A database in which transactions commit, as in production; routing's rows and all users are wiped afterwards.

    Stands in for the fixture of the same name, which truncates every table of every app: seconds for each test.
    """
    with django_db_blocker.unblock():
        wipe()
        yield
        wipe()


def wipe(*models: type[Model]) -> None:
    """Deletes the rows of these models, or of routing and all users, with the triggers that forbid it off meanwhile."""
    chosen = models or (*apps.get_app_config("routing").get_models(), User)
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")
        cursor.execute("SET session_replication_role = replica")
        for model in chosen:
            cursor.execute(f'DELETE FROM "{model._meta.db_table}"')
        cursor.execute("SET session_replication_role = DEFAULT")


@pytest.fixture
def committed_company(transactional_db: None) -> Company:
    return make_company()


@pytest.fixture
def deciding_company(committed_company: Company) -> Company:
    """The company with its table published, in a database where transactions commit."""
    publish(make_draft(), by="tests")
    return committed_company


@pytest.fixture
def company(db: None) -> Company:
    return make_company()


@pytest.fixture
def draft(company: Company) -> Callable[..., RuleSet]:
    return make_draft


@pytest.fixture
def published(company: Company) -> RuleSet:
    return publish(make_draft(), by="tests", note="First version.")
