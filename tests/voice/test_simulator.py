"""Calls over real HTTP: the simulator's phone, its webhooks, the gateway with the real SDK, and a person's phone."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from conversations.flows import outbound, supervising
from conversations.models import CallSeat, Conversation, Entry, EntryPoint, Interaction
from conversations.services import ownership
from conversations.services.delivery import CannotConnect
from conversations.voice import gateway, hosts, ncco, reconciling
from conversations.voice.gateway import CallGone, GatewayError
from cxhub.secret_files import kept_private_key
from routing.models import AgentProfile, WorkItem
from routing.services import reservations
from tests.record import rows
from tests.support.processes import WebProcess, running_web

pytestmark = pytest.mark.two_processes
PATIENCE_SECONDS = 60.0
AGENTS_PHONE = "+441632960111"


class Phone:
    """A telephone at the simulator: dials, speaks, presses keys, and remembers what it heard."""

    def __init__(self, url: str, *, leg: str = "") -> None:
        self.http = httpx.Client(base_url=url, timeout=15, trust_env=False, verify=False)
        self.http.get("/simulator/phone/")
        self.leg = leg

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        token = self.http.cookies["csrftoken"]
        return self.http.post(path, json=body, headers={"X-CSRFToken": token, "Referer": str(self.http.base_url)})

    def dial(self, number: str = "+441632960100", caller: str = "07700 900123", **options: Any) -> httpx.Response:
        body = {"from": caller, "to": number, "options": {"speed": 20, "patience": 100} | options}
        response = self.post("/simulator/phone/calls/", body)
        self.leg = response.json().get("leg", "")
        return response

    def do(self, what: str, **more: str) -> int:
        return self.post(f"/simulator/phone/calls/{self.leg}/act/", {"do": what, **more}).status_code

    def look(self) -> dict[str, Any]:
        state: dict[str, Any] = self.http.get(f"/simulator/phone/calls/{self.leg}/").json()
        return state

    def until(self, condition: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """The leg's state when `condition` first holds for it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            state = self.look()
            if condition(state):
                return state
            assert time.monotonic() < deadline, "\n".join(line["text"] for line in state["lines"])
            time.sleep(0.05)

    def until_heard(self, words: str, who: str = "company") -> None:
        self.until(lambda state: any(words in line["text"] for line in state["lines"] if line["who"] == who))

    def heard(self, who: str = "company") -> list[str]:
        return [line["text"] for line in self.look()["lines"] if line["who"] == who]

    def until_over(self) -> dict[str, Any]:
        return self.until(lambda state: state["ended"])

    def ringing(self) -> list[dict[str, Any]]:
        legs: list[dict[str, Any]] = self.http.get("/simulator/phone/ringing/").json()["legs"]
        return legs


def eventually(condition: Callable[[], Any]) -> Any:
    """What `condition` returns once it is true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def web(company: None, django_db_blocker: Any) -> Iterator[WebProcess]:
    """A web process that waits for no reply, so that each is put into the live call through its gateway."""
    with django_db_blocker.unblock(), running_web(1, VOICE_REPLY_BUDGET_MS="0") as processes:
        yield processes[0]


@pytest.fixture
def server(web: WebProcess, number: EntryPoint, settings: Any) -> WebProcess:
    """The web process, which this process's gateway reaches too."""
    settings.PORT = web.port
    settings.PUBLIC_URL = web.url
    return web


@pytest.fixture
def phone(server: WebProcess) -> Phone:
    return Phone(server.url)


@pytest.fixture
def call(phone: Phone) -> Phone:
    """A call that was answered and listens."""
    assert phone.dial().status_code == 201
    phone.until(lambda state: state["doing"] == "listening")
    return phone


def interaction(call: Phone) -> Interaction:
    return Interaction.objects.select_related("conversation").get(provider_id=call.leg)


