"""A caller who waits in line: music and where they stand, what they may key or say, and the call back that keeps their place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from conversations import tasks
from conversations.models import Consent, Entry, EntryPoint
from conversations.services import suppression
from routing import clock
from routing.models import AgentProfile, Queue, RoutingProfileWork, WorkItem
from tests.record import rows
from tests.support.locks import until
from tests.voice.platform import SAM, Caller, post, words_of
from tests.voice.test_calls import call_of

pytestmark = pytest.mark.usefixtures("patient")


@pytest.fixture
def taker(transactional_db: None) -> Iterator[AgentProfile]:
    """Somebody who takes calls back, and is not there now."""
    agent = rows.agent("Ann", phone_number="+441632960111")
    row = RoutingProfileWork.objects.create(profile=agent.routing_profile, kind="callback", weight=6, max_at_once=1)
    yield agent
    row.delete()


def waits(caller: Caller) -> list[dict[str, Any]]:
    """Answered, and put in line for a person; returns what they hear then."""
    post("/voice/answer/", caller.answer())
    ncco = post("/voice/input/", caller.said("I want to talk to a person")).json()
    until(WorkItem.objects.filter(kind="live_voice").exists)
    return list(ncco)


def hears(caller: Caller, body: dict[str, Any]) -> str:
    return words_of(post("/voice/input/", body).json())


def test_between_announcements_there_is_music_and_never_silence(caller: Caller) -> None:
    """Words, music that may be spoken over, and two seconds of listening, again and again."""
    first = waits(caller)
    again = post("/voice/input/", caller.silent()).json()
    for ncco in (first, again):
        assert [action["action"] for action in ncco[:3]] == ["talk", "stream", "input"]
        assert ncco[1]["streamUrl"][0].endswith("/static/voice/waiting.wav")
        assert ncco[1]["bargeIn"] is True
        assert ncco[2]["speech"]["startTimeout"] <= 4
    assert words_of(again).startswith("Thank you for waiting.")


def test_the_place_in_line_is_told_anew(caller: Caller, number: EntryPoint) -> None:
    """Two are before them, then one."""
    before = {"kind": "live_voice", "queue": rows.queue(), "deadline": clock.now()}
    ahead = [WorkItem.objects.create(subject=f"ahead{each}", **before) for each in (1, 2)]
    waits(caller)
    assert "You are number 3 in line." in hears(caller, caller.silent())
    ahead[0].delete()
    assert "You are number 2 in line." in hears(caller, caller.silent())


def test_a_number_has_music_of_its_own(caller: Caller, number: EntryPoint) -> None:
    EntryPoint.objects.filter(pk=number.pk).update(waiting_music="https://media.example.com/waltz.mp3")
    try:
        assert waits(caller)[1]["streamUrl"] == ["https://media.example.com/waltz.mp3"]
    finally:
        EntryPoint.objects.filter(pk=number.pk).update(waiting_music="")


def test_a_call_back_is_offered_after_the_time_of_the_queue(caller: Caller, taker: AgentProfile) -> None:
    waits(caller)
    assert "press 1" not in hears(caller, caller.silent())
    with clock.at(clock.now() + timedelta(seconds=91)):
        assert "press 1 or say: call me back. You keep your place in the line." in hears(caller, caller.silent())


def test_it_is_not_offered_where_nobody_would_take_it(caller: Caller) -> None:
    """The work would wait for ever; the key is a key like any other then."""
    waits(caller)
    with clock.at(clock.now() + timedelta(seconds=91)):
        assert "press 1" not in hears(caller, caller.silent())
    post("/voice/input/", caller.keyed("1"))
    assert WorkItem.objects.get().kind == "live_voice"


def test_who_wants_a_call_back_keeps_the_place(caller: Caller, taker: AgentProfile) -> None:
    """The number is read back, a yes ends the call, and the work waits on with its first time, class and queue."""
    waits(caller)
    before = WorkItem.objects.get()
    assert "We can call you back on 0 7 7 0 0, 9 0 0 1 2 3" in hears(caller, caller.said("can you call me back please"))
    answer = post("/voice/input/", caller.said("yes")).json()
    assert words_of(answer).startswith("Thank you. You keep your place in the line, and a colleague calls you on 0 7 7 0 0, 9 0 0 1 2 3")
    assert [action["action"] for action in answer] == ["talk"]
    post("/voice/event/", caller.event("completed"))
    after = WorkItem.objects.get()
    assert (after.kind, after.kind_stays, after.state) == ("callback", True, "queued")
    kept = ("enqueued_at", "priority_class", "deadline", "queue_id")
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
    (agreed,) = Consent.objects.filter(purpose="outbound_call")
    assert (agreed.asked_for, agreed.value) == (True, f"+{SAM}")
    assert "…" in agreed.wording
    assert SAM[2:] not in agreed.wording.replace(" ", "")
    assert Entry.objects.filter(kind="callback.requested").count() == 1


def test_a_call_back_they_chose_is_not_told_of_again(caller: Caller, taker: AgentProfile) -> None:
    waits(caller)
    post("/voice/input/", caller.keyed("1"))
    post("/voice/input/", caller.keyed("1"))
    assert tasks.tell_of_call_backs() == 0
    assert not Entry.objects.filter(kind="work.overflowed").exists()


@pytest.mark.parametrize("repeats", [1, 3])
def test_another_number_may_be_keyed(caller: Caller, taker: AgentProfile, repeats: int) -> None:
    """A webhook that comes again changes nothing."""
    waits(caller)
    post("/voice/input/", caller.keyed("1"))
    assert "0 7 7 0 0, 9 0 0 5 5 5" in hears(caller, caller.keyed("07700900555"))
    yes = caller.keyed("1")
    for _each in range(repeats):
        post("/voice/input/", yes)
    assert Consent.objects.get(purpose="outbound_call").value == "+447700900555"
    assert WorkItem.objects.get().kind == "callback"


def test_another_number_may_be_said(caller: Caller, taker: AgentProfile) -> None:
    waits(caller)
    post("/voice/input/", caller.keyed("1"))
    words = hears(caller, caller.said("please use oh seven seven double oh nine double oh five five six"))
    assert "0 7 7 0 0, 9 0 0 5 5 6" in words
    post("/voice/input/", caller.said("yes that's right"))
    assert Consent.objects.get(purpose="outbound_call").value == "+447700900556"


@pytest.mark.parametrize(
    ("keyed", "why"),
    [
        ("0033612345678", "We cannot call numbers of that country."),
        ("09061234567", "We cannot call that kind of number."),
        ("441632960100", "We cannot call that kind of number."),
        ("123456789012345", "That is not a phone number I can use."),
    ],
)
def test_numbers_that_are_not_called_are_refused(caller: Caller, taker: AgentProfile, keyed: str, why: str) -> None:
    """Abroad, dear, our own, and none at all: the reason, and the question again; nothing is kept."""
    waits(caller)
    post("/voice/input/", caller.keyed("1"))
    words = hears(caller, caller.keyed(keyed))
    assert words.startswith(why)
    assert "On which number may we call you back?" in words
    assert WorkItem.objects.get().kind == "live_voice"


def test_who_hides_the_number_is_asked_for_one(number: EntryPoint, taker: AgentProfile) -> None:
    caller = Caller(number=None)
    waits(caller)
    assert "On which number may we call you back?" in hears(caller, caller.keyed("1"))
    assert "0 7 7 0 0, 9 0 0 5 5 5" in hears(caller, caller.keyed("07700900555"))
    post("/voice/input/", caller.keyed("1"))
    assert WorkItem.objects.get().kind == "callback"


def test_a_number_on_the_list_is_not_called(caller: Caller, taker: AgentProfile) -> None:
    """Somebody else's number, whose holder wants no calls; the caller waits on."""
    row, _made = suppression.suppress("phone", "+447700900555", reason="Asked never to be called.", added_by="Kim")
    try:
        waits(caller)
        post("/voice/input/", caller.keyed("1"))
        post("/voice/input/", caller.keyed("07700900555"))
        words = hears(caller, caller.keyed("1"))
        assert words.startswith("We cannot call that number.")
        assert WorkItem.objects.get().kind == "live_voice"
        assert not Consent.objects.exists()
    finally:
        suppression.lift(row, reason="The test is over.", lifted_by="Kim")


