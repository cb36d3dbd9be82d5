"""Campaigns: whom they find, how fast they call, what pausing and killing does, and that nobody is called twice."""

from __future__ import annotations

import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import jsonschema
import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from conversations import tasks
from conversations.flows import campaigning
from conversations.models import ActionItem, Booking, Campaign, CampaignContact, Customer, DialAttempt, EntryPoint, Interaction
from conversations.models.calling_rules import CallPurpose
from conversations.selectors import audiences
from conversations.services import campaigns, merging, roll_out
from conversations.voice import reconciling
from tests.outbound.calling import callable_customer, new_number, open_hours, policy
from tests.outbound.campaigns import audience, campaign, contact_of, somebody_with_a_visit, visit
from tests.record import rows
from tests.support import triggers
from tests.support.processes import RunningProcess, child_environment
from tests.voice.rest_side import Platform


@pytest.fixture(autouse=True)
def _always_open(transactional_db: None) -> None:
    open_hours()
    policy(CallPurpose.REMINDER)


class TestAudiences:
    def test_visits_within_hours_that_are_still_booked(self) -> None:
        soon = somebody_with_a_visit()[2]
        customer, number = callable_customer("Kim Lee")
        visit(customer, number, timezone.now() + timedelta(days=9))
        cancelled = somebody_with_a_visit("Ada Obi")[2]
        Booking.objects.filter(pk=cancelled.pk).update(state="cancelled", cancelled_at=timezone.now())
        found = list(audiences.found(audience("bookings", from_hours=0, to_hours=48)))
        assert [(each.number, each.subject) for each in found] == [(soon.phone, f"booking:{soon.reference}")]

    def test_customers_who_owe_so_much_on_a_number_that_was_shown_to_be_theirs(self) -> None:
        debtor, number = callable_customer(open_balance=120)
        callable_customer("Kim Lee", open_balance=10)
        rows.customer("No Phone", open_balance=500)
        of = audience("balances", at_least=50)
        assert audiences.count(of) == (2, 1)
        found = {each.customer_id: each.number for each in audiences.found(of)}
        assert found[debtor.pk] == number
        assert "" in found.values()

    def test_customers_by_what_is_known_of_them(self) -> None:
        wanted, _number = callable_customer(tier="gold", postcode="HB14QT", attributes={"boiler": "2019"})
        callable_customer("Kim Lee", tier="gold", postcode="ZZ11AA")
        of = audience("customers", tier="gold", postcode_begins="hb1", with_attribute="boiler")
        assert [each.customer_id for each in audiences.found(of)] == [wanted.pk]

    def test_calls_back_that_nobody_made(self) -> None:
        customer, number = callable_customer()
        item = ActionItem.objects.create(
            customer=customer, original_customer=customer, conversation=rows.conversation(customer), kind="call_back", title="About a leak",
            phone=number, due_at=timezone.now() - timedelta(hours=2), put_in_line_at=timezone.now() - timedelta(hours=1), made_by="Ann",
            idempotency_key="call-back",
        )  # fmt: skip
        assert [each.subject for each in audiences.found(audience("call_backs"))] == [f"call_back:{item.public_id.hex}"]
        assert list(audiences.found(audience("call_backs", waited_minutes=90))) == []

    def test_a_filter_that_nobody_knows_is_refused(self) -> None:
        with pytest.raises(jsonschema.ValidationError):
            campaigns.check_filters(audience("customers", colour="red"))
        campaigns.check_filters(audience("bookings", from_hours=2))

    def test_a_preview_says_whom_it_would_call_and_writes_nothing(self) -> None:
        somebody_with_a_visit()
        silent, number = rows.customer("Kim Lee"), new_number()
        visit(silent, number)
        preview = campaigns.preview(audience(), purpose="reminder")
        assert (preview.found, preview.with_number, preview.may_be_called) == (2, 2, 1)
        assert preview.refused == {"not_asked": 1}
        assert not CampaignContact.objects.exists()


