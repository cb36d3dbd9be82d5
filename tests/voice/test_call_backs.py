"""A person calls a customer: their own phone first, the customer's through the gate, and again later when nobody answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from conversations import tasks
from conversations.models import ActionItem, CallingPolicy, CallingRegion, CallSeat, Consent, DialAttempt, Entry, EntryPoint, Interaction
from conversations.services import call_state, calling_rules, suppression
from routing.models import AgentProfile, Reservation, RoutingProfileWork, WorkItem
from routing.tasks import dispatch_waiting_work
from tests.outbound.calling import open_hours
from tests.record import rows
from tests.support.locks import until
from tests.voice.people import press, word_about
from tests.voice.platform import COMPANY, SAM, Caller, post, words_of
from tests.voice.rest_side import Platform
from tests.voice.test_calls import call_of

pytestmark = pytest.mark.usefixtures("patient", "hours")
ANNS_PHONE = "+441632960111"


@pytest.fixture
def hours(transactional_db: None) -> Iterator[None]:
    """Phones may be rung at any hour of the test."""
    open_hours()
    yield
    CallingRegion.objects.all().delete()
    calling_rules.lay_down()
    CallingPolicy.objects.filter(purpose="callback").update(tries=3, pause_minutes=20)


@dataclass
class Desk:
    """Ann, who takes calls back, and the customer who wants one."""

    ann: AgentProfile
    caller: Caller
    platform: Platform

    def client(self) -> Client:
        client = Client()
        client.force_login(self.ann.user)
        return client

    def wants_call_back(self) -> WorkItem:
        """Called, waited, and chose to be called back."""
        post("/voice/answer/", self.caller.answer())
        post("/voice/input/", self.caller.said("I want to talk to a person"))
        until(WorkItem.objects.filter(kind="live_voice").exists)
        post("/voice/input/", self.caller.keyed("1"))
        post("/voice/input/", self.caller.keyed("1"))
        post("/voice/event/", self.caller.event("completed"))
        return WorkItem.objects.get()

    def comes(self) -> None:
        assert self.client().post("/inbox/presence/", {"state": "available"}).status_code < 400
        dispatch_waiting_work()

    def accepts(self) -> int:
        offer = Reservation.objects.get(agent=self.ann, state="pending")
        return int(self.client().post(f"/inbox/offers/{offer.pk}/accept/").status_code)

    def calls(self) -> Any:
        public_id = call_of(self.caller).conversation.public_id
        return self.client().post(f"/inbox/c/{public_id}/call/")

    def press(self, key: str) -> str:
        """Ann's phone was picked up, and she presses a key."""
        word_about(self.platform, self.platform.rung[0], "answered")
        return press(self.platform, self.platform.rung[-1], key)

    def ann_is(self, status: str) -> None:
        word_about(self.platform, self.platform.rung[0], status)

    @property
    def call(self) -> Interaction:
        return Interaction.objects.filter(direction="outbound").latest("pk")

    @property
    def leg(self) -> Caller:
        """The customer's phone."""
        return Caller(number=COMPANY, dialled=SAM, uuid=self.platform.rung[-1])

    def customer_is(self, status: str) -> None:
        post(f"/voice/call-back/{self.call.public_id}/event/", self.leg.event(status) | {"direction": "outbound"})

    def picks_up(self) -> list[dict[str, Any]]:
        self.customer_is("answered")
        return list(post(f"/voice/call-back/{self.call.public_id}/answer/", self.leg.answer()).json())

    def outcomes(self) -> list[str]:
        return list(Entry.objects.filter(kind="call.outcome").order_by("pk").values_list("body", flat=True))

    def rung_numbers(self) -> list[str]:
        bodies = [body for method, path, body in self.platform.requests if method == "POST" and path.endswith("/v1/calls")]
        return [body["to"][0]["number"] for body in bodies]


@pytest.fixture
def desk(caller: Caller, platform: Platform) -> Iterator[Desk]:
    ann = rows.agent("Ann", phone_number=ANNS_PHONE)
    row = RoutingProfileWork.objects.create(profile=ann.routing_profile, kind="callback", weight=6, max_at_once=1)
    yield Desk(ann, caller, platform)
    row.delete()
    AgentProfile.objects.filter(pk=ann.pk).update(active=False)


