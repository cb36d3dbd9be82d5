"""After an erasure nothing in the database, the logs, the cache and the stored files names the person; the reports say the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from channels.db import database_sync_to_async
from pytest_django import DjangoDbBlocker

from conversations import tasks
from conversations.models import Conversation, Customer, Entry, ErasureRequest
from conversations.services import async_connections, stored_files
from reporting.metrics import METRICS
from reporting.period import Period
from tests.record import story_of_sam as story
from tests.support.company import demo_company, empty_the_record


@pytest.fixture(scope="module")
def company(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The demo company, loaded once."""
    with django_db_blocker.unblock(), demo_company():
        yield


@pytest.fixture
def transactional_db(company: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The company with an empty record. Stands in for pytest-django's fixture, which would empty every table."""
    with django_db_blocker.unblock():
        yield
        empty_the_record()


@pytest.fixture(autouse=True)
async def _closed_pool() -> Any:
    yield
    await async_connections.close()


def found(secrets: set[str], text: str) -> dict[str, str]:
    """Each secret that stands in a text, with what stands around it."""
    lower = text.lower()
    return {
        secret: text[max(0, lower.index(secret.lower()) - 150) : lower.index(secret.lower()) + 60]
        for secret in sorted(secrets)
        if secret.lower() in lower
    }


def figures() -> dict[str, Any]:
    period = Period.ending_today(2)
    return {
        code: [(each.numerator, each.denominator) for each in metric.daily(period)]
        for code, metric in METRICS.items()
        if code != "routing_consistency"  # a forgotten decision cannot be asked again
    }


async def test_nothing_names_the_person_and_everything_still_counts(transactional_db: None, settings: Any) -> None:
    settings.VOICE_REPLY_BUDGET_MS = 20_000
    settings.CHAT_MESSAGES_PER_SECOND = 1000
    with story.captured_logs() as logs:
        told = await story.tell()
        await database_sync_to_async(_erased)(told)
        log = logs.getvalue()
    assert "Not Found" in log
    assert found(told.secrets, log) == {}


def _erased(told: story.Story) -> None:
    before = story.dump()
    assert set(found(told.secrets, before)) >= {story.NAME, story.EMAIL, "zebra", "quokka", "xylophone", "+447700900123", *story.NOTES}
    assert story.stored().count(story.FILE.decode()) == len(stored_files.STORAGES)
    counted = figures(), Conversation.objects.count(), Entry.objects.count()
    maya = story.signed_in("maya")
    page = maya.post(f"/admin/conversations/erasurerequest/start/{told.customer}/", {"ground": "asked", "case": "T-12", "word": "erase"})
    assert page.status_code == 302, page.context["form"].errors
    assert tasks.erase_people() == 1
    row = ErasureRequest.objects.get()
    assert row.state == "done", list(row.steps.exclude(state="done").values_list("name", "error"))
    assert found(told.secrets, story.dump()) == {}
    assert found(told.secrets, story.stored()) == {}
    assert found(told.secrets, story.valkey()) == {}
    assert (figures(), Conversation.objects.count(), Entry.objects.count()) == counted
    report = maya.get(page.url).content.decode()
    assert found(told.secrets, report) == {}
    assert str(Customer.objects.get(pk=told.customer)) == f"Erased customer {told.customer}"
    history = maya.get(f"/admin/conversations/customer/{told.customer}/change/").content.decode()
    assert "Removed: erased on" in history
    assert "by maya" in history
