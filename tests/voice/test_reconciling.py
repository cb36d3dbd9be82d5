"""Webhooks that were lost, or stopped for an hour: the platform's own list of calls tells what became of them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from conversations import tasks
from conversations.chat import visitor
from conversations.flows import calling_back, takeover
from conversations.models import CallLeg, Entry, EntryPoint, Interaction, WebhookRecord
from conversations.selectors import call_reports, invariants
from conversations.voice import gateway, reconciling
from routing.models import Reservation, WorkItem
from tests.record import parties, rows
from tests.voice.platform import COMPANY, SAM, Caller, post
from tests.voice.rest_side import Platform
from tests.voice.test_calls import call_of


def listed(caller: Caller, status: str = "completed", *, ended: timedelta = timedelta(minutes=5), **changes: Any) -> dict[str, Any]:
    """The call as the platform's list has it, over since a while, after 70 seconds of talking."""
    until = datetime.now(UTC) - ended
    over = {"start_time": _time(until - timedelta(seconds=70)), "end_time": _time(until), "duration": "70", "price": "0.01", "rate": "0.01"}
    ends = {"from": {"type": "phone", "number": SAM}, "to": {"type": "phone", "number": COMPANY}}
    about = {"uuid": caller.uuid, "conversation_uuid": caller.room, "status": status, "direction": "inbound"}
    return about | ends | (over if status == "completed" else {}) | changes


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")


def history(call: Interaction) -> list[str]:
    found = Entry.objects.filter(interaction=call).exclude(kind__in=["message", "disclosure.shown"]).order_by("seq")
    return list(found.values_list("kind", flat=True))


def old(caller: Caller) -> None:
    """The call began ten minutes ago."""
    Interaction.objects.filter(provider_id=caller.uuid).update(started_at=timezone.now() - timedelta(minutes=10))


class TestLostWebhooks:
    def test_a_call_whose_end_was_lost_ends_as_the_platform_says(self, caller: Caller, platform: Platform) -> None:
        """With its times and how it ended; what was told is kept as a raw webhook, so that the state still follows from these."""
        post("/voice/answer/", caller.answer())
        platform.records.append(listed(caller))
        assert tasks.reconcile_calls() == 1
        call = call_of(caller)
        assert (call.state, call.end_reason) == ("ended", "completed")
        assert (call.ended_at - call.answered_at).total_seconds() == 70
        assert history(call) == ["interaction.started", "interaction.ended", "call.answered"]
        assert Entry.objects.get(kind="interaction.ended").data["duration_seconds"] == 70
        assert call_reports.legs_that_differ(timezone.now() - timedelta(hours=1)) == []

    def test_looking_again_changes_nothing(self, caller: Caller, platform: Platform) -> None:
        post("/voice/answer/", caller.answer())
        platform.records.append(listed(caller))
        reconciling.reconcile()
        before = (Entry.objects.count(), WebhookRecord.objects.count())
        assert reconciling.reconcile() == reconciling.Reconciled(looked_at=1, news=0, ended=0)
        assert (Entry.objects.count(), WebhookRecord.objects.count()) == before

    def test_a_call_of_which_nothing_came_through_is_in_the_history_after_all(self, caller: Caller, platform: Platform) -> None:
        """It reached our number while we heard nothing: somebody has tried to call, and a person can see that."""
        platform.records.append(listed(caller))
        assert reconciling.reconcile().news == 1
        call = call_of(caller)
        assert (call.state, call.end_reason, call.party) == ("ended", "completed", f"+{SAM}")
        assert history(call) == ["interaction.started", "interaction.ended", "call.answered"]
        assert not Entry.objects.filter(interaction=call, kind="disclosure.shown").exists(), "nobody spoke to them"

    @pytest.mark.parametrize(
        "changes",
        [
            {"to": {"type": "phone", "number": "441632960999"}},
            {"direction": "outbound", "to": {"type": "phone", "number": "447700900999"}},
            {"to": {"type": "sip", "uri": "sip:x@y"}}, {"uuid": 7}, {"status": None}, {"status": "levitating"},
        ],
    )  # fmt: skip
    def test_what_is_not_ours_or_makes_no_sense_is_left_alone(self, caller: Caller, platform: Platform, changes: dict[str, Any]) -> None:
        platform.records.append(listed(caller) | changes)
        assert reconciling.reconcile().news == 0
        assert not Interaction.objects.exists()
        assert not WebhookRecord.objects.exists()

    def test_what_has_just_ended_may_still_be_told_by_its_webhook(self, caller: Caller, platform: Platform) -> None:
        post("/voice/answer/", caller.answer())
        platform.records.append(listed(caller, ended=timedelta(seconds=5)))
        assert tasks.reconcile_calls() == 0
        assert call_of(caller).state == "active"

    def test_a_call_that_goes_on_goes_on(self, caller: Caller, platform: Platform) -> None:
        post("/voice/answer/", caller.answer())
        old(caller)
        platform.records.append(listed(caller, "answered"))
        assert tasks.reconcile_calls() == 0
        assert call_of(caller).state == "active"

    def test_a_live_call_that_the_list_lacks_is_asked_about(self, caller: Caller, platform: Platform) -> None:
        """When the platform does not know it where it lived, it is lost."""
        post("/voice/answer/", caller.answer())
        old(caller)
        platform.status = "unknown"
        assert tasks.reconcile_calls() == 1
        assert (call_of(caller).state, call_of(caller).end_reason) == ("ended", "lost")

    def test_what_was_given_up_is_put_right_when_the_platform_tells(self, caller: Caller, platform: Platform) -> None:
        post("/voice/answer/", caller.answer())
        old(caller)
        platform.status = "unknown"
        tasks.reconcile_calls()
        platform.records.append(listed(caller))
        reconciling.reconcile()
        assert (call_of(caller).end_reason, history(call_of(caller)).count("interaction.ended")) == ("completed", 1)

    def test_a_platform_that_is_down_changes_nothing(self, caller: Caller, platform: Platform) -> None:
        post("/voice/answer/", caller.answer())
        platform.is_down = True
        assert tasks.reconcile_calls() == 0
        assert call_of(caller).state == "active"

    def test_a_long_list_is_read_page_by_page(self, number: EntryPoint, platform: Platform) -> None:
        callers = [Caller() for _ in range(130)]
        platform.records += [listed(each) | {"to": {"type": "phone", "number": "441632960999"}} for each in callers]
        assert len(list(gateway.records(since=timezone.now()))) == 130
        assert len(platform.requests) == 2

    def test_the_work_of_a_person_ends_with_the_call(self, caller: Caller, platform: Platform, patient: None) -> None:
        """Somebody talks with a caller who is long gone: the time for writing up begins."""
        agent = rows.agent("Ann", available=True)
        post("/voice/answer/", caller.answer())
        post("/voice/input/", caller.said("I want to speak to a person"))
        offer = Reservation.objects.filter(agent=agent, state="pending").first()
        assert offer is not None
        takeover.accept(offer.pk, agent)
        platform.records.append(listed(caller))
        assert tasks.reconcile_calls() == 1
        assert WorkItem.objects.get(subject=call_of(caller).conversation.public_id.hex).state == "wrapping"