def test_the_person_is_rung_first_and_then_the_customer(desk: Desk) -> None:
    """Accepting rings Ann; her yes rings the customer with a permission; both are in one room; its end frees nobody too early."""
    desk.wants_call_back()
    desk.comes()
    assert desk.accepts() == 204
    assert desk.rung_numbers() == [ANNS_PHONE[1:]]
    assert not DialAttempt.objects.exists()
    assert "Calling the customer now." in desk.press("1")
    assert desk.rung_numbers() == [ANNS_PHONE[1:], SAM]
    attempt = DialAttempt.objects.get()
    assert (attempt.purpose, attempt.number, attempt.consent.asked_for) == ("callback", f"+{SAM}", True)
    ncco = desk.picks_up()
    assert words_of(ncco).startswith("This is Harbor Home Services, calling you back as you asked. I am putting you through to Ann.")
    assert ncco[-1] == {
        "action": "conversation", "name": f"call-{desk.call.public_id.hex}", "startOnEnter": True, "endOnExit": False,
    }  # fmt: skip
    assert Entry.objects.filter(kind="call.connected_to_agent", interaction=desk.call).exists()
    desk.customer_is("completed")
    attempt.refresh_from_db()
    assert attempt.outcome == "answered"
    assert desk.outcomes() == ["Call back: Somebody answered."]
    assert not ActionItem.objects.exists()
    assert desk.platform.rung[0] in desk.platform.ended()


def test_call_now_is_offered_until_a_call_goes_on(desk: Desk) -> None:
    """On the conversation's page, with the number; not while it rings."""
    desk.wants_call_back()
    desk.comes()
    AgentProfile.objects.filter(pk=desk.ann.pk).update(phone_number="")
    desk.accepts()
    page = f"/inbox/c/{call_of(desk.caller).conversation.public_id}/"
    assert "Call now" in desk.client().get(page).text
    assert "Call 07700 900123" in desk.client().get(page).text
    refused = desk.calls()
    assert (refused.status_code, refused.text) == (409, "Your profile has no phone yet. A manager can add one in the admin.")
    AgentProfile.objects.filter(pk=desk.ann.pk).update(phone_number=ANNS_PHONE)
    assert desk.calls().status_code == 204
    assert "Call now" not in desk.client().get(page).text
    assert desk.calls().status_code == 409
    assert desk.rung_numbers() == [ANNS_PHONE[1:]]


def test_the_page_shows_how_far_the_call_is(desk: Desk) -> None:
    """The customer is with nobody before they have picked up, and least of all with the automated voice."""
    desk.wants_call_back()
    desk.comes()
    desk.accepts()

    def shown() -> str:
        return str(desk.client().get(f"/inbox/c/{desk.call.conversation.public_id}/").text)

    assert "is called when you are ready on your phone" in shown()
    desk.press("1")
    assert "their phone rings" in shown()
    desk.picks_up()
    assert "on the line" in shown()
    assert "with the automated voice" not in shown()


def test_only_its_owner_calls(desk: Desk) -> None:
    desk.wants_call_back()
    assert desk.calls().status_code == 409
    assert desk.rung_numbers() == []


def test_nobody_is_rung_before_the_person_says_yes(desk: Desk) -> None:
    """A machine, or a no: the customer's phone stays silent, and the work stays with Ann, who may try again."""
    desk.wants_call_back()
    desk.comes()
    desk.accepts()
    assert "not connected" in desk.press("2")
    desk.ann_is("completed")
    assert desk.rung_numbers() == [ANNS_PHONE[1:]]
    assert not DialAttempt.objects.exists()
    assert (desk.call.state, desk.call.end_reason) == ("ended", "not_placed")
    assert WorkItem.objects.get().state == "assigned"
    assert desk.calls().status_code == 204


