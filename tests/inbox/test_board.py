"""The supervisors' board: who may see it, what it shows, and what each action leaves in the database and in the history."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.urls import reverse

from conversations.flows import takeover
from conversations.models import Conversation, Entry
from routing import clock
from routing.models import AgentProfile, AwayReason, Presence, Queue, Reservation, WorkItem
from routing.services import presence, reservations
from routing.services.dispatch import dispatch_all
from tests.inbox.conftest import Cast

Offered = Callable[..., tuple[Conversation, Reservation]]
ADDRESSES = ["board", "board-pause", "board-resume", "board-state", "board-work", "board-class", "board-give", "board-take-back"]


def supervisor(name: str = "kim", first: str = "Kim", last: str = "Lee") -> User:
    """Staff to whom supervising was permitted."""
    user = User.objects.create_user(name, is_staff=True, first_name=first, last_name=last)
    user.user_permissions.add(Permission.objects.get(codename="supervise"))
    return user


@pytest.fixture
def kim(cast: Cast) -> Client:
    return cast.client(supervisor())


@pytest.fixture
def live_kim(live_cast: Cast) -> Client:
    return live_cast.client(supervisor())


def waiting(cast: Cast, name: str = "Maria Lopez") -> tuple[Conversation, WorkItem]:
    conversation = cast.chat(name)
    return conversation, cast.hands_over(conversation).work_item


def taken(cast: Cast, agent: AgentProfile, name: str = "Maria Lopez") -> tuple[Conversation, WorkItem]:
    conversation, work = waiting(cast, name)
    takeover.take_over(conversation, agent)
    return fresh(conversation), fresh_work(work)


def fresh(conversation: Conversation) -> Conversation:
    return Conversation.objects.get(pk=conversation.pk)


def fresh_work(work: WorkItem) -> WorkItem:
    return WorkItem.objects.get(pk=work.pk)


def told(conversation: Conversation, kind: str) -> list[tuple[str, str, str]]:
    """Who did what, as the history of colleagues has it."""
    return list(Entry.objects.filter(conversation=conversation, kind=kind).values_list("actor_name", "body", "audience"))


def address(name: str, number: int) -> str:
    return reverse(f"inbox:{name}", args=[] if name == "board" else [number])


class TestDoors:
    @pytest.mark.parametrize("name", ADDRESSES)
    def test_only_supervisors_come_in(self, cast: Cast, name: str) -> None:
        """Agents and staff without the permission are refused, strangers find nothing, others sign in, and nothing changes."""
        _conversation, work = waiting(cast)
        there = address(name, work.pk)
        for who, refused in ((cast.ann, 403), (cast.manager, 403), (cast.stranger, 404)):
            answers = [cast.client(who).get(there), cast.client(who).post(there, {"why": "no", "priority_class": "1"})]
            assert {refused} <= {answer.status_code for answer in answers} <= {refused, 405}
        nobody = [cast.client(None).get(there), cast.client(None).post(there)]
        assert any(answer.headers.get("Location", "").startswith(reverse("account_login")) for answer in nobody)
        assert not Queue.objects.exclude(paused_at=None).exists()
        assert fresh_work(work).priority_class == 3

    def test_only_supervisors_are_shown_the_way(self, cast: Cast, kim: Client) -> None:
        """The link stands in the bar of those who may follow it."""
        assert reverse("inbox:board") not in cast.client(cast.ann).get("/inbox/").content.decode()
        assert reverse("inbox:board") not in cast.client(cast.manager).get("/inbox/").content.decode()
        assert reverse("inbox:board") in kim.get("/inbox/").content.decode()

    @pytest.mark.parametrize("name", ["board-resume", "board-class", "board-give", "board-take-back"])
    def test_acting_needs_a_post_with_the_forgery_token(self, cast: Cast, kim: Client, name: str) -> None:
        """A link or another site's form cannot act."""
        _conversation, work = waiting(cast)
        assert kim.get(address(name, work.pk)).status_code == 405
        careful = Client(enforce_csrf_checks=True)
        careful.cookies = kim.cookies
        assert careful.post(address(name, work.pk), {"priority_class": "1"}).status_code == 403
        assert fresh_work(work).priority_class == 3


