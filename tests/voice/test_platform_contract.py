"""What we count on from the phone platform's REST side: the same tests for the simulator and, with credentials, for the real service.

The real service is asked when the environment names an application of its own for this: CONTRACT_VONAGE_APPLICATION_ID,
CONTRACT_VONAGE_PRIVATE_KEY (the key or the path of its file), CONTRACT_VONAGE_NUMBER (one of the account's numbers) and
CONTRACT_VONAGE_TO (a phone that may ring for some seconds; it costs what a call costs). CONTRACT_VONAGE_URL names another
stand-in instead.
"""

import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from conversations.models import EntryPoint
from conversations.voice import gateway, ncco
from conversations.voice.gateway import CallGone, GatewayError
from cxhub.secret_files import kept_private_key
from tests.support.processes import WebProcess, running_web
from tests.voice.rest_side import Platform

pytestmark = pytest.mark.two_processes
NAMES = ("APPLICATION_ID", "PRIVATE_KEY", "NUMBER", "TO")
NOBODY = "6f336064-26fc-443c-afc7-b283972b326a"
PATIENCE_SECONDS = 30.0


class Service:
    """A phone platform, our number on it, and a phone that it can ring."""

    def __init__(self, number: str, phone: str, events: str) -> None:
        self.number, self.phone, self.events = number, phone, events

    def ring(self, **asked: Any) -> gateway.PlacedCall:
        what = {"ncco": ncco.silence(10), "ring_seconds": 20, "event_url": self.events} | asked
        return gateway.create_call(to=self.phone, caller=self.number, **what)


@pytest.fixture(scope="module")
def web(company: None, django_db_blocker: Any) -> Iterator[WebProcess]:
    with django_db_blocker.unblock(), running_web(1) as processes:
        yield processes[0]


@pytest.fixture(params=["simulator", "service"])
def platform_service(request: pytest.FixtureRequest, number: EntryPoint, web: WebProcess, settings: Any) -> Service:
    if request.param == "simulator":
        settings.PORT, settings.PUBLIC_URL = web.port, web.url
        return Service("+441632960100", "+441632960111", ncco.webhook_url("voice:event"))
    given = {name: os.environ.get(f"CONTRACT_VONAGE_{name}", "") for name in NAMES}
    missing = [f"CONTRACT_VONAGE_{name}" for name, value in given.items() if not value]
    if missing:
        pytest.skip(f"the real service is asked only with {', '.join(missing)}")
    key = given["PRIVATE_KEY"]
    settings.VONAGE_GATEWAY, settings.VONAGE_API_URL = "vonage", os.environ.get("CONTRACT_VONAGE_URL", "")
    settings.VONAGE_APPLICATION_ID = given["APPLICATION_ID"]
    settings.VONAGE_PRIVATE_KEY = key if key.startswith("-----BEGIN") else Path(key).read_text()
    return Service(given["NUMBER"], given["TO"], "https://example.com/voice/event/")


def until_gone(call_id: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while gateway.is_live(call_id):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_call_rings_is_listed_and_can_be_ended(platform_service: Service) -> None:
    began = timezone.now() - timedelta(minutes=1)
    placed = platform_service.ring()
    assert placed.room_id.startswith("CON-")
    assert gateway.is_live(placed.call_id)
    (listed,) = (each for each in gateway.records(since=began) if each["uuid"] == placed.call_id)
    assert (listed["direction"], listed["to"]["type"], listed["from"]["type"]) == ("outbound", "phone", "phone")
    assert listed["to"]["number"] == platform_service.phone.removeprefix("+")
    gateway.hang_up(placed.call_id)
    until_gone(placed.call_id)
    assert gateway.record(placed.call_id)["status"] in ("cancelled", "completed", "failed")


def test_a_call_that_is_over_can_be_asked_for_nothing(platform_service: Service) -> None:
    placed = platform_service.ring()
    gateway.hang_up(placed.call_id)
    until_gone(placed.call_id)
    for ask in (
        lambda: gateway.hang_up(placed.call_id),
        lambda: gateway.transfer(placed.call_id, ncco.silence(1)),
        lambda: gateway.say(placed.call_id, "Hello", language="en-GB"),
    ):
        with pytest.raises(CallGone):
            ask()


def test_a_call_that_nobody_knows_is_gone(platform_service: Service) -> None:
    assert not gateway.is_live(NOBODY)
    with pytest.raises(CallGone):
        gateway.hang_up(NOBODY)


def test_what_no_call_can_be_made_of_is_refused(platform_service: Service) -> None:
    with pytest.raises(GatewayError):
        platform_service.ring(ncco=[{"action": "sing"}])
    with pytest.raises(GatewayError):
        platform_service.ring(ring_seconds=100_000)


def test_another_key_opens_nothing(platform_service: Service, settings: Any, tmp_path: Path) -> None:
    settings.VONAGE_PRIVATE_KEY = kept_private_key(tmp_path, "another")
    with pytest.raises(GatewayError):
        platform_service.ring()


def test_a_time_to_come_has_no_calls(platform_service: Service) -> None:
    assert not list(gateway.records(since=timezone.now() + timedelta(days=1)))


def test_any_other_stand_in_can_be_put_there(platform: Platform, settings: Any) -> None:
    """By its address; it is told for which of the platform's hosts each request was meant."""
    settings.VONAGE_GATEWAY, settings.VONAGE_API_URL = "vonage", f"http://127.0.0.1:{settings.PORT}/vonage/"
    gateway.hang_up(NOBODY, region_url="https://api-us-2.nexmo.com")
    assert platform.requests == [("PUT", f"/vonage/v1/calls/{NOBODY}", {"action": "hangup"})]