@pytest.mark.parametrize("status", ["unanswered", "busy", "rejected", "failed", "timeout"])
def test_who_does_not_answer_is_called_again_later(desk: Desk, status: str) -> None:
    """Ann is told and free; when the pause is over the work is back in the line, as a call back, since its first time."""
    before = desk.wants_call_back()
    desk.comes()
    desk.accepts()
    desk.press("1")
    for _twice in range(2):
        desk.customer_is(status)
    assert desk.platform.requests[-1][2]["destination"]["ncco"][0]["text"].startswith("<speak>The customer did not answer.")
    item = ActionItem.objects.get()
    assert (item.kind, item.phone, item.owner) == ("call_back", f"+{SAM}", desk.ann)
    assert timedelta(minutes=19) < item.due_at - timezone.now() <= timedelta(minutes=21)
    (outcome,) = desk.outcomes()
    assert "Try 1; tried again from" in outcome
    assert WorkItem.objects.get().state == "completed"
    assert AgentProfile.objects.get(pk=desk.ann.pk).load == 0
    assert call_of(desk.caller).conversation.owner_kind == "assistant"
    ActionItem.objects.update(due_at=timezone.now())
    assert tasks.call_back_in_time() == 1
    again = WorkItem.objects.latest("pk")
    assert (again.kind, again.kind_stays, again.enqueued_at) == ("callback", True, before.enqueued_at)


def test_after_the_last_try_they_are_written_to(desk: Desk) -> None:
    """By text, which they agreed to with the call back."""
    CallingPolicy.objects.filter(purpose="callback").update(tries=1)
    desk.wants_call_back()
    desk.comes()
    desk.accepts()
    desk.press("1")
    desk.customer_is("unanswered")
    assert not ActionItem.objects.exists()
    assert desk.outcomes() == ["Call back: No answer. Tries: 1, so they are not called again."]
    (text,) = desk.platform.texts()
    assert text["to"] == SAM
    assert "we tried to call you back and could not reach you" in text["text"]


def test_a_customer_who_takes_it_back_is_not_rung(desk: Desk) -> None:
    """The list is asked before Ann's phone rings, and again when she is ready."""
    desk.wants_call_back()
    desk.comes()
    desk.accepts()
    row, _made = suppression.suppress("phone", f"+{SAM}", reason="Asked never to be called.", added_by="Kim")
    try:
        desk.press("1")
        assert desk.rung_numbers() == [ANNS_PHONE[1:]]
        told = desk.platform.requests[-1][2]["destination"]["ncco"][0]["text"]
        assert "the number is on the do-not-contact list" in told
        assert desk.call.state == "ended"
        desk.ann_is("completed")
        refused = desk.calls()
        assert refused.status_code == 409
        assert "do-not-contact list" in refused.text
        assert desk.rung_numbers() == [ANNS_PHONE[1:]]
    finally:
        suppression.lift(row, reason="The test is over.", lifted_by="Kim")


def test_at_night_nobodys_phone_rings(desk: Desk) -> None:
    """Neither the customer's nor Ann's."""
    desk.wants_call_back()
    desk.comes()
    now = timezone.now()
    closed = time((now.hour + 3) % 23), time((now.hour + 3) % 23, 1)
    open_hours(opens=closed[0], closes=closed[1])
    assert desk.accepts() == 204
    assert desk.rung_numbers() == []
    (problem,) = Entry.objects.filter(kind="call.problem").values_list("body", flat=True)
    assert "it is not an hour at which the phone may be rung" in problem


@pytest.mark.parametrize("code", [429, 500, 503, 401])
def test_a_platform_that_fails_leaves_the_work_with_the_person(desk: Desk, code: int) -> None:
    """Accepted all the same; what was wrong is in the history, and the button is there."""
    desk.wants_call_back()
    desk.comes()
    desk.platform.code = code
    assert desk.accepts() == 204
    assert Entry.objects.filter(kind="call.problem").exists()
    desk.platform.code = 201
    assert desk.calls().status_code == 204


def test_a_platform_that_refuses_the_customers_phone_is_told_to_the_person(desk: Desk) -> None:
    desk.wants_call_back()
    desk.comes()
    desk.accepts()
    desk.platform.code = 400
    desk.press("1")
    told = desk.platform.requests[-1][2]["destination"]["ncco"][0]["text"]
    assert "The phone platform did not place the call" in told
    assert (desk.call.state, desk.call.end_reason) == ("ended", "not_placed")
    assert DialAttempt.objects.get().outcome == "failed"
    assert WorkItem.objects.get().state == "assigned"