class TestLife:
    @pytest.mark.parametrize(
        ("source", "purpose", "empty"),
        [
            ("customers", "confirmation", "{what}, {when}"),
            ("customers", "collection", "{amount}"),
            ("balances", "reminder", "{what}, {when}"),
            ("bookings", "collection", "{amount}"),
            ("customers", "follow_up", ""),
            ("balances", "collection", ""),
        ],
    )
    def test_nobody_is_told_of_a_visit_that_nobody_knows(self, source: str, purpose: str, empty: str) -> None:
        """A campaign whose words name what its audience does not know cannot be started, unless the playbook has other words."""
        policy(purpose)
        draft = campaign(audience(source), purpose, starts=False)
        if not empty:
            campaigns.start(draft, by="Ann")
            return
        with pytest.raises(campaigns.NotPossible, match=re.escape(empty)):
            campaigns.start(draft, by="Ann")
        draft.refresh_from_db()
        assert draft.state == "draft"

    def test_a_start_finds_everybody_once(self) -> None:
        somebody_with_a_visit()
        running = campaign()
        assert running.contacts.count() == 1
        assert campaigns.begin_round(running.pk) == 0
        somebody_with_a_visit("Kim Lee")
        assert campaigns.begin_round(running.pk) == 1
        with pytest.raises(campaigns.NotPossible):
            campaigns.start(running, by="Ann")

    def test_a_repeating_one_is_in_the_hands_of_beat_while_it_runs(self) -> None:
        every_morning = CrontabSchedule.objects.create(hour="9", minute="0")
        repeating = campaign(repeats=every_morning)
        task = PeriodicTask.objects.get(task="conversations.tasks.begin_campaign_round")
        assert (json.loads(task.args), task.enabled, task.crontab) == ([repeating.pk], True, every_morning)
        somebody_with_a_visit()
        assert tasks.begin_campaign_round(repeating.pk) == 1
        campaigns.pause(repeating)
        task.refresh_from_db()
        assert not task.enabled
        assert tasks.begin_campaign_round(repeating.pk) == 0

    def test_one_with_nobody_left_is_finished(self) -> None:
        through = campaign()
        assert campaigns.finish_those_that_are_over() == 1
        through.refresh_from_db()
        assert (through.state, through.ended_at is not None) == ("finished", True)

    def test_one_whose_time_is_over_calls_nobody_else(self, platform: Platform) -> None:
        somebody_with_a_visit()
        late = campaign()
        Campaign.objects.filter(pk=late.pk).update(ends_at=timezone.now())
        assert not campaigning.call_next(late)
        campaigning.look_after()
        assert late.contacts.get().outcome == "stopped"

    def test_one_that_begins_later_waits(self, platform: Platform) -> None:
        somebody_with_a_visit()
        assert not campaigning.call_next(campaign(starts_at=timezone.now() + timedelta(hours=1)))

    def test_a_paused_one_calls_nobody_and_goes_on_afterwards(self, platform: Platform) -> None:
        for name in ("Sam Okafor", "Kim Lee"):
            somebody_with_a_visit(name)
        running = campaign()
        assert campaigning.call_next(running)
        campaigns.pause(running)
        assert not campaigning.call_next(running)
        assert platform.dialled() == 1
        campaigns.start(running, by="Ann")
        assert campaigning.call_next(running)
        assert platform.dialled() == 2

    def test_a_pause_between_claim_and_call_is_kept(self, platform: Platform) -> None:
        somebody_with_a_visit()
        running = campaign()
        contact = campaigns.claim(running)
        assert contact is not None
        campaigns.pause(running)
        campaigning.call_claimed(contact)
        assert platform.dialled() == 0
        assert (contact_of(contact.customer).state, DialAttempt.objects.count()) == ("waiting", 0)

    def test_nobody_is_called_while_the_ai_agent_is_stopped(self, platform: Platform) -> None:
        somebody_with_a_visit()
        running = campaign()
        roll_out.stop(by="Ann", why="It says strange things.")
        assert not campaigning.call_next(running)
        roll_out.start(by="Ann")
        EntryPoint.objects.update(mode="shadow")
        assert not campaigning.call_next(running)

    def test_what_was_settled_meanwhile_is_not_called_about(self, platform: Platform) -> None:
        _customer, _number, booked = somebody_with_a_visit()
        running = campaign()
        Booking.objects.filter(pk=booked.pk).update(state="cancelled", cancelled_at=timezone.now())
        assert campaigning.call_next(running)
        assert (running.contacts.get().outcome, platform.dialled()) == ("not_needed", 0)

    def test_who_may_not_be_called_is_not(self, platform: Platform) -> None:
        customer = rows.customer("Kim Lee")
        visit(customer, new_number())
        running = campaign()
        assert campaigning.call_next(running)
        contact = running.contacts.get()
        assert (contact.outcome, contact.refusal, platform.dialled()) == ("not_allowed", "not_asked", 0)

    def test_out_of_hours_means_later(self, platform: Platform) -> None:
        somebody_with_a_visit()
        running = campaign()
        region = open_hours()
        today = timezone.localtime().weekday()
        region.hours.filter(weekday__in=[today, (today + 1) % 7, (today - 1) % 7]).delete()
        assert not campaigning.call_next(running)
        contact = running.contacts.get()
        assert (contact.state, contact.refusal) == ("waiting", "hours")
        assert contact.next_at > timezone.now() + timedelta(hours=12)

    def test_progress_counts_by_outcome(self, platform: Platform) -> None:
        for name in ("Sam Okafor", "Kim Lee"):
            somebody_with_a_visit(name)
        running = campaign()
        assert campaigns.progress(running) == {"waiting": 2}
        campaigning.call_next(running)
        assert campaigns.progress(running) == {"waiting": 1, "dialling": 1}


