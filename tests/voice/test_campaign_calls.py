"""Calls that a campaign makes, as the platform sees them: people, machines, nobody, the way out, and who may hear what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from conversations.assistant import publishing
from conversations.flows import campaigning
from conversations.models import (
    ActionItem,
    Campaign,
    CampaignContact,
    Consent,
    DialAttempt,
    Entry,
    EntryPoint,
    Interaction,
    Playbook,
    SubjectTalk,
    Suppression,
)
from conversations.services import campaigns, playbooks
from tests.outbound import campaigns as made
from tests.outbound.calling import callable_customer, open_hours
from tests.record import rows
from tests.support.emptying.rows import empty
from tests.voice.platform import Caller, post, words_of
from tests.voice.rest_side import Platform


@pytest.fixture(autouse=True)
def _any_hour(number: EntryPoint) -> Any:
    open_hours()
    yield
    line_as_made = "UPDATE conversations_entrypoint SET playbook_code = 'harbor' WHERE channel = 'voice'"
    empty("conversations_audience", "conversations_technician", then=[line_as_made])


class Called:
    """The phone that a campaign has rung."""

    def __init__(self, campaign: Campaign, platform: Platform) -> None:
        platform.requests.clear()
        platform.leg = Caller().uuid
        assert campaigning.call_next(campaign)
        assert platform.dialled() == 1
        self.platform, self.asked = platform, next(body for _m, path, body in platform.requests if path.endswith("/v1/calls"))
        self.call = Interaction.objects.get(provider_id=platform.leg)
        self.leg = Caller(number="441632960100", dialled=self.call.party.removeprefix("+"), uuid=platform.leg)

    def happens(self, status: str, **extra: Any) -> None:
        body = self.leg.event(status, **extra) | {"direction": "outbound"}
        assert post(f"/voice/campaign/{self.call.public_id}/event/", body).status_code == 204

    def picks_up(self) -> str:
        self.happens("answered")
        return words_of(post(f"/voice/campaign/{self.call.public_id}/answer/", self.leg.answer()).json())

    def machine(self, **extra: Any) -> None:
        body = self.leg.event("machine", **extra) | {"direction": "outbound"}
        body["call_uuid"] = body.pop("uuid")
        assert post(f"/voice/campaign/{self.call.public_id}/event/", body).status_code == 204

    def says(self, words: str) -> str:
        return words_of(post("/voice/input/", self.leg.said(words)).json())

    def keys(self, digits: str) -> str:
        return words_of(post("/voice/input/", self.leg.keyed(digits)).json())

    def is_silent(self) -> str:
        return words_of(post("/voice/input/", self.leg.silent()).json())

    def ends(self) -> None:
        self.happens("completed")

    @property
    def outcome(self) -> str:
        return DialAttempt.objects.get(interaction=self.call).outcome

    @property
    def contact(self) -> CampaignContact:
        return CampaignContact.objects.get(customer__dial_attempts__interaction=self.call)


@pytest.fixture
def called(platform: Platform) -> Called:
    made.somebody_with_a_visit()
    return Called(made.campaign(), platform)


def asks_questions(*facts: str) -> None:
    """The number's playbook lets answers open what visits there are."""
    code = "-".join(("asks", *facts))
    values = {"name": "Harbor", "status": "published", "persona": "Friendly.", "disclosure": "I am an AI.", "languages": ["en"]}
    asking = {"knowledge_check": list(facts), "opens_with_answers": ["find_visits"]}
    Playbook.objects.get_or_create(code=code, defaults=values | asking)
    EntryPoint.objects.filter(channel="voice").update(playbook_code=code)


def speaks_spanish() -> None:
    values = {"name": "Harbor", "status": "published", "persona": "Friendly.", "disclosure": "I am an AI.", "languages": ["en", "es"]}
    Playbook.objects.get_or_create(code="spanish", defaults=values)
    EntryPoint.objects.filter(channel="voice").update(playbook_code="spanish")