def test_who_would_rather_wait_waits_on(caller: Caller, taker: AgentProfile) -> None:
    waits(caller)
    post("/voice/input/", caller.keyed("1"))
    words = hears(caller, caller.keyed("0"))
    assert words.startswith("All right. Thank you for waiting.")
    assert WorkItem.objects.get().kind == "live_voice"
    assert "Thank you for waiting." in hears(caller, caller.silent())


def test_who_does_not_answer_the_question_waits_on(caller: Caller, taker: AgentProfile) -> None:
    waits(caller)
    post("/voice/input/", caller.keyed("1"))
    heard = [hears(caller, caller.silent()) for _each in range(4)]
    assert heard[-1] == "Then please stay on the line. You keep your place."
    assert WorkItem.objects.get().kind == "live_voice"


def test_somebody_who_became_free_meanwhile_takes_the_call(caller: Caller, taker: AgentProfile) -> None:
    """The yes comes too late: it is a call, not a call back."""
    waits(caller)
    post("/voice/input/", caller.keyed("1"))
    WorkItem.objects.update(state="reserved")
    WorkItem.objects.update(state="assigned")
    words = hears(caller, caller.keyed("1"))
    assert not Consent.objects.exists()
    assert "keep your place" not in words


def test_who_hangs_up_waits_on_but_not_as_a_call(caller: Caller) -> None:
    """Whoever takes it finds nobody on the line, so that it is no heavier than a message; who calls again has the same place as a call."""
    waits(caller)
    before = WorkItem.objects.get()
    post("/voice/event/", caller.event("completed", duration="30"))
    after = WorkItem.objects.get()
    assert (after.kind, after.kind_stays, after.state) == ("messaging", False, "queued")
    assert (after.enqueued_at, after.deadline) == (before.enqueued_at, before.deadline)
    waits(Caller())
    again = WorkItem.objects.get()
    assert (again.pk, again.kind, again.enqueued_at) == (before.pk, "live_voice", before.enqueued_at)


def test_a_message_is_offered_where_one_is_taken(caller: Caller, taker: AgentProfile) -> None:
    """By 2 or in words."""
    waits(caller)
    assert "To leave a message, press 2." in hears(caller, caller.silent())
    assert "after the tone" in hears(caller, caller.keyed("2"))


def test_other_words_are_answered_as_ever(caller: Caller, taker: AgentProfile) -> None:
    waits(caller)
    before = Entry.objects.filter(kind="message", actor_kind="customer").count()
    post("/voice/input/", caller.said("my postcode is HB1 4QT"))
    assert Entry.objects.filter(kind="message", actor_kind="customer").count() == before + 1
    assert call_of(caller).state != "ended"


def test_queues_may_offer_it_to_nobody(caller: Caller, taker: AgentProfile) -> None:
    """Only whoever asks for it gets one then."""
    Queue.objects.update(call_back_after_seconds=None)
    try:
        waits(caller)
        with clock.at(clock.now() + timedelta(hours=1)):
            assert "press 1" not in hears(caller, caller.silent())
        assert "We can call you back on" in hears(caller, caller.said("please call me back"))
    finally:
        Queue.objects.update(call_back_after_seconds=90)