class TestPace:
    def test_no_more_calls_a_second_than_the_provider_takes(self, platform: Platform, settings: Any) -> None:
        settings.OUTBOUND_CALLS_PER_SECOND = 2
        for name in ("Sam Okafor", "Kim Lee", "Ada Obi"):
            somebody_with_a_visit(name)
        running = campaign(calls_per_second=30)
        began = timezone.now()
        called = [campaigning.call_next(running) for _each in range(3)]
        if timezone.now() - began < timedelta(seconds=1):
            assert called == [True, True, False]

    def test_no_more_at_once_than_the_campaign_allows(self, platform: Platform) -> None:
        for name in ("Sam Okafor", "Kim Lee"):
            somebody_with_a_visit(name)
        running = campaign(at_once=1, calls_per_second=30)
        assert [campaigning.call_next(running) for _each in range(2)] == [True, False]

    def test_no_more_than_people_who_are_free(self, platform: Platform) -> None:
        for name in ("Sam Okafor", "Kim Lee"):
            somebody_with_a_visit(name)
        running = campaign(needs_people=True, calls_per_second=30)
        assert not campaigning.call_next(running)
        rows.agent(available=True)
        assert [campaigning.call_next(running) for _each in range(2)] == [True, False]


class TestManyWorkers:
    def test_nobody_is_called_twice(self, platform: Platform) -> None:
        everybody = [somebody_with_a_visit(f"Customer {number}")[0] for number in range(12)]
        running = campaign(at_once=50, calls_per_second=30)

        def work(_worker: int) -> int:
            try:
                return sum(1 for _try in range(6) if campaigning.call_next(running))
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            rung = sum(pool.map(work, range(8)))
        numbers = [body["to"][0]["number"] for _method, path, body in platform.requests if path.endswith("/v1/calls")]
        assert len(numbers) == len(set(numbers)) == rung
        assert DialAttempt.objects.filter(customer__in=everybody).count() == rung

    def test_who_is_done_stays_done(self) -> None:
        somebody_with_a_visit()
        running = campaign()
        contact = running.contacts.get()
        campaigns.done(contact, "reached")
        with pytest.raises(IntegrityError), transaction.atomic():
            CampaignContact.objects.filter(pk=contact.pk).update(state="waiting", outcome="", done_at=None)


