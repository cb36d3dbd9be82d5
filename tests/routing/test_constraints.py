"""The database itself refuses what must never be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from routing.models import (
    AgentProfile,
    AgentSkill,
    Decision,
    DispositionCode,
    Presence,
    Queue,
    ReasonCode,
    ReasonPhrase,
    Reservation,
    RoutingProfile,
    RoutingProfileQueue,
    RoutingProfileWork,
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
    WorkItem,
)
from routing.need import Need
from routing.rules.publish import publish
from routing.services.decide import decide
from tests.routing.conftest import Company, make_draft

Bad = Callable[[Company], Any]


def refused(bad: Callable[[], Any], by: str) -> None:
    """The statement, or the commit after it, fails with the rule's name or sentence."""
    with pytest.raises(DatabaseError, match=by):
        _commit(bad)


def _commit(bad: Callable[[], Any]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        bad()
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def work(company: Company, **values: Any) -> WorkItem:
    """A waiting work item, however odd."""
    given = {"subject": "c1", "kind": "messaging", "queue": company.service, "deadline": timezone.now()} | values
    return WorkItem.objects.create(**given)


def offer(company: Company, agent: AgentProfile, **values: Any) -> Reservation:
    """An offer with the load that belongs to it."""
    given = {"weight": 2, "reason": "x", "expires_at": timezone.now()} | values
    item = given.pop("work_item", None) or work(company)
    AgentProfile.objects.filter(pk=agent.pk).update(load=given["weight"])
    return Reservation.objects.create(work_item=item, agent=agent, **given)


TABLES: list[tuple[str, Bad]] = [
    ("servicelevel.*code", lambda c: ServiceLevel.objects.create(code="urgent", answer_within_seconds=1)),
    ("target_is_a_percentage", lambda c: ServiceLevel.objects.update(target_percent=0)),
    ("target_is_a_percentage", lambda c: ServiceLevel.objects.update(target_percent=101)),
    ("waits_at_least_as_long", lambda c: ServiceLevel.objects.update(answer_within_seconds=0)),
    ("waits_at_least_as_long", lambda c: ServiceLevel.objects.update(max_wait_seconds=1)),
    ("queue_code", lambda c: Queue.objects.create(code="urgent", service_level=c.urgent.service_level)),
    ("does_not_overflow_into_itself", lambda c: Queue.objects.filter(pk=c.urgent.pk).update(overflow_queue=c.urgent)),
    ("reasoncode_code", lambda c: ReasonCode.objects.create(code="gas_smell")),
    ("urgency_is_known", lambda c: ReasonCode.objects.update(urgency="panic")),
    ("stands_once_per_reason", lambda c: [ReasonPhrase.objects.create(reason=ReasonCode.objects.first(), text="a") for _ in "ab"]),
    ("phrase_is_not_empty", lambda c: ReasonPhrase.objects.create(reason=ReasonCode.objects.first(), text="")),
    ("dispositioncode_code", lambda c: [DispositionCode.objects.create(code="done") for _ in "ab"]),
    ("territory_code", lambda c: Territory.objects.create(code="north")),
    ("capitals_and_digits", lambda c: TerritoryPostcode.objects.create(territory=Territory.objects.get(), prefix="ls 1")),
    ("prefix", lambda c: [TerritoryPostcode.objects.create(territory=Territory.objects.get(), prefix="LS1") for _ in "ab"]),
    ("one_exception_per_date", lambda c: _two_exceptions()),
    ("skill_code", lambda c: Skill.objects.create(code="gas")),
    ("team_name", lambda c: [Team.objects.create(name="North") for _ in "ab"]),
    ("routingprofile_name", lambda c: RoutingProfile.objects.create(name="Everything")),
    ("names_a_queue_once", lambda c: RoutingProfileQueue.objects.create(profile=c.profile, queue=c.urgent)),
    ("weighs_a_kind_of_work_once", lambda c: RoutingProfileWork.objects.create(profile=c.profile, kind="messaging", weight=1)),
    ("has_weight_and_limit", lambda c: RoutingProfileWork.objects.update(weight=0)),
    ("has_weight_and_limit", lambda c: RoutingProfileWork.objects.update(max_at_once=0)),
    ("load_stays_within_capacity", lambda c: AgentProfile.objects.filter(pk=c.agent("a").pk).update(load=7)),
    ("load", lambda c: AgentProfile.objects.filter(pk=c.agent("a").pk).update(load=-1)),
    ("phone_number_is_e164", lambda c: AgentProfile.objects.filter(pk=c.agent("a").pk).update(phone_number="0113 496")),
    ("has_a_skill_once", lambda c: AgentSkill.objects.create(agent=c.agent("a", skills=(c.gas,)), skill=c.gas)),
    ("is_one_to_five", lambda c: AgentSkill.objects.create(agent=c.agent("a"), skill=c.gas, proficiency=6)),
    ("presence_state_is_known", lambda c: Presence.objects.create(agent=c.agent("a", state="asleep"))),
    ("user_id", lambda c: AgentProfile.objects.create(user=c.agent("a").user, routing_profile=c.profile)),
    ("version_is_unique_per_kind", lambda c: [RuleSet.objects.create(kind="routing", version=1) for _ in "ab"]),
    ("compiled_and_dated", lambda c: RuleSet.objects.create(kind="routing", version=1, status="published")),
    ("status_is_known", lambda c: _odd_status()),
    ("one_published_version_per_kind", lambda c: _two_published()),
    ("position_is_unique", lambda c: Rule.objects.filter(rule_set=make_draft()).update(position=1)),
    ("says_what_it_is_for", lambda c: Rule.objects.filter(rule_set=make_draft()).update(description="")),
    ("name_is_unique_in_its_set", lambda c: _two_cases()),
    ("at_most_one_live_work_item", lambda c: [work(c) for _ in "ab"]),
    ("end_exactly_when_ended", lambda c: work(c, state="completed")),
    ("end_exactly_when_ended", lambda c: work(c, ended_at=timezone.now())),
    ("end_exactly_when_ended", lambda c: work(c, state="lost", ended_at=timezone.now())),
    ("at_most_one_live_reservation", lambda c: _two_offers(c)),
    ("reservation_has_an_end_exactly_when_ended", lambda c: offer(c, c.agent("a"), state="timeout")),
    ("reservation_has_an_end_exactly_when_ended", lambda c: offer(c, c.agent("a"), ended_at=timezone.now())),
    ("reservation_has_weight", lambda c: offer(c, c.agent("a"), weight=0)),
]


@pytest.mark.parametrize(("by", "bad"), TABLES, ids=[f"{number}-{by}" for number, (by, _bad) in enumerate(TABLES)])
def test_a_bad_row_is_refused(company: Company, by: str, bad: Bad) -> None:
    """By the constraint with this name."""
    refused(lambda: bad(company), by)


def _two_exceptions() -> None:
    hours = ServiceHours.objects.create(code="h", name="h", time_zone="UTC", expression="24/7")
    for _number in range(2):
        ServiceHoursException.objects.create(hours=hours, date=date(2026, 1, 1))


def _odd_status() -> None:
    RuleSet.objects.create(kind="routing", version=1, status="odd", compiled={}, published_at=timezone.now())


def _two_published() -> None:
    for version in (1, 2):
        RuleSet.objects.create(
            kind="routing", version=version, status="published", compiled={"nodes": []}, published_at=timezone.now()
        )


def _two_cases() -> None:
    draft = make_draft()
    for _number in range(2):
        RuleSetCase.objects.create(rule_set=draft, name="same")


def _two_offers(company: Company) -> None:
    item = work(company)
    for name in ("a", "b"):
        offer(company, company.agent(name), work_item=item)


class TestDecisions:
    def test_decisions_never_change_and_never_go(self, published: RuleSet) -> None:
        """Not by the ORM, not by SQL."""
        decision = decide(Need(), subject="c1")
        refused(lambda: Decision.objects.update(sentence="other"), "append_only|[Cc]annot update")
        refused(lambda: Decision.objects.filter(pk=decision.pk)._raw_delete("default"), "append_only|[Cc]annot delete")

    @pytest.mark.parametrize(
        ("by", "values"),
        [
            ("handler_is_known", {"handler": "robot"}),
            ("names_a_queue", {"handler": "human"}),
            ("one_to_nine", {"handler": "assistant", "priority_class": 0}),
            ("one_to_nine", {"handler": "assistant", "priority_class": 10}),
        ],
    )
    def test_a_decision_makes_sense(self, published: RuleSet, by: str, values: dict[str, Any]) -> None:
        """Handler, queue and class are checked."""
        rule = published.rules.first()
        refused(lambda: Decision.objects.create(subject="c", need={}, rule_set=published, rule=rule, sentence="x", **values), by)


class TestPublishedTables:
    @pytest.mark.parametrize(
        "change",
        [
            {"compiled": {"nodes": []}},
            {"version": 9},
            {"kind": "scoring"},
            {"note": "other"},
            {"status": "draft"},
            {"published_by": "somebody"},
            {"published_at": None},
        ],
    )
    def test_a_published_version_never_changes(self, published: RuleSet, change: dict[str, Any]) -> None:
        """Only its retirement is possible."""
        refused(lambda: RuleSet.objects.update(**change), "never changes|compiled_and_dated")
        RuleSet.objects.update(status="retired")
        refused(lambda: RuleSet.objects.update(status="published"), "never changes")

    def test_a_published_version_is_never_deleted(self, published: RuleSet) -> None:
        """Decisions refer to it for ever."""
        refused(lambda: RuleSet.objects.filter(pk=published.pk)._raw_delete("default"), "[Cc]annot delete")

    def test_its_rows_and_examples_never_change(self, published: RuleSet) -> None:
        """No row is changed, deleted, added, moved in or out; nor is an example."""
        draft = make_draft()
        moved = draft.rules.first()
        assert moved is not None
        for bad in (
            lambda: published.rules.update(description="other"),
            lambda: published.rules.all()._raw_delete("default"),
            lambda: Rule.objects.create(rule_set=published, position=9, description="x"),
            lambda: Rule.objects.filter(pk=moved.pk).update(rule_set=published, position=9),
            lambda: Rule.objects.filter(rule_set=published, position=1).update(rule_set=draft, position=9),
        ):
            refused(bad, "rules of a published set never change")
        refused(lambda: RuleSetCase.objects.create(rule_set=published, name="x"), "cases of a published set never change")


class TestLifeCycles:
    @pytest.mark.parametrize(
        ("path", "bad"),
        [
            ([], "assigned"),
            ([], "wrapping"),
            (["reserved"], "wrapping"),
            (["reserved"], "completed"),
            (["reserved", "assigned"], "reserved"),
            (["canceled"], "queued"),
            (["completed"], "queued"),
        ],
    )
    def test_work_moves_only_along_its_life_cycle(self, company: Company, path: list[str], bad: str) -> None:
        """Nothing comes back from its end, nothing skips the offer."""
        item = work(company)

        def move(state: str) -> None:
            ended = timezone.now() if state in ("completed", "canceled") else None
            WorkItem.objects.filter(pk=item.pk).update(state=state, ended_at=ended)

        for state in path:
            move(state)
        refused(lambda: move(bad), "[Ii]nvalid|transition")

    @pytest.mark.parametrize(("path", "bad"), [([], "wrapping"), (["accepted"], "pending"), (["rejected"], "accepted")])
    def test_an_offer_moves_only_along_its_life_cycle(self, company: Company, path: list[str], bad: str) -> None:
        """What was declined is not accepted later."""
        made = offer(company, company.agent("ann"))

        def move(state: str) -> None:
            live = state in Reservation.LIVE_STATES
            AgentProfile.objects.update(load=2 if live else 0)
            Reservation.objects.filter(pk=made.pk).update(state=state, ended_at=None if live else timezone.now())

        for state in path:
            move(state)
        refused(lambda: move(bad), "[Ii]nvalid|transition")

    def test_a_load_that_is_not_the_weight_of_live_work_cannot_be_committed(self, company: Company) -> None:
        """Whoever forgets to give capacity back is refused at commit."""
        ann = company.agent("ann")
        item = work(company)

        def forgetful() -> None:
            Reservation.objects.create(
                work_item=item, agent=ann, weight=2, reason="x", expires_at=timezone.now()
            )

        refused(forgetful, "carries load 0 but live reservations weigh 2")


def test_who_has_history_is_never_deleted(company: Company, published: RuleSet) -> None:
    """Queues with work, agents with offers and users with a profile are protected."""
    ann = company.agent("ann")
    offer(company, ann)
    for row in (company.service, ann, ann.user):
        with pytest.raises(DatabaseError):
            row.delete()
    assert User.objects.filter(pk=ann.user_id).exists()
    publish(make_draft(), by="tests")
