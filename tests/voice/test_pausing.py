"""A recording that is paused while card data is given: by what the caller says, by the agent's button, by a payment step."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction
from django.test import Client

from conversations.models import Entry, EntryPoint
from conversations.services import ownership
from conversations.voice.simulator.checking import checked
from routing.models import AgentProfile
from tests.record import rows
from tests.voice.people import AGENTS_PHONE, asking_for_a_person
from tests.voice.platform import Caller, post, post_async
from tests.voice.rest_side import Platform
from tests.voice.test_calls import call_of
from tests.voice.test_recording import actions, given, kinds, says, until_async


@pytest.fixture
def call(caller: Caller, number: EntryPoint) -> Iterator[Caller]:
    """A call that is recorded."""
    says(number, "announce")
    post("/voice/answer/", caller.answer())
    yield caller
    says(number, "not_recorded")


@pytest.fixture
def ann(call: Caller) -> AgentProfile:
    """Who has the call."""
    agent = rows.agent("Ann", phone_number="+441632960111")
    with transaction.atomic():
        ownership.give_to_human(call_of(call).conversation, agent)
    return agent


def presses(agent: AgentProfile, call: Caller, what: str) -> int:
    client = Client()
    client.force_login(agent.user)
    return int(client.post(f"/inbox/c/{call_of(call).conversation.public_id}/recording/{what}/").status_code)


def moved(platform: Platform) -> list[str]:
    """The actions that the caller's leg was moved on with last."""
    return [action["action"] for action in checked(platform.nccos()[-1])]


@pytest.mark.parametrize(
    "words",
    [
        "My card is 4111 1111 1111 1111",
        "It is four one one one one one one one one one one one one one one one",
        "My card number is",
        "El número de mi tarjeta es",
    ],
)
async def test_a_caller_who_gives_a_card_is_not_recorded_from_the_first_word(
    caller: Caller, number: EntryPoint, platform: Platform, patient: None, words: str
) -> None:
    """The leg is moved out, nothing is kept from when they began to speak, and it goes on with the next thing that is about no card."""
    await until_set(number, "announce")
    try:
        await post_async("/voice/answer/", caller.answer())
        body = caller.said(words)
        ncco = (await post_async("/voice/input/", body)).json()
        assert actions(ncco)[0] == "wait"
        await until_async(lambda: bool(platform.nccos()))
        assert "record" not in moved(platform)
        paused = await Entry.objects.aget(kind="recording.paused")
        spoken_at = (await Entry.objects.filter(kind="message", actor_kind="customer").alast()).occurred_at
        assert paused.occurred_at < spoken_at - timedelta(seconds=3)
        await until_async(lambda: not call_of(caller).data["recording"]["on"])
        ncco = (await post_async("/voice/input/", caller.said("And my boiler is cold"))).json()
        assert actions(ncco)[0] == "record"
        found = await sync_to_async(kinds)(caller)
        assert found == ["recording.announced", "recording.began", "recording.paused", "recording.resumed"]
    finally:
        await until_set(number, "not_recorded")


def test_keys_of_a_card_pause_it_too(call: Caller, platform: Platform) -> None:
    given(call, call.keyed("4111111111111111"))
    assert kinds(call)[-1] == "recording.paused"


def test_other_words_do_not(call: Caller, patient: None) -> None:
    for words in ("My boiler is cold", "My postcode is HB1 4QT", "Call me on 07700 900 123"):
        given(call, call.said(words))
    assert kinds(call) == ["recording.announced", "recording.began"]


def test_the_agent_pauses_and_goes_on(call: Caller, ann: AgentProfile, platform: Platform) -> None:
    """By a button that shows which it is; each time the leg is moved, and the history says who."""
    assert presses(ann, call, "pause") == 204
    assert "record" not in moved(platform)
    assert presses(ann, call, "pause") == 409
    page = page_of(ann, call)
    assert "Recording paused" in page
    assert presses(ann, call, "resume") == 204
    assert moved(platform)[0] == "record"
    assert presses(ann, call, "resume") == 409
    assert "Pause recording" in page_of(ann, call)
    assert kinds(call) == ["recording.announced", "recording.began", "recording.paused", "recording.resumed"]
    assert set(Entry.objects.filter(kind__in=["recording.paused", "recording.resumed"]).values_list("actor_name", flat=True)) == {"Ann"}