def test_a_whole_call(call: Phone) -> None:
    """Dialled in local form, answered, spoken, answered late, hung up: one interaction with its times.

    The webhook says “one moment” at once; the reply is put into the live call when it is there, once.
    """
    assert "AI assistant" in call.heard()[0]
    call.do("say", text="my boiler leaks")
    call.until_heard("colleague")
    assert call.heard()[1] == "One moment, please."
    assert sum("colleague" in line for line in call.heard()) == 1
    call.do("hang_up")
    assert call.until_over()["status"] == "completed"
    eventually(lambda: interaction(call).state == "ended")
    row = interaction(call)
    assert (row.party, row.end_reason) == ("+447700900123", "completed")
    assert row.answered_at is not None
    assert [entry.body for entry in Entry.objects.filter(actor_kind="customer", kind="message")] == ["my boiler leaks"]
    assert call.do("say", text="anybody there") == 404


def test_words_over_a_prompt_cut_it_short(phone: Phone) -> None:
    """Barge-in: what is said while the voice speaks is taken at once."""
    phone.dial(speed=0.2)
    phone.until(lambda state: state["doing"] == "speaking")
    phone.do("say", text="I want a person")
    phone.until_heard("colleague")


def test_keys_make_a_code(phone: Phone) -> None:
    phone.dial(speed=1)
    phone.until(lambda state: state["doing"] in ("speaking", "listening"))
    for digit in "123456":
        phone.do("key", digit=digit)
    phone.until_heard("do not know that code")


def test_repeated_and_late_events_leave_one_call(phone: Phone) -> None:
    """Every event twice, in any order, all after the call is over."""
    phone.dial(repeat_events=2, shuffle_events=True)
    phone.until(lambda state: state["doing"] == "listening")
    phone.do("hang_up")
    phone.until_over()
    eventually(lambda: interaction(phone).state == "ended")
    assert interaction(phone).end_reason == "completed"
    eventually(lambda: Entry.objects.filter(kind="call.answered").count() == 1)
    assert Entry.objects.filter(kind="interaction.ended").count() == 1


def test_a_number_that_cannot_be_dialled(phone: Phone) -> None:
    response = phone.dial("not a number")
    assert response.status_code == 400
    assert "not a number" in response.json()["reason"]


@pytest.mark.parametrize(
    "body",
    [{"do": "dance"}, {"do": "say"}, {"do": "say", "text": " "}, {"do": "key", "digit": "x"}, {"do": "key", "digit": []}, {"do": []}, {}],
)
def test_a_phone_refuses_what_it_cannot_do(call: Phone, body: dict[str, Any]) -> None:
    assert call.post(f"/simulator/phone/calls/{call.leg}/act/", body).status_code == 400


class TestGateway:
    """The same calls that reach the real platform, made by the real SDK."""

    def test_a_transfer_replaces_what_the_call_is_doing(self, call: Phone) -> None:
        gateway.transfer(call.leg, ncco.reply("Something new.", language="en-GB"))
        call.until_heard("Something new.")

    def test_something_can_be_said_beside_it(self, call: Phone) -> None:
        gateway.say(call.leg, "A word between.", language="en-GB")
        call.until_heard("A word between.")
        assert call.look()["doing"] == "listening"

    def test_a_call_can_be_ended(self, call: Phone) -> None:
        gateway.hang_up(call.leg)
        call.until_over()
        with pytest.raises(CallGone):
            gateway.hang_up(call.leg)
        with pytest.raises(CallGone):
            gateway.transfer(call.leg, [])

    def test_a_call_can_be_placed(self, phone: Phone) -> None:
        placed = gateway.create_call(
            to=AGENTS_PHONE,
            caller="+441632960100",
            ncco=ncco.goodbye("Hello.", language="en-GB"),
            event_url=ncco.webhook_url("voice:event"),
            ring_seconds=30,
        )
        phone.leg = placed.call_id
        phone.until(lambda state: state["status"] == "ringing")
        phone.do("answer")
        phone.until_heard("Hello.")
        assert phone.until_over()["status"] == "completed"

    @pytest.mark.parametrize("call_id", ["../../v1/calls", "not-a-call", "", "6f336064-26fc-443c-afc7-b283972b326a"])
    def test_unknown_calls_are_gone_and_paths_stay_paths(self, server: WebProcess, call_id: str) -> None:
        with pytest.raises(CallGone):
            gateway.hang_up(call_id)

    def test_what_the_platform_refuses_is_an_error(self, call: Phone) -> None:
        with pytest.raises(GatewayError):
            gateway.transfer(call.leg, [{"action": "sing"}])

    def test_another_key_opens_nothing(self, call: Phone, settings: Any, tmp_path: Path) -> None:
        settings.VONAGE_PRIVATE_KEY = kept_private_key(tmp_path / "another", "key")
        with pytest.raises(GatewayError):
            gateway.hang_up(call.leg)

    def test_a_platform_that_is_away_is_an_error(self, number: EntryPoint, settings: Any) -> None:
        settings.PORT = 1
        with pytest.raises(GatewayError, match="could not be reached"):
            gateway.hang_up("6f336064-26fc-443c-afc7-b283972b326a")

    def test_no_platform_is_a_clear_refusal(self, number: EntryPoint, settings: Any) -> None:
        settings.VONAGE_GATEWAY = "off"
        with pytest.raises(GatewayError):
            gateway.hang_up("6f336064-26fc-443c-afc7-b283972b326a")

    @pytest.mark.parametrize(
        ("region_url", "host"),
        [
            ("https://api-eu-1.nexmo.com", "api-eu-1.nexmo.com"),
            ("https://api-ap-3.vonage.com/", "api-ap-3.vonage.com"),
            ("", "api.nexmo.com"),
            ("http://api-eu-1.nexmo.com", "api.nexmo.com"),
            ("https://api.nexmo.com.evil.test", "api.nexmo.com"),
            ("https://evil.test/?x=.nexmo.com", "api.nexmo.com"),
            ("https://evil-nexmo.com", "api.nexmo.com"),
            ("nonsense", "api.nexmo.com"),
            ("https://[", "api.nexmo.com"),
        ],
    )
    def test_our_token_only_goes_to_the_platform(self, region_url: str, host: str) -> None:
        """The address came in a webhook; the SDK would send the token anywhere."""
        assert hosts.of_region(region_url) == host


