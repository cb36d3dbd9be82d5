"""The company's number, and calls to it."""

from collections.abc import AsyncIterator, Iterator

import pytest
from django.core.management import call_command
from pytest_django import DjangoDbBlocker, Settings

from conversations.models import EntryPoint, WebhookRecord
from conversations.services import async_connections, calling_rules
from conversations.voice.simulator.checking import InvalidNcco, checked
from tests.record import rows
from tests.support.emptying.rows import empty
from tests.voice import exchange_side
from tests.voice.exchange_side import Application
from tests.voice.file_side import Files, keeping_files
from tests.voice.people import AGENTS_PHONE, BENS_PHONE, Line, asking_for_a_person
from tests.voice.platform import Caller, longest_silence
from tests.voice.rest_side import Platform, serving

LONGEST_SILENCE = 4
"""Seconds for which a caller may hear nothing, whatever happens."""


@pytest.fixture(scope="package")
def company(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The company and its number, made once; every need that is spoken goes to a person, whose coming is announced."""
    with django_db_blocker.unblock():
        call_command("flush", interactive=False, reset_sequences=False, verbosity=0)
        rows.everybody_to_people()
        rows.phone_line()
        calling_rules.lay_down()
        yield
        call_command("flush", interactive=False, reset_sequences=False, verbosity=0)


@pytest.fixture
def transactional_db(company: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The company with an empty record; what a test writes is gone afterwards.

    Stands in for pytest-django's fixture of this name, which would empty every table: webhooks write through connections
    of their own, so nothing of this can live in a transaction that is rolled back.
    """
    with django_db_blocker.unblock():
        yield
        refused = refused_nccos()
        empty(
            "conversations_customer", "conversations_webhookrecord", "conversations_chatsessionrecord", "conversations_suppression",
            "conversations_outsidenumber", "routing_decision", "routing_workitem",
            then=["UPDATE conversations_entrypoint SET mode = 'live'"],
        )  # fmt: skip
        assert refused == [], "an answer to a webhook is not what the platform takes"


def refused_nccos() -> list[tuple[str, object]]:
    """What was answered to webhooks, in any test, and the platform would refuse, drop something of, or be silent for too long at.

    So every flow is looked at.
    """
    refused = []
    for kind, answer in WebhookRecord.objects.filter(answered_at__isnull=False).values_list("kind", "answer"):
        try:
            assert longest_silence(checked(answer or [])) <= LONGEST_SILENCE
        except (InvalidNcco, AssertionError):
            refused.append((kind, answer))
    return refused


@pytest.fixture
def number(transactional_db: None) -> EntryPoint:
    """The company's number."""
    return EntryPoint.objects.get(channel="voice")


@pytest.fixture
def caller(number: EntryPoint) -> Caller:
    """Sam, about to call."""
    return Caller()


@pytest.fixture
def platform(settings: Settings) -> Iterator[Platform]:
    """Where this process's gateway sends its requests."""
    with serving() as (platform, port):
        settings.PORT = port
        yield platform
    for ncco in platform.nccos():
        assert checked(ncco) == ncco
        assert longest_silence(ncco) <= LONGEST_SILENCE


@pytest.fixture
def files(settings: Settings) -> Iterator[Files]:
    """The platform's own store of recordings, where this process fetches them."""
    with keeping_files() as (files, port):
        settings.PORT = port
        yield files


@pytest.fixture
async def application(settings: Settings) -> AsyncIterator[Application]:
    """An application of the test's own at the simulator, in place of the product."""
    async with exchange_side.serving() as (application, port):
        settings.PORT, settings.PUBLIC_URL, settings.BIND_ADDRESS = port, application.url, "127.0.0.1"
        yield application


@pytest.fixture
def patient(settings: Settings) -> None:
    """A webhook that waits long for the reply, so that a slow machine changes nothing."""
    settings.VOICE_REPLY_BUDGET_MS = 20_000


@pytest.fixture(autouse=True)
async def _closed_pool() -> AsyncIterator[None]:
    """Every test has its own event loop, and so its own pool."""
    yield
    await async_connections.close()


@pytest.fixture
def line(patient: None, caller: Caller, platform: Platform) -> Iterator[Line]:
    """A caller who asked for a person; Ann and Ben are there."""
    with asking_for_a_person(caller, platform, Ann=AGENTS_PHONE, Ben=BENS_PHONE) as line:
        yield line
