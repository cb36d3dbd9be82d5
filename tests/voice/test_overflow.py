"""A caller who waited too long for a person is told that they are called back, and let go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from conversations.models import Entry
from routing import clock
from routing.models import Queue, RoutingStep, WorkItem
from routing.tasks import dispatch_waiting_work
from tests.support.locks import until
from tests.voice.platform import Caller, post
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


def noted(caller: Caller) -> list[str]:
    return [entry.data["phone"] for entry in Entry.objects.filter(kind="callback.requested", conversation=call_of(caller).conversation)]


def test_a_caller_is_told_and_let_go(caller: Caller, platform: Platform) -> None:
    """The number they call from is noted; the work waits on, and nobody needs to hold the line."""
    waits_too_long(caller)
    (words,) = platform.said_to(caller)
    assert "You need not stay on the line: we will call you back on" in words
    assert words.endswith("Goodbye.")
    actions = [body["destination"]["ncco"] for method, _path, body in platform.requests if method == "PUT"]
    assert [[action["action"] for action in each] for each in actions] == [["talk"]], "the call ends when it is said"
    post("/voice/event/", caller.event("completed"))
    call = call_of(caller)
    work = WorkItem.objects.get()
    assert (call.state, work.kind, work.state, noted(caller)) == ("ended", "callback", "queued", [call.party])