def test_a_pause_by_hand_ends_by_hand(call: Caller, ann: AgentProfile, platform: Platform, patient: None) -> None:
    """What the caller says next does not end it."""
    presses(ann, call, "pause")
    assert "record" not in actions(given(call, call.said("My boiler is cold")))
    assert kinds(call)[-1] == "recording.paused"


def test_only_whoever_has_the_call(call: Caller, ann: AgentProfile, platform: Platform) -> None:
    assert presses(rows.agent("Ben"), call, "pause") == 404
    assert kinds(call)[-1] == "recording.began"


def test_a_call_that_is_not_recorded(caller: Caller, platform: Platform) -> None:
    """There is no button, and nothing to pause."""
    post("/voice/answer/", caller.answer())
    agent = rows.agent("Ann")
    with transaction.atomic():
        ownership.give_to_human(call_of(caller).conversation, agent)
    assert "Pause recording" not in page_of(agent, caller)
    assert presses(agent, caller, "pause") == 409


def test_the_pause_holds_when_the_platform_does_not_move_the_leg(call: Caller, ann: AgentProfile, platform: Platform) -> None:
    """Nothing is kept from the pause on in any case."""
    platform.answer = lambda *asked: (500, {})  # type: ignore[method-assign]
    assert presses(ann, call, "pause") == 204
    assert kinds(call)[-1] == "recording.paused"


def test_people_talk_on_while_it_is_paused(caller: Caller, number: EntryPoint, platform: Platform) -> None:
    """Both are moved into another room, which is not recorded, and into a third one that is."""
    says(number, "announce")
    try:
        with asking_for_a_person(caller, platform, Ann=AGENTS_PHONE) as line:
            line.accept("Ann")
            line.picks_up("Ann")
            recorded = platform.told(caller.uuid)[-1]
            assert [action["action"] for action in recorded][0] == "record"  # noqa: RUF015
            rooms = [recorded[-1]["name"]]
            for what, is_recorded in (("pause", False), ("resume", True)):
                assert presses(line.agents["Ann"], caller, what) == 204
                caller_does, person_does = platform.told(caller.uuid)[-1], platform.told(line.legs[-1])[-1]
                assert ("record" in [action["action"] for action in caller_does]) is is_recorded
                assert "record" not in [action["action"] for action in person_does]
                assert caller_does[-1]["name"] == person_does[-1]["name"]
                rooms.append(caller_does[-1]["name"])
            assert len(set(rooms)) == 3
            assert line.people() == ["Ann"]
    finally:
        says(number, "not_recorded")


def test_who_objects_to_a_person_goes_on_talking_with_them(caller: Caller, number: EntryPoint, platform: Platform) -> None:
    """The person writes it down; nobody is taken off the call, and the next room is not recorded."""
    says(number, "announce")
    try:
        with asking_for_a_person(caller, platform, Ann=AGENTS_PHONE) as line:
            line.accept("Ann")
            line.picks_up("Ann")
            said = {"decision": "refused", "how": "said", "scope": "  ", "line": ""}
            assert line.client("Ann").post(line.page("consent/recording"), said).status_code == 204
            moved_to = platform.told(caller.uuid)[-1]
            assert [action["action"] for action in moved_to] == ["conversation"]
            assert platform.told(line.legs[-1])[-1][-1]["name"] == moved_to[-1]["name"]
            assert kinds(caller)[-1] == "recording.ended"
            assert line.people() == ["Ann"]
    finally:
        says(number, "not_recorded")


def test_a_payment_step_pauses_it(call: Caller, ann: AgentProfile, platform: Platform) -> None:
    """As soon as the agent opens it."""
    client = Client()
    client.force_login(ann.user)
    answer = client.get(f"/inbox/c/{call_of(call).conversation.public_id}/tools/promise_to_pay/")
    assert answer.status_code == 200, answer.content
    assert kinds(call)[-1] == "recording.paused"


def page_of(agent: AgentProfile, call: Caller) -> str:
    client = Client()
    client.force_login(agent.user)
    return client.get(f"/inbox/c/{call_of(call).conversation.public_id}/").content.decode()


async def until_set(number: EntryPoint, policy: str) -> None:
    await EntryPoint.objects.filter(pk=number.pk).aupdate(recording_policy=policy)


