"""The database itself refuses what must never be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone
from pghistory.models import Event

from routing.models import (
    AgentProfile,
    AgentSkill,
    ChannelException,
    Configuration,
    Decision,
    DeclaredFact,
    DispositionCode,
    Interruption,
    Presence,
    Queue,
    ReasonCode,
    ReasonPhrase,
    Reservation,
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
    WorkItem,
)
from routing.need import Need
from routing.rules.publish import publish
from routing.services.decide import decide
from tests.routing.conftest import Company, make_draft

Bad = Callable[[Company], Any]
LONG_AGO = datetime(2026, 11, 1, 9, tzinfo=UTC)


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
    ("declared_fact_has_a_name_of_a_table", lambda c: DeclaredFact.objects.create(name="reason")),
    ("declared_fact_has_a_name_of_a_table", lambda c: DeclaredFact.objects.create(name="facts.Floor")),
    ("declared_fact_kind_fits_its_name", lambda c: DeclaredFact.objects.create(name="tier", kind="number")),
    ("declared_fact_kind_fits_its_name", lambda c: DeclaredFact.objects.create(name="facts.floor", kind="other")),
    ("declared_fact_has_a_span_only_as_a_number", lambda c: DeclaredFact.objects.create(name="tier", lowest=1)),
    ("declared_fact_span_runs_forwards", lambda c: DeclaredFact.objects.create(name="facts.floor", kind="number", lowest=2, highest=1)),
    ("declared_fact_value_is_not_empty", lambda c: DeclaredFact.objects.create(name="tier").values.create(value="")),
    ("declared_fact_has_a_value_once", lambda c: _value_twice()),
    ("servicelevel.*code", lambda c: ServiceLevel.objects.create(code="urgent", answer_within_seconds=1)),
    ("service_level_target_is_a_percentage", lambda c: ServiceLevel.objects.update(target_percent=0)),
    ("service_level_target_is_a_percentage", lambda c: ServiceLevel.objects.update(target_percent=101)),
    ("service_level_waits_at_least_as_long_as_its_target", lambda c: ServiceLevel.objects.update(answer_within_seconds=0)),
    ("service_level_waits_at_least_as_long_as_its_target", lambda c: ServiceLevel.objects.update(max_wait_seconds=1)),
    ("queue_code", lambda c: Queue.objects.create(code="urgent", service_level=c.urgent.service_level)),
    ("routing_step_opens_another_queue", lambda c: RoutingStep.objects.create(queue=c.urgent, after_seconds=1, also_queue=c.urgent)),
    (
        "queue_has_one_step_at_a_time",
        lambda c: [RoutingStep.objects.create(queue=c.urgent, after_seconds=9, without_skills=True) for _ in range(2)],
    ),
    ("queue_offers_a_call_back_after_some_time_or_never", lambda c: Queue.objects.update(call_back_after_seconds=0)),
    ("routing_step_comes_after_a_wait", lambda c: RoutingStep.objects.create(queue=c.urgent, after_seconds=0, without_skills=True)),
    ("routing_step_does_something", lambda c: RoutingStep.objects.create(queue=c.urgent, after_seconds=1)),
    (
        "routing_step_proficiency_is_one_to_five",
        lambda c: RoutingStep.objects.create(queue=c.urgent, after_seconds=1, min_proficiency=6),
    ),
    (
        "routing_step_raises_by_eight_classes_at_most",
        lambda c: RoutingStep.objects.create(queue=c.urgent, after_seconds=1, raise_class_by=9),
    ),
    ("queue_proficiency_is_one_to_five", lambda c: Queue.objects.filter(pk=c.urgent.pk).update(min_proficiency=0)),
    ("queue_names_who_paused_it_while_it_is_paused", lambda c: Queue.objects.filter(pk=c.urgent.pk).update(paused_by="kim")),
    (
        "service_level_rises_after_some_time_or_never",
        lambda c: ServiceLevel.objects.filter(pk=c.urgent.service_level_id).update(rise_every_seconds=0),
    ),
    (
        "routing_profile_lets_at_least_one_offer_be_missed",
        lambda c: RoutingProfile.objects.filter(pk=c.profile.pk).update(missed_offers_before_away=0),
    ),
    ("reasoncode_code", lambda c: ReasonCode.objects.create(code="gas_smell")),
    ("reason_code_urgency_is_known", lambda c: ReasonCode.objects.update(urgency="panic")),
    ("reason_phrase_stands_once_per_reason", lambda c: _two_phrases()),
    ("there_is_one_configuration", lambda c: Configuration.objects.create(id=2, stamp=uuid4())),
    ("reason_phrase_is_not_empty", lambda c: ReasonPhrase.objects.create(reason=ReasonCode.objects.first(), text="")),
    ("dispositioncode_code", lambda c: [DispositionCode.objects.create(code="done") for _ in "ab"]),
    ("territory_code", lambda c: Territory.objects.create(code="north")),
    ("territory_postcode_is_capitals_and_digits", lambda c: _postcodes("ls 1")),
    ("prefix", lambda c: _postcodes("LS1", "LS1")),
    ("service_hours_have_one_exception_per_date", lambda c: _two_exceptions()),
    ("skill_code", lambda c: Skill.objects.create(code="gas")),
    ("team_name", lambda c: [Team.objects.create(name="North") for _ in "ab"]),
    ("routingprofile_name", lambda c: RoutingProfile.objects.create(name="Everything")),
    ("routing_profile_names_a_queue_once", lambda c: RoutingProfileQueue.objects.create(profile=c.profile, queue=c.urgent)),
    ("routing_profile_weighs_a_kind_of_work_once", lambda c: _second_weight(c)),
    ("routing_profile_work_has_weight_and_limit", lambda c: RoutingProfileWork.objects.update(weight=0)),
    ("routing_profile_work_has_weight_and_limit", lambda c: RoutingProfileWork.objects.update(max_at_once=0)),
    ("routing_profile_work_names_what_it_interrupts", lambda c: c.profile.work_rows.update(interrupts={})),
    ("routing_profile_work_does_not_interrupt_itself", lambda c: c.profile.work_rows.update(interrupts=["email", "messaging"])),
    ("reservation_is_laid_aside_once_at_a_time", lambda c: _interruptions(c, (0, 1), (0, 1))),
    ("reservation_does_not_interrupt_itself", lambda c: _interruptions(c, (0, 0))),
    ("agent_is_interrupted_by_one_piece_at_a_time", lambda c: _interruptions(c, (0, 1), (2, 3))),
    ("interruption_does_not_end_before_it_begins", lambda c: _interruptions(c, (0, 1), ended_at=LONG_AGO)),
    ("of work that somebody else has", lambda c: _interruptions(c, (0, 1), agent=c.agent("b"), ended_at=timezone.now())),
    ("of work that somebody else has", lambda c: _interruptions(c, (0, 4), ended_at=timezone.now())),
    ("Cannot update rows from routing_interruption", lambda c: _interruptions(c, (0, 1)).update(agent=c.agent("b"))),
    ("Cannot update rows from routing_interruption", lambda c: _interruptions(c, (0, 1)).update(by=models.F("laid_aside"))),
    ("Cannot update rows from routing_reservation", lambda c: _interruptions(c) or Reservation.objects.update(agent=c.agent("b"))),
    ("laid 0 aside but what is laid aside weighs 2", lambda c: _interruptions(c, (0, 1), load=3)),
    ("would not fit any more", lambda c: _interruptions(c, (0, 1), load=3, laid_aside=2, capacity=3)),
    ("outlives its work, or is of what they never took", lambda c: _interruptions(c, (3, 1), load=4, laid_aside=1)),
    ("agent_load_stays_within_capacity", lambda c: AgentProfile.objects.filter(pk=c.agent("a").pk).update(load=7)),
    ("load", lambda c: AgentProfile.objects.filter(pk=c.agent("a").pk).update(load=-1)),
    ("agent_sip_address_is_one", lambda c: AgentProfile.objects.filter(pk=c.agent("a").pk).update(sip_address="somewhere")),
    ("agent_phone_number_is_e164", lambda c: AgentProfile.objects.filter(pk=c.agent("a").pk).update(phone_number="0113 496")),
    ("agent_has_a_skill_once", lambda c: AgentSkill.objects.create(agent=c.agent("a", skills=(c.gas,)), skill=c.gas)),
    ("agent_skill_proficiency_is_one_to_five", lambda c: AgentSkill.objects.create(agent=c.agent("a"), skill=c.gas, proficiency=6)),
    ("presence_state_is_known", lambda c: Presence.objects.create(agent=c.agent("a", state="asleep"))),
    ("user_id", lambda c: AgentProfile.objects.create(user=c.agent("a").user, routing_profile=c.profile)),
    ("rule_set_version_is_unique_per_kind", lambda c: [RuleSet.objects.create(kind="routing", version=1) for _ in "ab"]),
    ("published_rule_set_is_compiled_and_dated", lambda c: RuleSet.objects.create(kind="routing", version=1, status="published")),
    ("rule_set_status_is_known", lambda c: _odd_status()),
    ("rule_set_kind_is_known", lambda c: RuleSet.objects.create(kind="guessing", version=1)),
    ("rule_set_has_one_published_version_per_kind", lambda c: _two_published()),
    ("rule_position_is_unique_in_its_set", lambda c: Rule.objects.filter(rule_set=make_draft()).update(position=1)),
    ("channel_exception_names_a_fact", lambda c: _exception(fact="")),
    ("channel_exception_has_a_reason", lambda c: _exception(reason="")),
    ("rule_says_what_it_is_for", lambda c: Rule.objects.filter(rule_set=make_draft()).update(description="")),
    ("rule_set_case_name_is_unique_in_its_set", lambda c: _two_cases()),
    ("subject_has_at_most_one_live_work_item", lambda c: [work(c) for _ in "ab"]),
    ("work_item_has_an_end_exactly_when_ended", lambda c: work(c, state="completed")),
    ("work_item_has_an_end_exactly_when_ended", lambda c: work(c, ended_at=timezone.now())),
    ("work_item_has_an_end_exactly_when_ended", lambda c: work(c, state="lost", ended_at=timezone.now())),
    ("work_item_priority_class_is_one_to_nine", lambda c: work(c, priority_class=0)),
    ("work_item_priority_class_is_one_to_nine", lambda c: work(c, priority_class=10)),
    ("work_item_has_at_most_one_live_reservation", lambda c: _two_offers(c)),
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


def _two_phrases() -> None:
    for _number in range(2):
        ReasonPhrase.objects.create(reason=ReasonCode.objects.first(), text="a")


def _postcodes(*prefixes: str) -> None:
    for prefix in prefixes:
        TerritoryPostcode.objects.create(territory=Territory.objects.get(), prefix=prefix)


def _second_weight(company: Company) -> None:
    RoutingProfileWork.objects.create(profile=company.profile, kind="messaging", weight=1)


def _odd_status() -> None:
    RuleSet.objects.create(kind="routing", version=1, status="odd", compiled={}, published_at=timezone.now())


def _exception(**changes: str) -> None:
    ChannelException.objects.create(**{"fact": "facts.x", "reason": "y", "declared_by": User.objects.create(username="mia")} | changes)


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


def _interruptions(
    company: Company, *pairs: tuple[int, int], load: int = 5, laid_aside: int = 0, capacity: int = 6, **values: Any
) -> models.QuerySet[Interruption]:
    """Of five pieces, the first of weight 2, the fourth only offered and the last somebody else's, these are laid aside for those."""
    agent = company.agent("a", capacity=capacity)
    pieces = [offer(company, agent, work_item=work(company, subject=f"c{at}"), weight=1 if at else 2) for at in range(4)]
    pieces.append(offer(company, company.agent("other"), work_item=work(company, subject="c4")))
    Reservation.objects.filter(pk__in=[piece.pk for piece in pieces[:3]]).update(state="accepted")
    AgentProfile.objects.filter(pk=agent.pk).update(load=load, laid_aside=laid_aside)
    for aside, by in pairs:
        Interruption.objects.create(**{"agent": agent, "laid_aside": pieces[aside], "by": pieces[by]} | values)
    return Interruption.objects.all()