class TestWhoPicksUp:
    def test_hears_who_is_calling_that_it_is_an_ai_why_and_the_way_out(self, called: Called) -> None:
        told = called.picks_up()
        assert "Harbor Home Services; I am an AI. I am calling about a visit from us. Am I speaking with Sam Okafor?" in told
        assert "press 9 or say: do not call me again" in told
        assert Entry.objects.get(kind="disclosure.shown").interaction_id == called.call.pk
        assert called.asked["advanced_machine_detection"]["behavior"] == "continue"

    def test_hears_nothing_private_for_saying_yes(self, called: Called) -> None:
        called.picks_up()
        told = called.says("yes it is")
        assert "Boiler" not in told
        assert "show me my account" in told

    def test_is_told_about_the_visit_after_right_answers(self, platform: Platform) -> None:
        asks_questions("postcode", "date_of_birth")
        customer, number = callable_customer(postcode="HB14QT", date_of_birth="1984-03-12")
        made.visit(customer, number)
        called = Called(made.campaign(), platform)
        called.picks_up()
        assert "For your safety" in called.says("yes")
        first = called.says("it is H B 1 4 Q T, and I was born on 12 March 1984")
        assert "Boiler service" in first, first
        called.ends()
        assert (called.outcome, called.contact.state, called.contact.outcome) == ("reached", "done", "reached")
        kept = Entry.objects.filter(interaction=called.call, actor_kind="customer", kind="message").values_list("body", flat=True)
        assert not any("1984" in body for body in kept)

    @pytest.mark.parametrize(("words", "reply"), [("yes that's fine", "all stays as it is"), ("no", "change my appointment")])
    def test_says_whether_the_visit_still_suits(self, platform: Platform, words: str, reply: str) -> None:
        asks_questions("postcode")
        customer, number = callable_customer(postcode="HB14QT")
        made.visit(customer, number)
        called = Called(made.campaign(), platform)
        called.picks_up()
        called.says("yes")
        assert "Boiler service" in called.says("HB1 4QT")
        assert reply in called.says(words)
        called.ends()
        told = Entry.objects.get(kind="call.outcome")
        assert (told.data["outcome"], told.audience) == ("reached", "staff")

    def test_is_told_nothing_after_wrong_ones(self, platform: Platform) -> None:
        asks_questions("postcode")
        customer, number = callable_customer(postcode="HB14QT")
        made.visit(customer, number)
        called = Called(made.campaign(), platform)
        called.picks_up()
        called.says("yes")
        told = called.says("HB2 9ZZ")
        assert "could not confirm" in told
        assert "Boiler" not in told

    def test_is_let_be_when_it_is_somebody_else(self, called: Called) -> None:
        called.picks_up()
        assert "sorry to have disturbed" in called.says("no, wrong number")
        called.ends()
        assert (called.outcome, called.contact.outcome) == ("wrong_person", "wrong_person")
        assert not SubjectTalk.objects.exists()

    def test_is_rung_another_time_when_they_are_not_there(self, called: Called) -> None:
        called.picks_up()
        assert "another time" in called.says("he is not here right now")
        called.ends()
        assert (called.outcome, called.contact.state) == ("no_answer", "waiting")

    @pytest.mark.parametrize("words", ["speaking", "yes that's me", "this is she"])
    def test_says_that_it_is_them_in_many_ways(self, called: Called, words: str) -> None:
        called.picks_up()
        assert "show me my account" in called.says(words)

    def test_is_asked_again_twice_when_nothing_is_heard(self, called: Called) -> None:
        called.picks_up()
        assert "Am I speaking with" in called.is_silent()
        assert "Am I speaking with" in called.says("what")
        assert "end the call here" in called.is_silent()

    def test_goes_on_with_the_ai_agent_once_the_customer_is_reached(self, called: Called, patient: None) -> None:
        called.picks_up()
        called.says("yes")
        assert "colleague" in called.says("my boiler leaks") or "moment" in called.says("my boiler leaks")
        said = Entry.objects.filter(kind="message", actor_kind="customer").values_list("body", flat=True)
        assert "my boiler leaks" in list(said)


class TestTheWayOut:
    @pytest.mark.parametrize("when", ["at_once", "after_yes"])
    def test_by_key(self, called: Called, when: str) -> None:
        called.picks_up()
        if when == "after_yes":
            called.says("yes")
        assert "not call you on this number again" in called.keys("9")
        called.ends()
        no = Consent.objects.exclude(decision="given").get()
        assert (no.purpose, no.value, no.interaction_id) == ("outbound_call", called.call.party, called.call.pk)
        assert (called.outcome, called.contact.outcome) == ("opted_out", "opted_out")

    @pytest.mark.parametrize("words", ["do not call me again", "stop calling me", "take me off your list please and never call me"])
    def test_by_voice(self, called: Called, words: str) -> None:
        called.picks_up()
        assert "not call you" in called.says(words)
        called.ends()
        assert called.outcome == "opted_out"
        assert not made.campaign(made.audience()).contacts.filter(state="dialling").exists()

    def test_and_no_campaign_calls_again(self, called: Called, platform: Platform) -> None:
        called.picks_up()
        called.keys("9")
        called.ends()
        again = made.campaign()
        assert campaigning.call_next(again)
        assert again.contacts.get().refusal == "revoked"
        assert Entry.objects.filter(kind="call.refused", data__reason="revoked").exists()
        assert platform.dialled() == 1

    def test_of_somebody_else_keeps_the_number_from_everybody(self, called: Called) -> None:
        called.picks_up()
        called.says("wrong number, stop calling me")
        assert Suppression.objects.get().value == called.call.party

    def test_in_the_language_of_the_customer(self, platform: Platform) -> None:
        speaks_spanish()
        made.somebody_with_a_visit("Luz Díaz", language="es")
        called = Called(made.campaign(), platform)
        told = called.picks_up()
        assert "soy una IA" in told
        assert "pulse 9" in told
        called.says("no me llamen más")
        called.ends()
        assert called.outcome == "opted_out"


