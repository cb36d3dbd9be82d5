"""A caller who waited too long for a person is told that they are called back, and may say that they would rather wait."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from conversations import tasks
from conversations.models import Consent, Entry
from conversations.services import consent, suppression
from conversations.services.consent import Said
from routing import clock
from routing.models import Queue, RoutingStep, WorkItem
from routing.tasks import dispatch_waiting_work
from tests.support.locks import until
from tests.voice.platform import SAM, Caller, post, words_of
from tests.voice.rest_side import Platform
from tests.voice.test_calls import call_of

pytestmark = pytest.mark.usefixtures("patient", "step")


@pytest.fixture
def step(transactional_db: None) -> Iterator[None]:
    """After a minute in the queue, work becomes a call back."""
    made = [RoutingStep.objects.create(queue=queue, after_seconds=60, becomes_kind="callback") for queue in Queue.objects.all()]
    yield
    RoutingStep.objects.filter(pk__in=[each.pk for each in made]).delete()


def waits_too_long(caller: Caller) -> None:
    """Answered, put in line for a person, and nobody comes."""
    post("/voice/answer/", caller.answer())
    post("/voice/input/", caller.said("I want to talk to a person"))
    until(WorkItem.objects.filter(kind="live_voice").exists)
    with clock.at(clock.now() + timedelta(seconds=61)):
        dispatch_waiting_work()


def notes(caller: Caller, kind: str) -> list[str]:
    """What staff read about it."""
    about = Entry.objects.filter(kind=kind, conversation=call_of(caller).conversation)
    assert {each.audience for each in about} <= {"staff"}
    return [each.body for each in about.order_by("pk")]


def agreements() -> list[tuple[str, str, bool]]:
    """What was kept as consent: the decision, the number, and whether they asked for it themselves."""
    return list(Consent.objects.order_by("pk").values_list("decision", "value", "asked_for"))


def later(seconds: float) -> None:
    with clock.at(clock.now() + timedelta(seconds=seconds)):
        dispatch_waiting_work()
        tasks.tell_of_call_backs()


def ends_the_call(ncco: list[dict[str, Any]]) -> bool:
    return [action["action"] for action in ncco] == ["talk"]


def told_by(platform: Platform) -> list[list[dict[str, Any]]]:
    return [body["destination"]["ncco"] for method, _path, body in platform.requests if method == "PUT"]


def test_a_caller_is_told_and_says_yes(caller: Caller, platform: Platform) -> None:
    """Nobody has agreed to anything until then; a yes is kept, with the words, and the call ends with it."""
    waits_too_long(caller)
    (words,) = platform.said_to(caller)
    assert "We will call you back on 0 7 7 0 0, 9 0 0 1 2 3 by" in words
    assert words.endswith("Say yes and you can hang up, or no and you keep your place in the line.")
    assert not ends_the_call(told_by(platform)[0])
    assert agreements() == []
    (note,) = notes(caller, "callback.requested")
    assert note.endswith("They have not agreed to it yet.")
    answer = post("/voice/input/", caller.said("yes please")).json()
    assert words_of(answer).startswith("Thank you. We will call you back on 0 7 7 0 0, 9 0 0 1 2 3 by")
    assert ends_the_call(answer)
    assert agreements() == [("given", call_of(caller).party, True)]
    assert "We will call you back on … by" in Consent.objects.get().wording
    assert notes(caller, "callback.requested")[1].startswith("They said yes to being called back on 07700 900123 by")
    post("/voice/event/", caller.event("completed"))
    work = WorkItem.objects.get()
    assert (call_of(caller).state, work.kind, work.state) == ("ended", "callback", "queued")


def test_a_caller_who_says_no_keeps_the_place_in_the_line(caller: Caller, platform: Platform) -> None:
    """The step does not come again, whatever is said and however long it lasts; nothing is kept as consent."""
    waits_too_long(caller)
    before = WorkItem.objects.get()
    answer = post("/voice/input/", caller.said("no thanks")).json()
    assert words_of(answer).startswith("All right. You keep your place in the line.")
    assert not ends_the_call(answer)
    post("/voice/input/", caller.said("I want to talk to a person"))
    later(180)
    after = WorkItem.objects.get()
    assert (after.kind, after.state, after.enqueued_at, after.deadline) == ("live_voice", "queued", before.enqueued_at, before.deadline)
    assert notes(caller, "callback.refused") == ["They do not want to be called back, and wait on."]
    assert agreements() == []
    assert len(platform.said_to(caller)) == 1


def test_a_caller_who_hangs_up_has_agreed_to_nothing(caller: Caller, platform: Platform) -> None:
    """Whoever takes the call back reads so."""
    waits_too_long(caller)
    post("/voice/event/", caller.event("completed"))
    later(180)
    assert agreements() == []
    (note,) = notes(caller, "callback.requested")
    assert "Call back on 07700 900123 by" in note
    assert note.endswith("They have not agreed to it yet.")


def test_a_number_that_is_never_to_be_called_waits_on(caller: Caller, platform: Platform) -> None:
    """No call back is promised; why is for staff alone."""
    row, _made = suppression.suppress("phone", f"+{SAM}", reason="Asked never to be called.", added_by="Kim")
    try:
        waits_too_long(caller)
        later(180)
        (words,) = platform.said_to(caller)
        assert words.startswith("None of my colleagues has become free yet. You keep your place in the line.")
        assert "call" not in words.removeprefix("None of my colleagues has become free yet.")
        assert (WorkItem.objects.get().kind, WorkItem.objects.get().state) == ("live_voice", "queued")
        (why,) = notes(caller, "callback.refused")
        assert why.endswith("It is on the do-not-contact list: Asked never to be called.")
        assert notes(caller, "callback.requested") == []
    finally:
        suppression.lift(row, reason="The test is over.", lifted_by="Kim")


def test_somebody_who_wants_no_calls_waits_on(caller: Caller, platform: Platform) -> None:
    """Said to an agent some time ago."""
    post("/voice/answer/", caller.answer())
    said = Said(given_by="agent", how="said", recorded_by="Ann", assurance="verified")
    consent.record(call_of(caller).conversation.customer, purpose="outbound_call", decision="refused", said=said)
    waits_too_long(caller)
    assert "You keep your place in the line." in platform.said_to(caller)[0]
    assert WorkItem.objects.get().kind == "live_voice"
    assert "They refused it on" in notes(caller, "callback.refused")[0]


def test_somebody_who_agreed_before_is_let_go(caller: Caller, platform: Platform) -> None:
    """The number they call from is noted; the work waits on, and nobody needs to hold the line."""
    post("/voice/answer/", caller.answer())
    line = call_of(caller)
    said = Said(given_by="customer", how="said", recorded_by="Harbor", assurance="network_hint", interaction=line)
    number, customer = ("phone", line.party), line.conversation.customer
    consent.record(customer, purpose="outbound_call", decision="given", said=said, identifier=number, wording="May we?")
    waits_too_long(caller)
    (words,) = platform.said_to(caller)
    assert "You need not stay on the line: we will call you back on" in words
    assert words.endswith("Goodbye.")
    assert ends_the_call(told_by(platform)[0])
    post("/voice/event/", caller.event("completed"))
    call = call_of(caller)
    work = WorkItem.objects.get()
    assert (call.state, work.kind, work.state) == ("ended", "callback", "queued")
    assert len(notes(caller, "callback.requested")) == 1