class TestWhatItShows:
    def test_queues_the_line_and_people(self, cast: Cast, kim: Client) -> None:
        """What waits, who has what, who set whom away; in its own words, escaped."""
        waiting(cast, "Wendy <b>Waits</b>")
        taken(cast, cast.ann, "Terry Taken")
        presence.set_state(cast.ben, "away", "training", by="Lou")
        page = kim.get(reverse("inbox:board")).content.decode()
        text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
        assert "Wendy &lt;b&gt;Waits&lt;/b&gt;" in page
        assert "Terry Taken" in text
        assert "Away: training" in text
        assert "set by Lou" in text
        assert re.search(r"Service .{0,40}1 0 s", text), "one waits in the service queue"
        assert "2 of 6" in text

    def test_what_was_laid_aside_for_a_call_is_on_hold(self, cast: Cast, kim: Client) -> None:
        """On the board and in the list of whoever laid it aside, until the call has ended."""
        cast.company.profile.work_rows.filter(kind="live_voice").update(interrupts=["messaging"])
        taken(cast, cast.ann, "Terry Taken")
        presence.set_state(cast.ann, "available")
        calls = cast.chat("Cora Calls")
        cast.call(calls)
        cast.hands_over(calls)
        mine, board = reverse("inbox:lists") + "?tab=mine", reverse("inbox:board")
        assert dispatch_all() == 1
        assert "On hold" in cast.client(cast.ann).get(mine).content.decode()
        assert ">on hold<" in kim.get(board).content.decode()
        reservations.reject(cast.offer(calls, cast.ann).pk, cast.ann)
        assert "On hold" not in cast.client(cast.ann).get(mine).content.decode()
        assert ">on hold<" not in kim.get(board).content.decode()

    def test_the_service_level_counts_what_was_taken_in_time_and_what_should_have_been(self, cast: Cast, kim: Client) -> None:
        """Of four due, one taken in time, one late, one left after its deadline, and one still waits past it."""
        now = clock.now().replace(hour=12)
        for number, (answered, ended, deadline) in enumerate([(-5, None, -1), (-5, None, -9), (None, -3, -9), (None, None, -9)]):
            minutes = [None if each is None else now + timedelta(minutes=each) for each in (answered, ended)]
            WorkItem.objects.create(
                subject=f"foreign-{number}", kind="messaging", queue=cast.company.billing, enqueued_at=now - timedelta(minutes=20),
                deadline=now + timedelta(minutes=deadline), answered_at=minutes[0], ended_at=minutes[1],
                state="canceled" if ended else "assigned" if answered else "queued",
            )  # fmt: skip
        with clock.at(now):
            shown = kim.get(reverse("inbox:board")).context
        standing = next(each.standing for each, _open in shown["queues"] if each.queue == cast.company.billing)
        assert (standing.lately.due, standing.lately.in_time, standing.lately.percent) == (4, 1, 25)
        assert (standing.abandoned, standing.late, standing.waiting, standing.in_work) == (1, 1, 1, 2)
        assert shown["total"].lately.percent == 25
        assert [(each.priority_class, each.waiting) for each in shown["classes"]] == [(3, 1)]

    def test_what_is_asked_for_wrongly_is_left_out(self, cast: Cast, kim: Client) -> None:
        """Unknown queues, teams, states, sizes and null bytes show the whole board."""
        asked = {"queue": "999999", "team": "x", "state": "dancing", "show": "-1", "name": "A\x00nn"}
        answer = kim.get(reverse("inbox:board"), asked)
        assert answer.status_code == 200
        assert len(answer.context["agents"]) == 2

    def test_people_are_chosen_by_name_state_and_queue(self, cast: Cast, kim: Client) -> None:
        """And the line by its queue."""
        waiting(cast)
        presence.set_state(cast.ben, "offline")
        board = reverse("inbox:board")
        states = ("", "offline", "all", "available")
        shown = [[each.name for each, _held in kim.get(board, {"state": state}).context["agents"]] for state in states]
        assert shown == [["Ann"], ["Ben"], ["Ann", "Ben"], []]
        assert [each.name for each, _held in kim.get(board, {"name": "BE", "state": "all"}).context["agents"]] == ["Ben"]
        assert kim.get(board, {"queue": cast.company.billing.pk}).context["line"] == []
        assert len(kim.get(board, {"queue": cast.company.service.pk}).context["line"]) == 1

    def test_htmx_is_given_only_what_changes(self, cast: Cast, kim: Client) -> None:
        """Not the bar, nor the field in which one types."""
        part = kim.get(reverse("inbox:board"), headers={"HX-Request": "true"}).content.decode()
        assert "<html" not in part
        assert "board-filter" not in part

    def test_its_statements_do_not_grow(self, cast: Cast, kim: Client, django_assert_max_num_queries: Callable[..., object]) -> None:
        """However much waits and however many are there."""
        for number in range(3):
            taken(cast, cast.company.agent(f"agent{number}"), f"Customer {number}")
            waiting(cast, f"Waiting {number}")
        with django_assert_max_num_queries(18):  # type: ignore[attr-defined]
            kim.get(reverse("inbox:board"))


