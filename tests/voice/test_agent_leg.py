"""A person's phone on a call when the platform's word about it is early, late, twice or never there."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from conversations import tasks
from conversations.flows import outbound, supervising
from conversations.models import Entry, Interaction
from conversations.services import ownership
from conversations.services.delivery import CannotConnect
from routing.models import AgentProfile, WorkItem
from routing.services import reservations
from tests.record import rows
from tests.support.locks import until
from tests.voice.platform import Caller, post, words_of
from tests.voice.rest_side import Platform
from tests.voice.test_calls import call_of

AGENTS_PHONE = "+441632960111"


@pytest.fixture
def call(caller: Caller, platform: Platform) -> Caller:
    """A call that was answered."""
    post("/voice/answer/", caller.answer())
    return caller


@pytest.fixture
def ann(call: Caller) -> AgentProfile:
    """The person who has the call's conversation."""
    agent = rows.agent("Ann", phone_number=AGENTS_PHONE)
    with transaction.atomic():
        ownership.give_to_human(call_of(call).conversation, agent)
    return agent


def event_of(platform: Platform, call: Caller, status: str) -> int:
    """The platform's word about the person's leg."""
    about = Caller(uuid=platform.leg).event(status, direction="outbound")
    return int(post(f"/voice/agent/{call_of(call).public_id}/event/", about).status_code)


def press_one(platform: Platform, call: Caller) -> str:
    path = f"/voice/agent/{call_of(call).public_id}/input/"
    return words_of(post(path, Caller(uuid=platform.leg).about() | {"dtmf": {"digits": "1", "timed_out": False}}).json())


def let_time_pass(call: Caller) -> None:
    """As if the leg had begun ten minutes earlier."""
    row = call_of(call)
    row.data["agent_leg"]["until"] -= 600
    Interaction.objects.filter(pk=row.pk).update(data=row.data)


def test_two_presses_of_the_button_ring_one_phone(call: Caller, ann: AgentProfile, platform: Platform) -> None:
    """The second is refused while the first is still asking the platform to dial."""
    is_dialling, may_answer = Event(), Event()
    platform.before_answering = lambda: (is_dialling.set(), may_answer.wait(60))

    def press() -> None:
        try:
            outbound.connect_call(call_of(call).conversation, ann)
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        first = pool.submit(press)
        assert is_dialling.wait(60)
        with pytest.raises(CannotConnect, match="being connected"):
            outbound.connect_call(call_of(call).conversation, ann)
        may_answer.set()
        first.result(timeout=60)
    assert platform.dialled() == 1
    assert "putting you through to Ann" in platform.said_to(call)[-1]


def test_a_phone_that_could_not_be_dialled_leaves_the_line_free(call: Caller, ann: AgentProfile, platform: Platform) -> None:
    """The next press dials again, and until then answers are spoken as before."""
    platform.code = 500
    with pytest.raises(CannotConnect, match="did not place"):
        outbound.connect_call(call_of(call).conversation, ann)
    outbound.say_as_agent(call_of(call).conversation, ann, "I will answer you here.", client_id="one")
    assert "I will answer you here." in platform.said_to(call)[-1]
    platform.code = 201
    outbound.connect_call(call_of(call).conversation, ann)
    assert platform.dialled() == 2


def test_word_that_the_phone_was_declined_may_come_before_its_id(call: Caller, ann: AgentProfile, platform: Platform) -> None:
    """The caller is not put into a room that nobody will come to, and hears what the person writes."""
    platform.before_answering = lambda: event_of(platform, call, "rejected")
    with pytest.raises(CannotConnect, match="did not answer"):
        outbound.connect_call(call_of(call).conversation, ann)
    assert not platform.said_to(call)
    outbound.say_as_agent(call_of(call).conversation, ann, "I will answer you here.", client_id="one")
    assert "I will answer you here." in platform.said_to(call)[-1]


def test_word_that_came_twice_takes_the_caller_back_once(call: Caller, ann: AgentProfile, platform: Platform) -> None:
    outbound.connect_call(call_of(call).conversation, ann)
    for _delivery in range(2):
        event_of(platform, call, "timeout")
    assert sum("could not pick up" in words for words in platform.said_to(call)) == 1
    assert Entry.objects.filter(kind="call.problem").count() == 1


def test_word_that_never_came_about_a_ringing_phone_does_not_keep_the_caller_waiting(
    call: Caller, ann: AgentProfile, platform: Platform
) -> None:
    """The sweep takes them back after the ring time and a margin, not before, and ends the person's leg."""
    outbound.connect_call(call_of(call).conversation, ann)
    assert tasks.end_lost_legs() == 0
    let_time_pass(call)
    assert tasks.end_lost_legs() == 1
    assert "Ann could not pick up" in platform.said_to(call)[-1]
    assert platform.hung_up()
    assert tasks.end_lost_legs() == 0
    assert "not connected" in press_one(platform, call)


def test_a_message_is_not_held_back_by_a_phone_that_was_lost(call: Caller, ann: AgentProfile, platform: Platform) -> None:
    """Whoever looks next finds it, without waiting for the sweep."""
    outbound.connect_call(call_of(call).conversation, ann)
    let_time_pass(call)
    outbound.say_as_agent(call_of(call).conversation, ann, "I will answer you here.", client_id="one")
    assert "I will answer you here." in platform.said_to(call)[-1]


def test_a_talk_may_last_and_its_end_may_get_lost(call: Caller, ann: AgentProfile, platform: Platform) -> None:
    """While the platform says that the person is on the line, nothing is said over them; then the caller is taken back."""
    outbound.connect_call(call_of(call).conversation, ann)
    assert "Connected" in press_one(platform, call)
    let_time_pass(call)
    outbound.say_as_agent(call_of(call).conversation, ann, "Just a note for later.", client_id="one")
    assert tasks.end_lost_legs() == 0
    assert len(platform.said_to(call)) == 1
    platform.status = "completed"
    let_time_pass(call)
    assert tasks.end_lost_legs() == 1
    assert "Ann has left the call" in platform.said_to(call)[-1]


def test_a_caller_who_hangs_up_while_the_phone_is_dialled_leaves_no_phone_ringing(
    call: Caller, ann: AgentProfile, platform: Platform
) -> None:
    platform.before_answering = lambda: post("/voice/event/", call.event("completed"))
    with pytest.raises(CannotConnect):
        outbound.connect_call(call_of(call).conversation, ann)
    until(platform.hung_up)


def test_a_supervisor_who_takes_the_call_back_takes_the_persons_phone_off_it(
    call: Caller, ann: AgentProfile, platform: Platform
) -> None:
    """In the middle of the talk: their leg is ended, the caller is told and comes back, and the work waits again."""
    conversation = call_of(call).conversation
    reservations.assign(subject=conversation.public_id.hex, kind="live_voice", agent=ann)
    outbound.connect_call(conversation, ann)
    assert "Connected" in press_one(platform, call)
    kim, _made = User.objects.get_or_create(username="kim")
    supervising.take_back(WorkItem.objects.get(), by=kim, seen_with=ann.pk)
    assert platform.hung_up()
    assert platform.said_to(call)[-1].startswith("Ann had to leave the call.")
    assert not call_of(call).data["agent_leg"]
    assert (WorkItem.objects.get().state, call_of(call).conversation.owner_kind) == ("queued", "assistant")