class TestPerson:
    """A person answers a call: by message, or on their own phone."""

    @pytest.fixture
    def ann(self, call: Phone) -> Iterator[AgentProfile]:
        agent = rows.agent("Ann", phone_number=AGENTS_PHONE)
        with transaction.atomic():
            ownership.give_to_human(interaction(call).conversation, agent)
        yield agent
        Conversation.objects.all().update(owner_kind="assistant", owner_agent=None)

    def agents_phone(self, call: Phone) -> Phone:
        leg = eventually(lambda: [leg for leg in call.ringing() if leg["status"] == "ringing"])[-1]
        assert leg["to"] == AGENTS_PHONE.removeprefix("+")
        return Phone(str(call.http.base_url), leg=leg["leg"])

    def test_what_a_person_writes_is_spoken(self, call: Phone, ann: AgentProfile) -> None:
        outbound.say_as_agent(interaction(call).conversation, ann, "I am on my way to HB1 4QT.", client_id="one")
        call.until_heard("Ann says: I am on my way to H B 1, 4 Q T.")

    def test_a_person_is_put_on_the_line_and_leaves_it(self, call: Phone, ann: AgentProfile) -> None:
        """Told what it is about, accepting with a key, talking; the caller's call outlives the person's."""
        outbound.connect_call(interaction(call).conversation, ann)
        with pytest.raises(CannotConnect):
            outbound.connect_call(interaction(call).conversation, ann)
        theirs = self.agents_phone(call)
        theirs.do("answer")
        theirs.until_heard("Press 1 to be connected")
        theirs.do("key", digit="1")
        theirs.until(lambda state: state["doing"] == "connected")
        call.until(lambda state: state["doing"] == "connected")
        theirs.do("say", text="Hello Sam")
        call.until_heard("Hello Sam", who="other")
        call.do("say", text="Hello Ann")
        theirs.until_heard("Hello Ann", who="other")
        theirs.do("hang_up")
        call.until_heard("Ann has left the call.")
        kinds = Entry.objects.filter(kind__startswith="call.").order_by("pk").values_list("kind", flat=True)
        assert list(kinds) == ["call.answered", "call.ringing", "call.connected_to_agent", "call.left"]

    def test_a_phone_that_is_not_picked_up_gives_the_caller_back(self, call: Phone, ann: AgentProfile) -> None:
        outbound.connect_call(interaction(call).conversation, ann)
        self.agents_phone(call).do("decline")
        call.until_heard("Ann could not pick up the phone")
        eventually(lambda: Entry.objects.filter(kind="call.not_connected").exists())

    def test_an_answering_machine_takes_nobody(self, call: Phone, ann: AgentProfile) -> None:
        """Without the key the person's leg ends and the caller comes back."""
        outbound.connect_call(interaction(call).conversation, ann)
        theirs = self.agents_phone(call)
        theirs.do("answer")
        theirs.until_heard("Press 1")
        theirs.do("key", digit="2")
        theirs.until_over()
        call.until_heard("Ann could not pick up the phone")

    def test_a_caller_who_hangs_up_ends_the_persons_leg(self, call: Phone, ann: AgentProfile) -> None:
        outbound.connect_call(interaction(call).conversation, ann)
        theirs = self.agents_phone(call)
        call.do("hang_up")
        call.until_over()
        theirs.until_over()

    def test_a_person_whose_call_a_supervisor_takes_back_is_rung_no_longer(self, call: Phone, ann: AgentProfile) -> None:
        """The caller is told, with the work back in its line; `test_seats` does it in the middle of a talk."""
        kim, _made = User.objects.get_or_create(username="kim")
        conversation = interaction(call).conversation
        reservations.assign(subject=conversation.public_id.hex, kind="live_voice", agent=ann)
        outbound.connect_call(conversation, ann)
        theirs = self.agents_phone(call)
        supervising.take_back(WorkItem.objects.get(), by=kim, seen_with=ann.pk)
        theirs.until_over()
        call.until_heard("Ann is not on the call any more.")
        assert WorkItem.objects.get().state == "queued"
        assert not CallSeat.objects.filter(ended_at=None).exists()

    def test_no_call_no_phone(self, call: Phone, ann: AgentProfile) -> None:
        call.do("hang_up")
        call.until_over()
        eventually(lambda: interaction(call).state == "ended")
        with pytest.raises(CannotConnect):
            outbound.connect_call(interaction(call).conversation, ann)