class TestQueues:
    def test_pausing_and_going_on(self, live_cast: Cast, live_kim: Client) -> None:
        """Nothing is offered meanwhile; the board says who and why; the log keeps both; twice is once."""
        queue = live_cast.company.service
        assert live_kim.post(address("board-pause", queue.pk), {"why": "Fire drill"}).status_code == 204
        assert live_kim.post(address("board-pause", queue.pk), {"why": "Again"}).status_code == 204
        _conversation, work = waiting(live_cast)
        presence.set_state(live_cast.ann, "available")
        assert fresh_work(work).state == "queued"
        assert "Kim Lee: Fire drill" in live_kim.get(reverse("inbox:board")).content.decode()
        assert live_kim.post(address("board-resume", queue.pk)).status_code == 204
        assert live_kim.post(address("board-resume", queue.pk)).status_code == 204
        assert fresh_work(work).state == "reserved"
        assert sorted(LogEntry.objects.values_list("object_repr", flat=True)) == ["Service goes on", "Service paused: Fire drill"]

    @pytest.mark.parametrize(("why", "said"), [("", "Write why"), ("  ", "Write why"), ("x" * 201, "at most 200"), ("a\x00b", "Null")])
    def test_a_pause_needs_a_reason(self, cast: Cast, kim: Client, why: str, said: str) -> None:
        """The form comes back with the sentence."""
        answer = kim.post(address("board-pause", cast.company.service.pk), {"why": why})
        assert (answer.status_code, said in answer.content.decode()) == (422, True)
        assert Queue.objects.get(pk=cast.company.service.pk).paused_at is None

    def test_a_queue_that_does_not_exist(self, cast: Cast, kim: Client) -> None:
        """Is not found."""
        assert kim.post(address("board-pause", 999_999), {"why": "x"}).status_code == 404


class TestPeople:
    def test_a_supervisor_sets_somebodys_state(self, cast: Cast, kim: Client) -> None:
        """Their own screen says who did it, until they set it themselves; it is logged."""
        AwayReason.objects.create(name="Training")
        assert kim.post(address("board-state", cast.ann.pk), {"state": "away", "away_reason": "Training"}).status_code == 204
        after = Presence.objects.get(agent=cast.ann)
        assert (after.state, after.away_reason, after.set_by) == ("away", "Training", "Kim Lee")
        assert "Kim Lee set you to away: Training." in cast.client(cast.ann).get("/inbox/").content.decode()
        assert LogEntry.objects.get().object_repr == "Ann set to Away: Training"
        cast.client(cast.ann).post("/inbox/presence/", {"state": "available"})
        assert "Kim Lee set you" not in cast.client(cast.ann).get("/inbox/").content.decode()

    @pytest.mark.parametrize("sent", [{}, {"state": "dancing"}, {"state": "away", "away_reason": "Nonsense"}])
    def test_what_is_no_state_is_refused(self, cast: Cast, kim: Client, sent: dict[str, str]) -> None:
        """With the form and the sentence."""
        answer = kim.post(address("board-state", cast.ann.pk), sent)
        assert answer.status_code == 422
        assert "Choose" in answer.content.decode()
        assert Presence.objects.get(agent=cast.ann).set_by == ""

    def test_agents_choose_among_the_reasons_that_managers_keep(self, cast: Cast) -> None:
        """Those that are out of use are neither offered nor taken."""
        AwayReason.objects.create(name="Lunch")
        AwayReason.objects.create(name="Smoking", active=False)
        browser = cast.client(cast.ann)
        dialog = browser.get("/inbox/presence/").content.decode()
        assert ("Lunch" in dialog, "Smoking" in dialog) == (True, False)
        assert browser.post("/inbox/presence/", {"state": "away", "away_reason": "Lunch"}).status_code == 204
        refused = browser.post("/inbox/presence/", {"state": "away", "away_reason": "Smoking"})
        assert (refused.status_code, "no longer used" in refused.content.decode()) == (422, True)
        assert Presence.objects.get(agent=cast.ann).away_reason == "Lunch"


