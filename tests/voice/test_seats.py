"""A person's phone on a call when the platform's word about it is early, late, twice or never there."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from django.db import connection, transaction
from django.utils import timezone

from conversations import tasks
from conversations.flows import outbound
from conversations.models import CallSeat, Entry
from conversations.services import delivery, ownership
from conversations.services.delivery import CannotConnect
from routing.models import AgentProfile, Queue, WorkItem
from tests.record import rows
from tests.support.locks import until
from tests.voice.people import AGENTS_PHONE, Line, press, word_about
from tests.voice.platform import Caller, post
from tests.voice.rest_side import Platform
from tests.voice.test_calls import call_of


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
    return word_about(platform, platform.leg, status)


def press_one(platform: Platform, call: Caller) -> str:
    return press(platform, platform.leg, "1")


def let_time_pass(call: Caller) -> None:
    """As if the leg had begun ten minutes earlier."""
    CallSeat.objects.filter(interaction=call_of(call)).update(until=timezone.now() - timedelta(minutes=10))


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
    assert Entry.objects.filter(kind="call.not_connected").count() == 1


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
    said = platform.said_to(call)
    with pytest.raises(outbound.NoLine):
        outbound.say_as_agent(call_of(call).conversation, ann, "Just a note for later.", client_id="one")
    assert tasks.end_lost_legs() == 0
    assert platform.said_to(call) == said
    platform.status = "completed"
    let_time_pass(call)
    assert tasks.end_lost_legs() == 1
    assert "Ann has left the call" in platform.said_to(call)[-1]


def test_who_is_in_the_platform_s_list_no_more_has_left(call: Caller, ann: AgentProfile, platform: Platform) -> None:
    """Word of the end is lost: the next sweep asks about that leg alone, and a caller is not left alone for a minute."""
    outbound.connect_call(call_of(call).conversation, ann)
    assert "Connected" in press_one(platform, call)
    came = timezone.now() - timedelta(seconds=15)
    CallSeat.objects.filter(interaction=call_of(call)).update(connected_at=came, until=timezone.now() + timedelta(seconds=45))
    assert tasks.end_lost_legs() == 0
    platform.records.clear()
    assert tasks.end_lost_legs() == 0
    assert platform.requests[-1][1].endswith(platform.leg)
    CallSeat.objects.filter(interaction=call_of(call)).update(until=timezone.now() + timedelta(seconds=45))
    platform.status = "completed"
    assert tasks.end_lost_legs() == 1
    assert "Ann has left the call" in platform.said_to(call)[-1]


def test_a_list_that_does_not_come_says_of_nobody_that_they_left(call: Caller, ann: AgentProfile, platform: Platform) -> None:
    outbound.connect_call(call_of(call).conversation, ann)
    assert "Connected" in press_one(platform, call)
    came = timezone.now() - timedelta(seconds=15)
    CallSeat.objects.filter(interaction=call_of(call)).update(connected_at=came, until=timezone.now() + timedelta(seconds=45))
    platform.is_down = True
    assert tasks.end_lost_legs() == 0
    assert CallSeat.objects.get(interaction=call_of(call)).state == "connected"


def test_a_caller_who_hangs_up_while_the_phone_is_dialled_leaves_no_phone_ringing(
    call: Caller, ann: AgentProfile, platform: Platform
) -> None:
    platform.before_answering = lambda: post("/voice/event/", call.event("completed"))
    with pytest.raises(CannotConnect):
        outbound.connect_call(call_of(call).conversation, ann)
    until(platform.hung_up)


class TestWhoseWorkItIsNoLonger:
    """Through the doors: the platform's webhooks, the agents' inbox and the supervisors' board."""

    @pytest.fixture
    def line(self, line: Line) -> Line:
        line.accept("Ann")
        return line

    def test_a_supervisor_takes_back_a_call_that_was_picked_up(self, line: Line) -> None:
        """In the middle of the talk: their leg is ended, the caller is told and comes back, and the work waits again."""
        line.picks_up("Ann")
        work = WorkItem.objects.get()
        line.goes_offline("Ben")
        answer = line.supervisor().post(f"/inbox/board/work/{work.pk}/take-back/", {"seen_with": line.agents["Ann"].pk})
        assert answer.status_code == 204, answer.content
        assert line.platform.ended() == [line.legs[-1]]
        assert line.platform.said_to(line.caller)[-1].startswith("Ann is not on the call any more.")
        assert line.people() == []
        assert (WorkItem.objects.get().state, call_of(line.caller).conversation.owner_kind) == ("queued", "assistant")
        assert line.loads() == {"Ann": 0, "Ben": 0}
        said = line.platform.said_to(line.caller)
        line.word("completed")
        assert line.platform.said_to(line.caller) == said, "the platform's word about the leg takes nobody back again"

    def test_a_supervisor_gives_a_call_that_was_picked_up_to_somebody_else(self, line: Line) -> None:
        """Who takes it, picks up, and stays on the line when the first one's press comes late."""
        line.picks_up("Ann")
        work = WorkItem.objects.get()
        answer = line.supervisor().post(
            f"/inbox/board/work/{work.pk}/give/", {"agent": line.agents["Ben"].pk, "seen_with": line.agents["Ann"].pk}
        )
        assert answer.status_code == 204, answer.content
        assert line.platform.ended() == [line.legs[-1]]
        line.accept("Ben")
        line.picks_up("Ben")
        assert line.client("Ann").post(line.page("connect")).status_code == 409
        assert line.people() == ["Ben"]
        assert line.loads() == {"Ann": 0, "Ben": 6}

    @pytest.mark.parametrize("is_talking", [True, False], ids=["talking", "ringing"])
    def test_who_passes_a_call_on_is_taken_off_it(self, line: Line, is_talking: bool) -> None:
        """Their phone is hung up, the caller hears that somebody else is being found, and it is offered to the next."""
        (line.picks_up if is_talking else line.connects)("Ann")
        answer = line.client("Ann").post(line.page("transfer"), {"queue": Queue.objects.get(code="service").pk, "note": "About a bill."})
        assert answer.status_code == 204, answer.content
        assert line.platform.ended() == [line.legs[-1]]
        assert line.platform.said_to(line.caller)[-1].startswith("Ann is not on the call any more.")
        assert line.people() == []
        line.accept("Ben")
        line.picks_up("Ben")
        assert line.loads() == {"Ann": 0, "Ben": 6}

    def test_who_was_taken_off_late_does_not_take_off_who_came_after(self, line: Line) -> None:
        """The platform was slow: by the time that one is taken off, another one talks."""
        line.picks_up("Ann")
        call = call_of(line.caller)
        delivery.release(call.conversation_id, line.agents["Ben"].pk)
        assert line.people() == ["Ann"]
        assert line.platform.ended() == []
