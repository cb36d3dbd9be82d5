"""The product under the simulator's faults: what callers and the record see of webhooks and requests that go wrong."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from conversations.models import Entry, EntryPoint, Interaction, WebhookRecord
from conversations.voice import gateway, ncco, placing
from conversations.voice.gateway import GatewayError, TooManyRequests
from tests.support.processes import WebProcess, running_web
from tests.voice.test_simulator import AGENTS_PHONE, Phone, eventually

pytestmark = pytest.mark.two_processes
COMPANY = "+441632960100"


@pytest.fixture(scope="module")
def web(company: None, django_db_blocker: Any) -> Iterator[WebProcess]:
    with django_db_blocker.unblock(), running_web(1) as processes:
        yield processes[0]


@pytest.fixture
def server(web: WebProcess, number: EntryPoint, settings: Any) -> Iterator[WebProcess]:
    settings.PORT, settings.PUBLIC_URL = web.port, web.url
    yield web
    httpx.delete(f"{web.url}/simulator/faults/", trust_env=False)


def dialled(server: WebProcess, *faults: str) -> Phone:
    phone = Phone(server.url)
    assert phone.dial(faults=list(faults)).status_code == 201
    return phone


def befall(server: WebProcess, *requests: str) -> None:
    """What befalls the next REST requests."""
    answer = httpx.put(f"{server.url}/simulator/faults/", json={"requests": requests}, trust_env=False)
    assert answer.json()["requests"] == list(requests)


@pytest.mark.parametrize(
    "fault",
    [
        "answered-in-time",
        "answered-too-late",
        "answered-too-late-twice",
        "refused-twice",
        "events-twice",
        "replayed",
        "clock-behind",
        "another-region",
    ],
)
def test_the_caller_is_greeted_once(server: WebProcess, fault: str) -> None:
    phone = dialled(server, fault)
    phone.until(lambda state: state["doing"] == "listening")
    assert sum("AI assistant" in line for line in phone.heard()) == 1
    phone.do("say", text="my boiler leaks")
    phone.until_heard("colleague")
    phone.do("hang_up")
    phone.until_over()
    eventually(lambda: Interaction.objects.get(provider_id=phone.leg).state == "ended")
    assert [entry.body for entry in Entry.objects.filter(actor_kind="customer", kind="message")] == ["my boiler leaks"]


def test_a_product_that_starts_anew_cuts_no_caller_off(server: WebProcess) -> None:
    """Whoever is listened to in vain is asked again, and served as soon as somebody is there to answer."""
    phone = dialled(server, "away-for-a-while")
    phone.until(lambda state: state["doing"] == "listening")
    phone.do("say", text="my boiler leaks")
    phone.until_heard("Sorry, something went wrong on our side.")
    phone.until_heard("Sorry, I did not hear anything.")
    phone.do("say", text="my boiler leaks")
    phone.until_heard("colleague")
    assert [entry.body for entry in Entry.objects.filter(actor_kind="customer", kind="message")] == ["my boiler leaks"]


@pytest.mark.parametrize("fault", ["answer-lost", "input-fails", "emptied"])
def test_what_was_said_is_kept_once_when_its_answer_does_not_come_back(server: WebProcess, fault: str) -> None:
    phone = dialled(server, fault)
    phone.until(lambda state: state["doing"] == "listening")
    phone.do("say", text="my boiler leaks")
    if fault == "answer-lost":
        phone.until_heard("colleague")
    else:
        phone.until_heard("Sorry, something went wrong on our side.")
        phone.do("hang_up")
        phone.until_over()
    said = Entry.objects.filter(actor_kind="customer", kind="message")
    assert [entry.body for entry in said] == ([] if fault == "input-fails" else ["my boiler leaks"])


@pytest.mark.parametrize("fault", ["clock-ahead", "wrong-hash", "unsigned"])
def test_what_is_not_surely_the_platforms_is_refused_and_leaves_nothing(server: WebProcess, fault: str) -> None:
    phone = dialled(server, fault)
    assert phone.until_over()["status"] == "failed"
    assert not Interaction.objects.exists()
    assert not WebhookRecord.objects.exists()


@pytest.mark.parametrize("fault", ["cut", "slow"])
def test_a_phone_rings_once_when_the_answer_to_the_request_is_lost(server: WebProcess, fault: str) -> None:
    befall(server, fault)
    placed = placing.place(ring, to=AGENTS_PHONE, caller=COMPANY)
    rings = [leg["leg"] for leg in Phone(server.url).ringing()]
    assert rings == [placed.call_id]


@pytest.mark.parametrize(
    ("fault", "error"), [("429", TooManyRequests), ("500", GatewayError), ("503", GatewayError), ("lost", GatewayError)]
)
def test_a_request_that_did_nothing_is_an_error_and_rings_nothing(server: WebProcess, fault: str, error: type[Exception]) -> None:
    befall(server, *[fault] * 3)
    with pytest.raises(error):
        placing.place(ring, to=AGENTS_PHONE, caller=COMPANY)
    assert not Phone(server.url).ringing()


def ring() -> gateway.PlacedCall:
    return gateway.create_call(
        to=AGENTS_PHONE, caller=COMPANY, ncco=ncco.silence(60), event_url=ncco.webhook_url("voice:event"), ring_seconds=60
    )