class TestWork:
    def test_the_class_of_waiting_work(self, cast: Cast, kim: Client) -> None:
        """It stands in the history who changed it, once."""
        conversation, work = waiting(cast)
        for _press in range(2):
            assert kim.post(address("board-class", work.pk), {"priority_class": "1"}).status_code == 204
        assert fresh_work(work).priority_class == 1
        assert told(conversation, "work.class_changed") == [("Kim Lee", "From class 3 to class 1.", "staff")]

    @pytest.mark.parametrize("number", ["", "0", "10", "one", "1.5"])
    def test_a_class_that_does_not_exist(self, cast: Cast, kim: Client, number: str) -> None:
        """The dialog comes back with the sentence."""
        _conversation, work = waiting(cast)
        answer = kim.post(address("board-class", work.pk), {"priority_class": number})
        assert (answer.status_code, "to 9" in answer.content.decode()) == (422, True)
        assert fresh_work(work).priority_class == 3

    def test_work_that_somebody_has_keeps_its_class(self, cast: Cast, kim: Client) -> None:
        """The refusal is a sentence."""
        _conversation, work = taken(cast, cast.ann)
        answer = kim.post(address("board-class", work.pk), {"priority_class": "1"})
        assert (answer.status_code, answer.content.decode()) == (409, "Somebody has taken this work meanwhile, or it has ended.")

    def test_waiting_work_is_given_to_somebody(self, cast: Cast, kim: Client) -> None:
        """They are offered it, away as they are; the history says by whom; the conversation stays the AI agent's until they take it."""
        conversation, work = waiting(cast)
        for _press in range(2):
            assert kim.post(address("board-give", work.pk), {"agent": cast.ben.pk}).status_code == 204
        offer = cast.offer(conversation, cast.ben)
        assert (offer.reason, fresh(conversation).owner_kind) == ("Kim Lee gave it to them.", "assistant")
        assert told(conversation, "work.moved") == [("Kim Lee", "Offered to Ben.", "staff")]
        takeover.accept(offer.pk, cast.ben)
        assert fresh(conversation).owner_agent == cast.ben

    def test_what_somebody_has_is_given_to_somebody_else(self, cast: Cast, kim: Client) -> None:
        """In one go: the work, the load, the ownership; the fence rises, so whoever had it can no longer answer."""
        conversation, work = taken(cast, cast.ann)
        assert kim.post(address("board-give", work.pk), {"agent": cast.ben.pk, "seen_with": cast.ann.pk}).status_code == 204
        after = fresh(conversation)
        assert (after.owner_kind, after.owner_agent, after.fence) == ("assistant", None, conversation.fence + 1)
        assert told(conversation, "work.moved") == [("Kim Lee", "Taken from Ann and offered to Ben.", "staff")]
        assert [AgentProfile.objects.get(pk=each.pk).load for each in (cast.ann, cast.ben)] == [0, 2]
        late = cast.client(cast.ann).post(
            reverse("inbox:say", args=[conversation.public_id]), {"text": "Hello", "client_id": "6f1f6f43-3f5e-4f3b-9b7f-0d6a6f9f3a10"}
        )
        assert late.status_code == 409
        takeover.accept(cast.offer(conversation, cast.ben).pk, cast.ben)
        assert fresh(conversation).owner_agent == cast.ben

    def test_what_somebody_has_goes_back_to_the_line(self, cast: Cast, kim: Client) -> None:
        """At its old time; pressing again changes nothing."""
        conversation, work = taken(cast, cast.ann)
        for _press in range(2):
            assert kim.post(address("board-take-back", work.pk), {"seen_with": cast.ann.pk}).status_code == 204
        after = fresh_work(work)
        assert (after.state, after.enqueued_at, fresh(conversation).owner_kind) == ("queued", work.enqueued_at, "assistant")
        assert fresh(conversation).fence == conversation.fence + 1
        assert told(conversation, "work.moved") == [("Kim Lee", "Taken from Ann, back to the line of Service.", "staff")]
        assert AgentProfile.objects.get(pk=cast.ann.pk).load == 0

    def test_what_was_moved_meanwhile_is_not_moved_again(self, cast: Cast, kim: Client) -> None:
        """A supervisor who looked at an old board is told who has it."""
        conversation, work = taken(cast, cast.ben)
        refused = kim.post(address("board-take-back", work.pk), {"seen_with": cast.ann.pk})
        assert (refused.status_code, refused.content.decode()) == (409, "It is with Ben meanwhile. Look again before you move it.")
        assert fresh(conversation).owner_agent == cast.ben
        assert told(conversation, "work.moved") == []

    def test_nobody_without_room_or_presence_is_given_work(self, cast: Cast, kim: Client) -> None:
        """They are no choice, and the dialog says so."""
        conversation, work = waiting(cast)
        AgentProfile.objects.filter(pk=cast.ann.pk).update(capacity=1)
        presence.set_state(cast.ben, "offline")
        for agent in (cast.ann.pk, cast.ben.pk, 999_999, "x", ""):
            answer = kim.post(address("board-give", work.pk), {"agent": agent})
            assert (answer.status_code, "Choose" in answer.content.decode()) == (422, True)
        assert (fresh_work(work).state, told(conversation, "work.moved")) == ("queued", [])

    def test_work_that_ended_meanwhile(self, cast: Cast, kim: Client) -> None:
        """A sentence for each action, and a dialog that says it."""
        conversation, work = taken(cast, cast.ann)
        takeover.close(conversation, cast.ann, cast.solved)
        answers = [
            kim.post(address("board-class", work.pk), {"priority_class": "1"}),
            kim.post(address("board-give", work.pk), {"agent": cast.ben.pk}),
            kim.post(address("board-take-back", work.pk)),
        ]
        assert {(answer.status_code, answer.content.decode()) for answer in answers} == {(409, "This work has ended meanwhile.")}
        assert "This has ended meanwhile." in kim.get(address("board-work", work.pk)).content.decode()

    def test_the_dialog_offers_what_can_be_done(self, cast: Cast, kim: Client) -> None:
        """Waiting work has a class; what somebody has can go back; whoever has it is no choice."""
        _conversation, work = waiting(cast)
        dialog = kim.get(address("board-work", work.pk)).content.decode()
        assert ("priority_class" in dialog, "take-back" in dialog, "Ann · Away · 0 of 6" in dialog) == (True, False, True)
        _conversation, work = taken(cast, cast.ann, "Other")
        dialog = kim.get(address("board-work", work.pk)).content.decode()
        assert ("priority_class" in dialog, "take-back" in dialog, ">Ann · " in dialog) == (False, True, False)

    def test_work_that_is_no_conversation_is_moved_as_well(self, cast: Cast, kim: Client) -> None:
        """Routing serves others, too: then the log keeps who did it."""
        now = clock.now()
        work = WorkItem.objects.create(subject="ticket-7", kind="messaging", queue=cast.company.service, deadline=now)
        assert kim.post(address("board-give", work.pk), {"agent": cast.ben.pk}).status_code == 204
        assert LogEntry.objects.get().object_repr == "messaging ticket-7: Offered to Ben."
        assert "ticket-7" in kim.get(reverse("inbox:board")).content.decode()

    def test_two_supervisors_at_once(self, live_cast: Cast) -> None:
        """Each gives it to another: one does, the other is told, and one agent has one offer."""
        conversation, work = taken(live_cast, live_cast.ann)
        carol = live_cast.company.agent("carol", state="away")
        browsers = [live_cast.client(supervisor(name)) for name in ("kim", "lou")]

        def give(pair: tuple[Client, AgentProfile]) -> int:
            browser, agent = pair
            try:
                sent = {"agent": agent.pk, "seen_with": live_cast.ann.pk}
                return browser.post(address("board-give", work.pk), sent).status_code
            finally:
                connection.close()

        with ThreadPoolExecutor() as pool:
            codes = sorted(pool.map(give, zip(browsers, (live_cast.ben, carol), strict=True)))
        assert codes == [204, 409]
        assert Reservation.objects.filter(work_item=work, state="pending").count() == 1
        assert len(told(conversation, "work.moved")) == 1
        assert fresh(conversation).fence == conversation.fence + 1