class TestKilled:
    def test_before_the_permission_somebody_else_calls(self, platform: Platform) -> None:
        somebody_with_a_visit()
        running = campaign()
        contact = campaigns.claim(running)
        assert contact is not None
        assert not campaigning.call_next(running)
        CampaignContact.objects.update(lease_until=timezone.now())
        campaigning.look_after()
        assert campaigning.call_next(running)
        assert platform.dialled() == 1

    def test_before_dialling_the_permission_is_lost_and_nobody_rings(self, platform: Platform) -> None:
        """The process died between the commit of the permission and its use."""
        somebody_with_a_visit()
        running = campaign()
        contact = campaigns.claim(running)
        assert contact is not None
        assert campaigning._begin(contact) is not None
        with triggers.ignored("conversations.DialAttempt:counted_calls_never_change"):
            DialAttempt.objects.update(at=timezone.now() - timedelta(minutes=3))
        campaigning.look_after()
        contact = running.contacts.get()
        assert (DialAttempt.objects.get().outcome, contact.state, contact.attempts) == ("lost", "waiting", 1)
        assert platform.dialled() == 0

    @pytest.mark.two_processes
    @pytest.mark.parametrize("is_in_the_list", [True, False])
    def test_while_dialling_the_phone_is_rung_once_and_again_only_later(
        self, platform: Platform, settings: Any, tmp_path: Path, is_in_the_list: bool
    ) -> None:
        """A real process, ended as `kill -9` does while the platform has its request; what became of it is in the platform's list."""
        somebody_with_a_visit()
        running = campaign()
        rung, go_on = Event(), Event()

        def hold() -> None:
            rung.set()
            go_on.wait(60)

        platform.before_answering = hold
        code = (
            "from conversations.flows import campaigning; from conversations.models import Campaign;"
            f" campaigning.call_next(Campaign.objects.get(pk={running.pk}))"
        )
        environment = child_environment(PORT=str(settings.PORT), OUTBOUND_CALLS_PER_SECOND="100")
        process = RunningProcess([sys.executable, "manage.py", "shell", "-c", code], environment, tmp_path / "log")
        process.start()
        assert rung.wait(60), process.output()
        process.kill()
        go_on.set()
        platform.before_answering = lambda: None
        assert not campaigning.call_next(running)
        campaigning.look_after()
        assert (running.contacts.get().state, platform.dialled()) == ("dialling", 1)
        with triggers.ignored("conversations.DialAttempt:counted_calls_never_change"):
            DialAttempt.objects.update(at=timezone.now() - timedelta(minutes=3))
        campaigning.look_after()
        assert (DialAttempt.objects.get().ended_at, running.contacts.get().state) == (None, "dialling"), "nobody knows yet"
        assert not campaigning.call_next(running)
        Interaction.objects.filter(direction="outbound").update(started_at=timezone.now() - timedelta(minutes=3))
        (found,) = platform.records
        ended_at = timezone.now() - timedelta(minutes=1)
        found |= {"status": "unanswered", "end_time": ended_at.isoformat()} if is_in_the_list else {"direction": "inbound"}
        reconciling.reconcile()
        campaigning.look_after()
        contact = running.contacts.get()
        outcome = "no_answer" if is_in_the_list else "failed"
        assert (DialAttempt.objects.get().outcome, contact.state, contact.attempts) == (outcome, "waiting", 1)
        assert Interaction.objects.get(direction="outbound").state == "ended"
        assert not campaigning.call_next(running)
        CampaignContact.objects.update(next_at=timezone.now())
        assert campaigning.call_next(running)
        assert platform.dialled() == 2


def test_joined_customers_keep_their_contacts() -> None:
    customer, _number, _visit = somebody_with_a_visit()
    running = campaign()
    into: Customer = rows.customer("Sam O.")
    merging.join_customers(customer, into, evidence={}, made_by="Ann")
    assert running.contacts.get().customer_id == into.pk
