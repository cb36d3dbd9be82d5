"""What becomes of a company's rows when its routing is brought up to date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.apps.registry import Apps
from django.db import transaction
from pytest_django import DjangoDbBlocker

from routing import clock
from routing.models import AgentProfile, Interruption, Queue, Reservation, RoutingProfileWork, WorkItem
from routing.selectors import invariants
from routing.services import presence, reservations
from routing.services.dispatch import dispatch_all
from tests.support.migrating import database_at

LONG_AGO = datetime(2026, 11, 1, 9, tzinfo=UTC)


def old_company(models: Apps) -> None:
    """Two queues, one of which overflows into the other; Ann has a chat and another one waits."""
    make = {name: models.get_model("routing", name).objects.create for name in ("ServiceLevel", "Queue", "RoutingProfile", "AgentProfile")}
    level = make["ServiceLevel"](code="standard", name="Standard", answer_within_seconds=120, max_wait_seconds=600)
    billing = make["Queue"](code="billing", name="Billing", service_level=level)
    service = make["Queue"](code="service", name="Service", service_level=level, overflow_queue=billing, overflow_after_seconds=90)
    make["Queue"](code="sales", name="Sales", service_level=level, overflow_queue=billing, overflow_after_seconds=0)
    make["Queue"](code="half", name="Half", service_level=level, overflow_after_seconds=30)
    profile = make["RoutingProfile"](name="Everything")
    profile.queue_rows.create(queue=billing)
    profile.work_rows.create(kind="messaging", weight=2, max_at_once=3)
    user = models.get_model("auth", "User").objects.create(username="ann")
    ann = make["AgentProfile"](user=user, display_name="Ann", routing_profile=profile)
    models.get_model("routing", "Presence").objects.create(agent=ann, state="away")
    work, reservations_then = (models.get_model("routing", name).objects for name in ("WorkItem", "Reservation"))
    both = [
        work.create(subject=subject, kind="messaging", queue=service, enqueued_at=LONG_AGO, deadline=LONG_AGO, state=state)
        for subject, state in (("taken", "assigned"), ("waits", "queued"))
    ]
    held = {"work_item": both[0], "agent": ann, "state": "accepted", "weight": 2, "reason": "Free.", "expires_at": LONG_AGO}
    type(ann).objects.update(load=2)
    reservations_then.create(**held, accepted_at=LONG_AGO + timedelta(minutes=1))


def test_a_company_of_before_the_distributor_goes_on_with_what_it_had(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Its overflow is a step of the queue, its work waits on in its place, and what somebody has stays theirs."""
    with django_db_blocker.unblock(), database_at("routing", "0005_decisions_may_be_forgotten") as (models, migrate_on):
        old_company(models)
        migrate_on()
        steps = {queue.code: list(queue.steps.values_list("after_seconds", "also_queue__code")) for queue in Queue.objects.all()}
        assert steps == {"billing": [], "half": [], "sales": [(1, "billing")], "service": [(90, "billing")]}
        taken, waits = WorkItem.objects.order_by("subject")
        assert (taken.state, taken.answered_at, taken.in_good_time) == ("assigned", LONG_AGO + timedelta(minutes=1), True)
        assert (waits.state, waits.enqueued_at, waits.ages_at, waits.steps_taken) == ("queued", LONG_AGO, LONG_AGO, 0)
        assert waits.lane == taken.lane
        assert (RoutingProfileWork.objects.get().interrupts, AgentProfile.objects.get().laid_aside) == ([], 0)
        ann = AgentProfile.objects.get()
        presence.set_state(ann, "available")
        offered = Reservation.objects.select_related("work_item").get(state="pending")
        assert (offered.work_item.subject, offered.work_item.also_queues) == ("waits", [Queue.objects.get(code="billing").pk])
        reservations.accept(offered.pk, ann)
        for subject in ("waits", "taken"):
            reservations.complete(subject)
        assert (dispatch_all(), AgentProfile.objects.get().load) == (0, 0)
        assert [problem for each in invariants.INVARIANTS for problem in each.violations()] == []
        assert WorkItem.objects.filter(ended_at__lte=clock.now()).count() == 2


def interrupted_company(models: Apps) -> None:
    """Ann's chat is laid aside for a call; an earlier one was, too, by a clock that was set back and under Ben's name."""
    make = {name: models.get_model("routing", name).objects.create for name in ("ServiceLevel", "Queue", "RoutingProfile", "AgentProfile")}
    level = make["ServiceLevel"](code="standard", name="Standard", answer_within_seconds=120, max_wait_seconds=600)
    service = make["Queue"](code="service", name="Service", service_level=level)
    profile = make["RoutingProfile"](name="Everything")
    profile.queue_rows.create(queue=service)
    for kind, weight, interrupts in (("messaging", 2, []), ("live_voice", 6, ["messaging"])):
        profile.work_rows.create(kind=kind, weight=weight, max_at_once=3, interrupts=interrupts)
    user = models.get_model("auth", "User").objects.create
    ann, ben = (
        make["AgentProfile"](user=user(username=name), display_name=name.capitalize(), routing_profile=profile) for name in ("ann", "ben")
    )
    work, held, interruption = (models.get_model("routing", name).objects.create for name in ("WorkItem", "Reservation", "Interruption"))
    later = LONG_AGO + timedelta(minutes=5)
    pieces = {}
    for subject, kind, ended_at in (("chat", "messaging", None), ("call", "live_voice", None), ("before", "live_voice", later)):
        states = ("completed", "completed") if ended_at else ("assigned", "accepted")
        item = work(subject=subject, kind=kind, queue=service, enqueued_at=LONG_AGO, deadline=LONG_AGO, state=states[0], ended_at=ended_at)
        weight = 2 if kind == "messaging" else 6
        values = {"weight": weight, "reason": "Free.", "expires_at": LONG_AGO, "accepted_at": LONG_AGO, "ended_at": ended_at}
        pieces[subject] = held(work_item=item, agent=ann, state=states[1], **values)
    type(ann).objects.filter(pk=ann.pk).update(load=6, laid_aside=2)
    interruption(agent=ben, laid_aside=pieces["chat"], by=pieces["before"], began_at=later, ended_at=LONG_AGO)
    interruption(agent=ann, laid_aside=pieces["chat"], by=pieces["call"], began_at=later)


def test_what_was_laid_aside_before_the_database_watched_comes_back(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """What is laid aside now goes on being so; what stands wrong in the past is put right, so that what holds now held always."""
    with django_db_blocker.unblock(), database_at("routing", "0010_interruptions") as (models, migrate_on):
        with transaction.atomic():
            interrupted_company(models)
        migrate_on()
        past, now = Interruption.objects.order_by("pk").select_related("agent")
        assert (past.agent.display_name, past.ended_at) == ("Ann", past.began_at)
        assert (now.agent.display_name, now.ended_at) == ("Ann", None)
        reservations.complete("call")
        now.refresh_from_db()
        ann = AgentProfile.objects.get(user__username="ann")
        assert (now.ended_at is not None, ann.load, ann.laid_aside) == (True, 2, 0)
        reservations.complete("chat")
        assert [problem for each in invariants.INVARIANTS for problem in each.violations()] == []