class TestAdmin:
    def act(self, browser: Client, model: str, action: str, rows: list[int], **sent: object) -> str:
        there = reverse(f"admin:routing_{model}_changelist")
        return browser.post(there, {"action": action, "_selected_action": rows, **sent}, follow=True).content.decode()

    @pytest.fixture
    def admin(self, cast: Cast) -> Client:
        user = supervisor()
        seen = [f"view_{name}" for name in ("workitem", "queue", "presence", "agentprofile")]
        user.user_permissions.add(*Permission.objects.filter(codename__in=seen))
        return cast.client(user)

    def test_queues(self, cast: Cast, admin: Client) -> None:
        """Paused with a reason and let go on, each logged at the queue."""
        queue = cast.company.service
        assert "Write why" in self.act(admin, "queue", "pause", [queue.pk])
        assert "1 changed" in self.act(admin, "queue", "pause", [queue.pk], why="Fire drill")
        assert Queue.objects.get(pk=queue.pk).paused_by == "Kim Lee"
        self.act(admin, "queue", "resume", [queue.pk])
        assert Queue.objects.get(pk=queue.pk).paused_at is None
        assert list(LogEntry.objects.order_by("pk").values_list("object_id", flat=True)) == [str(queue.pk)] * 2

    @pytest.mark.parametrize("model", ["presence", "agentprofile"])
    def test_people(self, cast: Cast, admin: Client, model: str) -> None:
        """Set to a state, with a reason."""
        AwayReason.objects.create(name="Training")
        assert "1 changed" in self.act(admin, model, "make_away", [cast.ann.pk], away_reason="Training")
        after = Presence.objects.get(agent=cast.ann)
        assert (after.away_reason, after.set_by, LogEntry.objects.get().object_id) == ("Training", "Kim Lee", str(cast.ann.pk))
        self.act(admin, model, "make_available", [cast.ann.pk])
        assert Presence.objects.get(agent=cast.ann).state == "available"

    def test_work(self, cast: Cast, admin: Client) -> None:
        """Its class, who has it, back to the line; what cannot be done is said for each piece, and the rest is done."""
        conversation, work = taken(cast, cast.ann)
        _other, waits = waiting(cast, "Wendy Waits")
        page = self.act(admin, "workitem", "change_class", [work.pk, waits.pk], priority_class="1")
        assert ("1 piece done." in page, "Somebody has taken this work" in page) == (True, True)
        assert fresh_work(waits).priority_class == 1
        assert "Choose the class" in self.act(admin, "workitem", "change_class", [waits.pk], priority_class="12")
        assert "Choose the person" in self.act(admin, "workitem", "give", [work.pk], agent="x")
        self.act(admin, "workitem", "give", [work.pk], agent=cast.ben.pk)
        assert (fresh(conversation).owner_agent, cast.offer(conversation, cast.ben).state) == (None, "pending")
        self.act(admin, "workitem", "take_back", [work.pk])
        assert fresh_work(work).state == "queued"
        assert len(told(conversation, "work.moved")) == 2

    def test_without_the_permission_there_are_no_actions(self, cast: Cast) -> None:
        """Looking is not steering."""
        cast.manager.user_permissions.add(Permission.objects.get(codename="view_workitem"))
        browser = cast.client(cast.manager)
        conversation, work = taken(cast, cast.ann)
        assert "take_back" not in browser.get(reverse("admin:routing_workitem_changelist")).content.decode()
        self.act(browser, "workitem", "take_back", [work.pk])
        assert fresh(conversation).owner_agent == cast.ann


