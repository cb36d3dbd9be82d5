"""A phone that we ring rings once, whatever the platform or the way to it does."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from conversations.chat import visitor
from conversations.flows import calling_back, outbound
from conversations.flows.calling_back import NotCalled
from conversations.models import CallSeat, DialAttempt, Interaction
from conversations.services import ownership
from conversations.services.delivery import CannotConnect
from conversations.voice import gateway, placing, reconciling
from conversations.voice.gateway import GatewayError, PlacedCall, Unclear
from cxhub.secret_files import kept_private_key
from routing.models import AgentProfile
from tests.record import parties, rows
from tests.voice.platform import COMPANY, Caller, post
from tests.voice.rest_side import Platform
from tests.voice.test_call_me import Callee, refusals
from tests.voice.test_calls import call_of

NUMBER = "+447700900555"
AGENTS_PHONE = "+441632960111"


@pytest.fixture
def chat(platform: Platform, number: object) -> Interaction:
    return parties.chat(visitor.new())


def ring_a_phone() -> PlacedCall:
    return gateway.create_call(to=NUMBER, caller=f"+{COMPANY}", ncco=[], event_url="", ring_seconds=5)


def line() -> Interaction:
    return Interaction.objects.get(direction="outbound")


class TestCutOff:
    def test_a_phone_that_rang_although_the_answer_was_lost_is_known(self, chat: Interaction, platform: Platform) -> None:
        """The connection was cut after the request was sent: one call, found in the platform's list, and the line goes on."""
        platform.cut = "rings"
        calling_back.call_me(chat.pk, chat.party, NUMBER)
        assert (line().provider_id, line().state, platform.dialled()) == (platform.leg, "started", 1)

    def test_a_platform_that_answers_too_late_rings_once(self, chat: Interaction, platform: Platform) -> None:
        platform.cut = "hangs"
        calling_back.call_me(chat.pk, chat.party, NUMBER)
        assert (line().provider_id, platform.dialled()) == (platform.leg, 1)

    def test_while_nobody_knows_it_is_not_dialled_again(self, chat: Interaction, platform: Platform) -> None:
        """Neither by itself nor because the visitor asks once more."""
        platform.cut, platform.is_down = "lost", True
        calling_back.call_me(chat.pk, chat.party, NUMBER)
        with pytest.raises(NotCalled):
            calling_back.call_me(chat.pk, chat.party, NUMBER)
        assert (refusals(chat), platform.dialled(), line().state) == (["on_a_call"], 1, "started")

    def test_a_phone_that_rings_after_all_is_the_call_that_was_asked_for(self, chat: Interaction, platform: Platform) -> None:
        platform.cut, platform.is_down = "lost", True
        first = calling_back.call_me(chat.pk, chat.party, NUMBER)
        leg = Caller(number=COMPANY, dialled=NUMBER.removeprefix("+"))
        assert "six-digit code" in post(f"/voice/called/{line().public_id}/answer/", leg.answer()).json()[0]["text"]
        assert "I have our chat" in str(post("/voice/input/", leg.keyed(first.code)).json())

    def test_a_request_that_never_left_is_no_call(self, chat: Interaction, platform: Platform, settings: object) -> None:
        """Nobody listens at the platform's address: nothing rang, the visitor may ask again at once."""
        settings.PORT = 9  # type: ignore[attr-defined]
        with pytest.raises(NotCalled):
            calling_back.call_me(chat.pk, chat.party, NUMBER)
        assert (line().state, line().end_reason, refusals(chat)) == ("ended", "not_placed", ["failed"])

    def test_a_call_that_is_known_already_is_not_taken_for_the_lost_one(self, chat: Interaction, platform: Platform) -> None:
        """A call to the same number that this installation knows of is another one."""
        Callee(chat, platform, NUMBER).happens("busy")
        platform.cut = "lost"
        other = parties.chat(visitor.new())
        calling_back.call_me(other.pk, other.party, NUMBER)
        assert Interaction.objects.get(data__asked_in=other.pk).provider_id.startswith("unplaced-")
        reconciling.reconcile()
        assert platform.dialled() == 2