class TestMachines:
    def test_get_a_message_that_anybody_may_hear_after_the_beep(self, called: Called) -> None:
        called.picks_up()
        called.machine()
        called.machine(sub_state="beep_start")
        silence, message = [body["destination"]["ncco"] for _m, _p, body in called.platform.requests if body.get("action") == "transfer"]
        assert [action["action"] for action in silence] == ["input"]
        told = words_of(message)
        assert "message for Sam Okafor" in told
        assert "Boiler" not in told
        called.ends()
        assert (called.outcome, called.contact.state) == ("message_left", "done")

    def test_found_before_the_answer_hear_no_question(self, called: Called) -> None:
        called.machine()
        assert called.picks_up() == ""

    @pytest.mark.parametrize("words", ["hello", "hello? who is this", "yes", "is anybody there"])
    def test_that_turn_out_to_be_people_hear_who_is_calling(self, called: Called, words: str) -> None:
        called.picks_up()
        called.machine()
        assert "Harbor" in called.says(words)
        called.machine(sub_state="beep_start")
        assert sum(body.get("action") == "transfer" for _m, _p, body in called.platform.requests) == 1
        assert "Or tell me how I can help" in called.keys("1")
        called.ends()
        assert called.outcome == "reached"

    @pytest.mark.parametrize("words", ["stop calling me", "please do not call me on this number again"])
    def test_that_turn_out_to_be_people_may_want_no_calls(self, called: Called, words: str) -> None:
        called.picks_up()
        called.machine()
        called.says(words)
        called.ends()
        assert called.outcome == "opted_out"

    @pytest.mark.parametrize("greeting", [
        "hi this is Sam I cannot come to the phone right now", "please leave a message", "after the tone", "you have reached Sam",
    ])  # fmt: skip
    def test_that_speak_are_listened_to_and_get_the_message(self, called: Called, greeting: str) -> None:
        called.picks_up()
        called.machine()
        assert called.says(greeting) == ""
        called.machine(sub_state="beep_start")
        called.ends()
        assert called.outcome == "message_left"

    def test_that_never_beep_are_left(self, called: Called) -> None:
        called.picks_up()
        called.machine()
        for _each in range(4):
            assert called.says("the office of Sam and others is open from nine") == ""
        assert post("/voice/input/", called.leg.silent()).json() == []
        called.ends()
        assert called.outcome == "machine"

    def test_beeping_twice_get_one_message(self, called: Called) -> None:
        called.picks_up()
        for state in ({}, {"sub_state": "beep_start"}, {"sub_state": "beep_timeout"}):
            called.machine(**state)
        assert sum(body.get("action") == "transfer" for _m, _p, body in called.platform.requests) == 2

    def test_are_hung_up_on_when_no_message_is_to_be_left(self, platform: Platform) -> None:
        made.somebody_with_a_visit()
        called = Called(made.campaign(leaves_message=False, again_after_machine=60), platform)
        called.picks_up()
        called.machine()
        assert platform.hung_up()
        called.ends()
        assert (called.outcome, called.contact.state) == ("machine", "waiting")
        assert (called.call.legs.get().answered_by, called.call.legs.get().end_status) == ("machine", "completed")
        assert called.contact.next_at > timezone.now()

    @pytest.mark.parametrize("tries", [1, 3])
    def test_told_of_after_the_end_correct_what_became_of_the_call(self, called: Called, tries: int) -> None:
        """It was taken for somebody who hung up; the machine is in the attempt, the contact, the history, and no talk."""
        called.picks_up()
        called.ends()
        assert (called.outcome, called.contact.state, called.contact.outcome) == ("answered", "done", "answered")
        for _each in range(tries):
            called.machine()
        assert (called.outcome, called.contact.state, called.contact.outcome) == ("machine", "done", "machine")
        told = Entry.objects.filter(kind="call.outcome", interaction=called.call).order_by("pk")
        assert [entry.data["outcome"] for entry in told] == ["answered", "machine"]
        assert not SubjectTalk.objects.filter(interaction=called.call).exists()

    def test_told_of_after_the_end_change_nothing_about_who_was_talked_with(self, called: Called) -> None:
        called.picks_up()
        called.keys("1")
        called.ends()
        called.machine()
        assert (called.outcome, called.contact.outcome) == ("reached", "reached")