class TestWritingUp:
    def write_up(self, cast: Cast, seconds: int | None) -> Conversation:
        """Ann has written with a customer who has left."""
        cast.company.profile.work_rows.update(wrap_up_seconds=seconds)
        conversation, _work = taken(cast, cast.ann)
        conversation.interactions.update(state="ended", ended_at=clock.now())
        reservations.wrap_up(conversation.public_id.hex)
        return conversation

    def test_it_says_how_long_is_left(self, live_cast: Cast) -> None:
        """Where there is a limit; else only that it goes on."""
        browser = live_cast.client(live_cast.ann)
        limited = browser.get(reverse("inbox:conversation", args=[self.write_up(live_cast, 60).public_id])).content.decode()
        assert re.search(r'id="wrap-up".*closes by itself in.*data-until="20', limited, re.DOTALL)
        endless = browser.get(reverse("inbox:conversation", args=[self.write_up(live_cast, None).public_id])).content.decode()
        assert ("Writing up" in endless, "data-until" in endless) == (True, False)

    def test_when_its_time_is_over_the_conversation_is_closed_without_an_outcome(self, live_cast: Cast) -> None:
        """Nobody has it any more, colleagues read why, and the customer begins anew."""
        conversation = self.write_up(live_cast, 30)
        with clock.at(clock.now() + timedelta(seconds=31)):
            assert reservations.end_wrap_ups() == [conversation.public_id.hex]
        after = fresh(conversation)
        assert (after.status, after.disposition) == ("closed", None)
        sentence = "Ann's time for writing up ran out, so this was closed without an outcome."
        assert told(conversation, "wrap_up.ended") == [("", sentence, "staff")]
        assert Entry.objects.filter(conversation=conversation, kind="conversation.closed").count() == 1

    def test_a_customer_who_is_back_at_that_moment_is_not_closed_upon(self, live_cast: Cast) -> None:
        """Whoever had it has it again."""
        conversation = self.write_up(live_cast, 30)
        conversation.interactions.update(state="active", ended_at=None)
        with clock.at(clock.now() + timedelta(seconds=31)):
            reservations.end_wrap_ups()
        assert (fresh(conversation).status, fresh(conversation).owner_agent) == ("open", live_cast.ann)
        assert Reservation.objects.get(ended_at=None).state == "accepted"

    def test_a_sweep_finds_what_an_event_missed(self, cast: Cast) -> None:
        """The process that should have closed it died."""
        from conversations.flows import tidying

        conversation = self.write_up(cast, 30)
        with clock.at(clock.now() + timedelta(seconds=31)):
            reservations.end_wrap_ups()
        assert fresh(conversation).status == "open", "nothing was committed, so nobody was told"
        assert tidying.leave_nobody_without_work() == 1
        assert (fresh(conversation).status, tidying.leave_nobody_without_work()) == ("closed", 0)

    def test_what_somebody_works_on_is_left_alone(self, cast: Cast) -> None:
        """The sweep looks for what has no work."""
        from conversations.flows import tidying

        conversation, _work = taken(cast, cast.ann)
        assert (tidying.leave_nobody_without_work(), fresh(conversation).status) == (0, "open")


class TestOutcomes:
    def close(self, cast: Cast, **sent: object) -> tuple[int, str, Conversation]:
        conversation, _work = taken(cast, cast.ann)
        answer = cast.client(cast.ann).post(reverse("inbox:close", args=[conversation.public_id]), sent)
        return answer.status_code, answer.content.decode(), fresh(conversation)

    def test_a_queue_may_ask_for_an_outcome(self, cast: Cast) -> None:
        """The dialog says what is missing, and the service refuses as well."""
        status, said, conversation = self.close(cast)
        assert (status, "Choose how it ended." in said, conversation.status) == (422, True, "open")
        with pytest.raises(takeover.OutcomeMissing):
            takeover.close(conversation, cast.ann, None)
        assert fresh(conversation).status == "open"

    def test_or_not(self, cast: Cast) -> None:
        """Then it is closed with one or without."""
        Queue.objects.update(outcome_required=False)
        assert self.close(cast)[0] == 204
        status, _said, conversation = self.close(cast, disposition=cast.solved.pk)
        assert (status, conversation.disposition) == (204, cast.solved)
