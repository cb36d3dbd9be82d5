"""Before anything is said, the chat and the company's pages say truly who answers, and when."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from conversations.chat import delivery
from conversations.models import AssistantSwitch, EntryPoint
from conversations.services import roll_out
from routing.models import ServiceHours
from tests.record import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def door() -> Iterator[EntryPoint]:
    found = rows.entry_point()
    yield found
    AssistantSwitch.objects.all().delete()


def page(client: Client) -> str:
    return client.get("/harborhome").content.decode()


@pytest.mark.parametrize("by", ["stopped", "shadow", "share", "hours"])
def test_where_the_ai_agent_does_not_answer_nobody_says_that_it_does(client: Client, door: EntryPoint, by: str) -> None:
    assert "and the AI agent answers at once" in page(client)
    assert "The AI agent answers straight away" in page(client)
    assert delivery.opening(door)["answers"] == "assistant"
    match by:
        case "stopped":
            roll_out.stop(by="Mona", why="It promises refunds.")
        case "shadow":
            EntryPoint.objects.update(mode="shadow")
        case "share":
            EntryPoint.objects.update(live_share_percent=0)
        case "hours":
            always = ServiceHours.objects.create(code="always", name="Always", time_zone="UTC", expression="24/7")
            EntryPoint.objects.update(live_hours="outside", hours=always)
    door.refresh_from_db()
    told = page(client)
    assert "AI agent" not in told.split("<main")[1].split("</section>")[0]
    assert "The chat answers day and night" not in told
    assert "AI agent" not in told
    opening = delivery.opening(door)
    assert opening["answers"] == "people"
    assert opening["greeting"].startswith("Hello, this is the chat of Harbor Home Services. One of our team answers you here")


def test_a_share_may_meet_either(client: Client, door: EntryPoint) -> None:
    EntryPoint.objects.update(live_share_percent=50)
    door.refresh_from_db()
    opening = delivery.opening(door)
    assert opening["answers"] == "either"
    assert opening["greeting"].endswith("Our AI agent or one of our team answers you here.")
    assert "The chat answers day and night" not in page(client)