def test_the_page_shows_what_the_address_says(phone: Phone) -> None:
    """Number, caller and code are filled in; script in them stays text."""
    page = phone.http.get("/simulator/phone/", params={"to": "441632960100", "from": "447700900555", "code": "482913"}).text
    assert 'value="+441632960100"' in page
    assert 'value="+447700900555"' in page
    assert 'data-code="482913"' in page
    evil = phone.http.get("/simulator/phone/", params={"from": '"><script>', "code": "<script>"}).text
    assert "<script>" not in evil.replace('<script src="', "").replace("<script type", "")


def test_open_phones_leave_the_database_to_others(number: EntryPoint) -> None:
    """A page holds its stream for as long as it is open, and there may be more of them than connections."""
    with running_web(1, DATABASE_POOL_SIZE="2") as (process,), ExitStack() as stack:
        http = stack.enter_context(httpx.Client(base_url=process.url, timeout=15, trust_env=False))
        kept = []
        for _phone in range(4):
            stream = stack.enter_context(http.stream("GET", "/simulator/phone/stream/", params={"number": "+447700900123"}))
            # Let go of, the rest of the lines would end the stream.
            kept.append(stream.iter_lines())
            assert next(kept[-1]) == "retry: 1000"
        assert http.get("/simulator/phone/").status_code == 200


def test_the_list_of_calls_has_the_call_as_the_record_has_it(call: Phone) -> None:
    """By the SDK's client, with the filters of the platform: a live call, and the same one when it is over."""
    since = timezone.now() - timedelta(minutes=5)
    (live,) = (each for each in gateway.records(since=since) if each["uuid"] == call.leg)
    assert (live["status"], live["direction"], "end_time" in live) == ("answered", "inbound", False)
    call.do("hang_up")
    call.until_over()
    eventually(lambda: interaction(call).state == "ended")
    (over,) = (each for each in gateway.records(since=since) if each["uuid"] == call.leg)
    assert (over["status"], over["to"]) == ("completed", {"type": "phone", "number": "441632960100"})
    assert not list(gateway.records(since=timezone.now() + timedelta(minutes=5)))
    assert reconciling.reconcile(since=since).news == 0