class TestDecisions:
    def test_decisions_never_change_and_never_go(self, published: RuleSet) -> None:
        """Not by the ORM, not by SQL."""
        decision = decide(Need(), subject="c1")
        refused(lambda: Decision.objects.update(sentence="other"), "append_only|[Cc]annot update")
        refused(lambda: Decision.objects.filter(pk=decision.pk)._raw_delete("default"), "append_only|[Cc]annot delete")

    @pytest.mark.parametrize(
        ("by", "values"),
        [
            ("decision_handler_is_known", {"handler": "robot"}),
            ("decision_for_a_person_names_a_queue", {"handler": "human"}),
            ("decision_priority_class_is_one_to_nine", {"handler": "assistant", "priority_class": 0}),
            ("decision_priority_class_is_one_to_nine", {"handler": "assistant", "priority_class": 10}),
        ],
    )
    def test_a_decision_makes_sense(self, published: RuleSet, by: str, values: dict[str, Any]) -> None:
        """Handler, queue and class are checked."""
        rule = published.rules.first()
        refused(lambda: Decision.objects.create(subject="c", need={}, rule_set=published, rule=rule, sentence="x", **values), by)


AUTHOR = "somebody_else"


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
            {"author": AUTHOR},
            {"created_at": timezone.now()},
        ],
    )
    def test_a_published_version_never_changes(self, published: RuleSet, change: dict[str, Any]) -> None:
        """Only its retirement is possible, and nothing afterwards."""
        if change == {"author": AUTHOR}:
            change = {"author": User.objects.create(username=AUTHOR)}
        refused(lambda: RuleSet.objects.update(**change), "never changes|compiled_and_dated")
        RuleSet.objects.update(status="retired")
        refused(lambda: RuleSet.objects.update(**change), "never changes|compiled_and_dated")
        refused(lambda: RuleSet.objects.update(status="published"), "never changes")

    @pytest.mark.parametrize("status", ["published", "retired"])
    def test_a_published_version_is_never_deleted(self, published: RuleSet, status: str) -> None:
        """Decisions refer to it for ever, and it may be gone back to."""
        RuleSet.objects.filter(pk=published.pk).update(status=status)
        refused(lambda: RuleSet.objects.filter(pk=published.pk)._raw_delete("default"), "[Cc]annot delete")

    @pytest.mark.parametrize("status", ["published", "retired"])
    def test_its_rows_and_examples_never_change(self, published: RuleSet, status: str) -> None:
        """No row is changed, deleted, added, moved in or out; nor is an example; also when the version is retired."""
        RuleSet.objects.filter(pk=published.pk).update(status=status)
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
        for bad in (
            lambda: RuleSetCase.objects.create(rule_set=published, name="x"),
            lambda: published.cases.update(expected={"handler": "human"}),
            lambda: published.cases.all()._raw_delete("default"),
        ):
            refused(bad, "cases of a published set never change")


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


POLICY_AND_WORK = [model for model in apps.get_app_config("routing").get_models() if not issubclass(model, Event)]


def test_every_constraint_of_routing_is_tested() -> None:
    """A new constraint without a test that it refuses something fails this one."""
    tested = Path(__file__).read_text()
    names = {constraint.name for model in POLICY_AND_WORK for constraint in model._meta.constraints}
    assert not sorted(name for name in names if name not in tested)


def test_every_choice_is_the_databases_choice_too() -> None:
    """A field with choices stands in a check constraint of its table, which names each of them."""
    unchecked = []
    for model in POLICY_AND_WORK:
        checks = [str(each.condition) for each in model._meta.constraints if isinstance(each, models.CheckConstraint)]
        for field in model._meta.fields:
            values = [repr(str(value)) for value, _label in field.flatchoices]
            if values and not any(all(value in check for value in [repr(field.name)[1:-1], *values]) for check in checks):
                unchecked.append(f"{model.__name__}.{field.name}")
    assert not unchecked


def _value_twice() -> None:
    fact = DeclaredFact.objects.create(name="tier")
    for _ in range(2):
        fact.values.create(value="gold")