class TestNobody:
    @pytest.mark.parametrize(("status", "outcome"), [
        ("busy", "busy"), ("unanswered", "no_answer"), ("timeout", "no_answer"), ("rejected", "declined"), ("failed", "failed"),
    ])  # fmt: skip
    def test_is_tried_again_later(self, called: Called, status: str, outcome: str) -> None:
        called.happens(status)
        assert (called.outcome, called.contact.state, called.contact.attempts) == (outcome, "waiting", 1)
        assert called.contact.next_at > timezone.now()

    def test_is_given_up_after_the_last_try(self, platform: Platform) -> None:
        made.somebody_with_a_visit()
        campaign = made.campaign(most_attempts=1)
        called = Called(campaign, platform)
        called.happens("busy")
        assert (called.contact.state, called.contact.outcome) == ("done", "busy")
        campaigning.look_after()
        campaign.refresh_from_db()
        assert campaign.state == "finished"

    def test_events_that_come_twice_and_late_change_nothing(self, called: Called) -> None:
        called.happens("busy")
        called.happens("busy")
        called.happens("answered")
        assert (called.outcome, called.contact.attempts) == ("busy", 1)


class TestDebts:
    @pytest.fixture
    def debtor(self, platform: Platform) -> Called:
        callable_customer(open_balance="120.50")
        return Called(made.campaign(made.audience("balances", at_least=50), "collection"), platform)

    def test_are_nobody_elses_business(self, debtor: Called) -> None:
        told = debtor.picks_up() + debtor.says("yes")
        assert "120" not in told
        assert "debt" not in told.lower()
        assert "personal matter" in told

    def test_a_talk_about_one_keeps_everybody_quiet_for_a_week(self, debtor: Called) -> None:
        debtor.picks_up()
        debtor.says("yes")
        debtor.ends()
        talk = SubjectTalk.objects.get()
        assert (talk.purpose, talk.subject) == ("collection", debtor.contact.subject)
        again = made.campaign(made.audience("balances"), "collection")
        assert campaigning.call_next(again)
        contact = again.contacts.get()
        assert (contact.state, contact.refusal) == ("waiting", "talked_lately")


def test_a_promise_to_call_back_is_kept_when_the_customer_is_reached(platform: Platform) -> None:
    customer, number = callable_customer()
    item = ActionItem.objects.create(
        customer=customer, original_customer=customer, conversation=rows.conversation(customer), kind="call_back", title="About a leak",
        phone=number, due_at=timezone.now() - timedelta(hours=2), put_in_line_at=timezone.now() - timedelta(hours=1), made_by="Ann",
        idempotency_key=f"call-back-{number}",
    )  # fmt: skip
    called = Called(made.campaign(made.audience("call_backs"), "callback"), platform)
    assert "calling you back" in called.picks_up()
    told = called.says("yes")
    assert "How can I help" in told
    assert "leak" not in told
    called.ends()
    item.refresh_from_db()
    assert item.done_at is not None


def test_the_playbook_says_how_a_call_is_opened(platform: Platform) -> None:
    values = {"name": "Harbor", "persona": "Friendly.", "disclosure": "I am an AI.", "languages": ["en"]}
    playbook, is_new = Playbook.objects.get_or_create(code="opens", defaults=values)
    if is_new:
        playbook.openings.create(
            purpose="reminder", language="en", opening="{company} is thinking of you, {name}.", message="See you {when}.",
            voicemail="Ahoy {name}, ring {number}.",
        )  # fmt: skip
        publishing.publish(playbook)
    EntryPoint.objects.filter(channel="voice").update(playbook_code="opens")
    made.somebody_with_a_visit()
    called = Called(made.campaign(), platform)
    told = called.picks_up()
    assert "I am an AI. Harbor Home Services is thinking of you, Sam Okafor. Am I speaking with" in told
    called.machine()
    called.machine(sub_state="beep_start")
    message = [body["destination"]["ncco"] for _m, _p, body in platform.requests if body.get("action") == "transfer"][-1]
    assert words_of(message).startswith("Ahoy Sam Okafor, ring +441632960100")
    draft = playbooks.new_draft(Playbook.objects.get(code="opens", status="published"))
    assert draft.openings.get().message == "See you {when}."
    draft.delete()


def test_the_platform_that_does_not_answer_is_tried_again(platform: Platform) -> None:
    made.somebody_with_a_visit()
    platform.code = 500
    campaign = made.campaign()
    assert campaigning.call_next(campaign)
    assert (DialAttempt.objects.get().outcome, campaign.contacts.get().state) == ("failed", "waiting")
    assert campaigns.claim(campaign) is None