def test_a_person_who_hangs_up_while_it_rings_stops_the_ringing(desk: Desk) -> None:
    desk.wants_call_back()
    desk.comes()
    desk.accepts()
    desk.press("1")
    desk.ann_is("completed")
    assert desk.platform.rung[1] in desk.platform.ended()


def test_a_process_that_died_before_ringing_is_made_up_for(desk: Desk) -> None:
    """Ann has said yes and nothing followed: the sweep rings the customer, once."""
    desk.wants_call_back()
    desk.comes()
    desk.accepts()
    CallSeat.objects.update(state="connected", outcome="connected", connected_at=timezone.now())
    assert [tasks.keep_call_backs() for _twice in range(2)] == [1, 0]
    assert desk.rung_numbers() == [ANNS_PHONE[1:], SAM]


class TestAskedWhetherItMayBeRecorded:
    """Where a recording needs a yes, the customer is asked by voice before they are put through; Ann hears music meanwhile."""

    @pytest.fixture(autouse=True)
    def policy(self, desk: Desk) -> Iterator[None]:
        yield
        EntryPoint.objects.filter(channel="voice").update(recording_policy="not_recorded", transcribes_recordings=False)

    def asked(self, desk: Desk) -> list[dict[str, Any]]:
        desk.wants_call_back()
        EntryPoint.objects.filter(channel="voice").update(recording_policy="ask_first", transcribes_recordings=True)
        desk.comes()
        assert desk.accepts() == 204
        assert "Calling the customer now." in desk.press("1")
        return desk.picks_up()

    def says(self, desk: Desk, body: dict[str, Any]) -> list[dict[str, Any]]:
        return list(post("/voice/input/", body).json())

    def test_a_yes_is_kept_before_anything_is_recorded(self, desk: Desk) -> None:
        """Each side gets a channel of its own; a repeated webhook changes nothing."""
        asked = self.asked(desk)
        assert "Before I put you through to Ann: May we record this call" in words_of(asked)
        assert [action["action"] for action in asked[:4]] == ["talk", "input", "talk", "input"]
        assert not Consent.objects.filter(purpose="recording").exists()
        body = desk.leg.said("yes please")
        through: list[list[dict[str, Any]]] = []
        for _each in range(2):
            through.append(self.says(desk, body))
            assert through[-1][-1]["action"] == "conversation"
            assert "I am putting you through to Ann." in words_of(through[-1])
        recorded = next(action for action in through[0] if action["action"] == "record")
        assert (recorded["split"], recorded["channels"]) == ("conversation", 2)
        (kept,) = Consent.objects.filter(purpose="recording")
        assert (kept.how, kept.decision) == ("said", "given")
        assert Entry.objects.filter(kind="recording.began").count() == 1
        assert Entry.objects.get(kind="recording.began").seq > Entry.objects.filter(kind="consent.given").latest("seq").seq
        assert call_state.place_of(desk.call).at == "room"

    @pytest.mark.parametrize("how", ["no", "silence"])
    def test_anything_but_a_yes_is_put_through_and_not_recorded(self, desk: Desk, how: str) -> None:
        self.asked(desk)
        bodies = {"no": desk.leg.keyed("2"), "silence": desk.leg.silent()}
        through = self.says(desk, bodies[how])
        assert [action["action"] for action in through] == ["talk", "conversation"]
        assert Consent.objects.filter(purpose="recording", decision="given").count() == 0
        assert Consent.objects.filter(purpose="recording").count() == (1 if how == "no" else 0)
        assert not Entry.objects.filter(kind="recording.began").exists()

    def test_the_ai_agent_goes_on_where_the_person_has_hung_up_meanwhile(self, desk: Desk) -> None:
        self.asked(desk)
        desk.ann_is("completed")
        heard = self.says(desk, desk.leg.keyed("2"))
        assert words_of(heard) == "All right, this call is not recorded. Ann was called away just now. How can I help?"
        assert heard[-1]["action"] == "input"