class TestTheKey:
    """Requests about calls are signed with the application's key."""

    def test_it_is_read_once_for_all_requests_and_anew_when_it_is_another(
        self, platform: Platform, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read = []

        def reading(*arguments: object, **options: object) -> object:
            read.append(arguments)
            return load_pem_private_key(*arguments, **options)

        monkeypatch.setattr("jwt.algorithms.load_pem_private_key", reading)
        for name in ("one", "another"):
            settings.VONAGE_PRIVATE_KEY = kept_private_key(tmp_path, name)
            for _request in range(3):
                gateway.hang_up(str(uuid4()))
        assert len(read) == 2
        assert len(platform.ended()) == 6


class TestPermission:
    """A phone is rung with a permission; while nobody knows what became of it, nobody else has one for the number."""

    def test_while_nobody_knows_it_lives_on_until_the_platform_s_list_says(self, chat: Interaction, platform: Platform) -> None:
        platform.cut, platform.is_down = "lost", True
        calling_back.call_me(chat.pk, chat.party, NUMBER)
        attempt = DialAttempt.objects.get()
        assert (attempt.dialled_at is not None, attempt.ended_at) == (True, None)
        Interaction.objects.filter(pk=line().pk).update(started_at=timezone.now() - timedelta(minutes=3))
        platform.cut, platform.is_down = "", False
        reconciling.reconcile()
        attempt.refresh_from_db()
        assert (attempt.outcome, line().end_reason, platform.dialled()) == ("failed", "not_placed", 1)

    def test_a_failure_ends_it_at_once(self, chat: Interaction, platform: Platform) -> None:
        platform.code = 400
        with pytest.raises(NotCalled):
            calling_back.call_me(chat.pk, chat.party, NUMBER)
        assert DialAttempt.objects.get().outcome == "failed"

    def test_one_is_enough_for_what_was_refused_as_too_much_and_tried_again(self, chat: Interaction, platform: Platform) -> None:
        platform.refusals = [429]
        calling_back.call_me(chat.pk, chat.party, NUMBER)
        assert (DialAttempt.objects.get().interaction_id, platform.dialled()) == (line().pk, 2)


class TestRefusals:
    def test_too_many_at_once_is_tried_again_in_a_moment(self, chat: Interaction, platform: Platform) -> None:
        """A 429 says that nothing was done, so asking again rings one phone."""
        platform.refusals = [429]
        calling_back.call_me(chat.pk, chat.party, NUMBER)
        assert (line().provider_id, platform.dialled(), len(platform.records)) == (platform.leg, 2, 1)

    @pytest.mark.parametrize("code", [500, 502, 503])
    def test_a_platform_that_failed_and_rang_all_the_same_is_found_out(self, chat: Interaction, platform: Platform, code: int) -> None:
        """Without such a call in its list, it is told as not placed, see the tests of “call me”."""
        ends = {"to": {"type": "phone", "number": NUMBER.removeprefix("+")}, "from": {"type": "phone", "number": COMPANY}}
        platform.records.append({"uuid": platform.leg, "status": "started", "direction": "outbound", "conversation_uuid": "CON-1"} | ends)
        platform.code = code
        calling_back.call_me(chat.pk, chat.party, NUMBER)
        assert (line().provider_id, platform.dialled()) == (platform.leg, 1)

    @pytest.mark.parametrize("code", [400, 401, 403, 404])
    def test_a_refusal_is_final(self, platform: Platform, code: int) -> None:
        platform.code = code
        with pytest.raises(GatewayError) as caught:
            placing.place(
                lambda: gateway.create_call(to=NUMBER, caller=f"+{COMPANY}", ncco=[], event_url="", ring_seconds=5), to=NUMBER, caller=""
            )
        assert not isinstance(caught.value, Unclear)
        assert platform.dialled() == 1


class TestPeople:
    """The phone of a person who is put on a call."""

    @pytest.fixture
    def agent(self, caller: Caller, platform: Platform) -> AgentProfile:
        post("/voice/answer/", caller.answer())
        agent = rows.agent("Ann", phone_number=AGENTS_PHONE)
        with transaction.atomic():
            ownership.give_to_human(call_of(caller).conversation, agent)
        return agent

    def test_one_that_rang_although_the_answer_was_lost_is_connected(self, agent: AgentProfile, caller: Caller, platform: Platform) -> None:
        """The caller waits for the person, whose phone rings once."""
        platform.cut = "rings"
        outbound.connect_call(call_of(caller).conversation, agent)
        assert (CallSeat.objects.get().leg_id, platform.dialled()) == (platform.leg, 1)
        assert any("putting you through" in said for said in platform.said_to(caller))

    def test_one_of_which_nobody_knows_is_said_not_to_be_placed(self, agent: AgentProfile, caller: Caller, platform: Platform) -> None:
        platform.cut, platform.is_down = "lost", True
        with pytest.raises(CannotConnect):
            outbound.connect_call(call_of(caller).conversation, agent)
        assert platform.dialled() == 1


def test_only_the_call_between_the_two_numbers_is_found(platform: Platform, number: object) -> None:
    ends = {"to": {"type": "phone", "number": "447700900555"}, "from": {"type": "phone", "number": COMPANY}}
    about = {"uuid": platform.leg, "status": "started", "direction": "outbound", "conversation_uuid": "CON-1"}
    platform.records += [
        about | ends | {"to": {"type": "phone", "number": "1"}},
        about | ends | {"direction": "inbound"},
        about | {"to": 7},
    ]
    assert placing.look_up(to=NUMBER, caller=f"+{COMPANY}", since=timezone.now()) is None
    platform.records.append(about | ends)
    found = placing.look_up(to=NUMBER, caller=f"+{COMPANY}", since=timezone.now())
    assert found is not None
    assert found.call_id == platform.leg