def test_webhooks_that_stopped_for_an_hour_and_then_come_at_once(number: EntryPoint, platform: Platform) -> None:
    """Meanwhile the list told what became of each call; what then comes, in any order, changes nothing but what it adds."""
    callers = [Caller(number=f"4477009001{number:02d}") for number in range(6)]
    for caller in callers[:4]:
        post("/voice/answer/", caller.answer())
    platform.records += [listed(each, ended=timedelta(minutes=50)) | {"from": {"type": "phone", "number": each.number}} for each in callers]
    assert reconciling.reconcile().news == 6
    ended = {each.uuid: (call_of(each).state, call_of(each).end_reason) for each in callers}
    assert set(ended.values()) == {("ended", "completed")}
    counted = Interaction.objects.count()
    for caller in reversed(callers):
        record = next(each for each in platform.records if each["uuid"] == caller.uuid)
        for status, at in (("completed", "end_time"), ("answered", "start_time"), ("ringing", "start_time"), ("started", "start_time")):
            assert post("/voice/event/", caller.event(status, timestamp=record[at].replace(" ", "T") + ".400Z")).status_code == 204
    assert {each.uuid: (call_of(each).state, call_of(each).end_reason) for each in callers} == ended
    assert Interaction.objects.count() == counted == 6
    for kind in ("interaction.started", "interaction.ended", "call.answered"):
        assert Entry.objects.filter(kind=kind).count() == 6
    assert call_reports.legs_that_differ(timezone.now() - timedelta(hours=1)) == []
    assert [sentence for invariant in invariants.INVARIANTS for sentence in invariant.violations()] == []


class TestCallsOfOurs:
    """A phone that a chat had us ring, of which nobody knows whether the platform placed the call."""

    @pytest.fixture
    def call(self, number: EntryPoint, platform: Platform) -> Interaction:
        chat = parties.chat(visitor.new())
        platform.cut, platform.is_down = "lost", True
        calling_back.call_me(chat.pk, chat.party, "+447700900555")
        platform.is_down = False
        Interaction.objects.filter(direction="outbound").update(started_at=timezone.now() - timedelta(minutes=1))
        return Interaction.objects.get(direction="outbound")

    def test_one_that_the_platform_has_is_found(self, call: Interaction, platform: Platform) -> None:
        leg = str(uuid4())
        ends = {"to": {"type": "phone", "number": "447700900555"}, "from": {"type": "phone", "number": COMPANY}}
        platform.records.append({"uuid": leg, "conversation_uuid": "CON-1", "status": "ringing", "direction": "outbound"} | ends)
        reconciling.reconcile()
        call.refresh_from_db()
        assert (call.provider_id, call.state) == (leg, "started")

    def test_one_that_it_has_not_ends_and_the_chat_is_told(self, call: Interaction, platform: Platform) -> None:
        reconciling.reconcile()
        call.refresh_from_db()
        assert (call.state, call.end_reason, platform.dialled()) == ("ended", "not_placed", 1)
        told = Entry.objects.get(conversation=call.conversation_id, actor_kind="system", kind="message")
        assert told.body.startswith("We could not reach you")
        assert not CallLeg.objects.exists()
