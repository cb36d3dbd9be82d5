"""The company, loaded once, and the scene of each attack."""

from collections.abc import AsyncIterator, Iterator

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.db import connection
from pytest_django import DjangoDbBlocker, Settings

from conversations.models import EntryPoint, HostSiteKey, HostSiteToken, RetiredVisitor, SalesAccount, SharedIdentifier, Ticket
from conversations.services import async_connections
from tests.support import host_site
from tests.support.company import demo_company, empty_the_record
from tests.voice.rest_side import Platform, serving


@pytest.fixture(scope="package")
def company(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[HostSiteKey]:
    """Harbor Home Services with its playbook, and a key of its web site; another page of the house. Returns the key."""
    with django_db_blocker.unblock(), demo_company():
        page = EntryPoint.objects.get(channel="chat", address="/harborhome")
        EntryPoint.objects.filter(channel="voice").update(takes_texts=True)
        EntryPoint.objects.create(name="Other", channel="chat", address="/other", company_name="Other", playbook_code=page.playbook_code)
        with connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        yield host_site.key_for(page)


@pytest.fixture
def transactional_db(company: HostSiteKey, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The company with an empty record; stands in for pytest-django's fixture of this name, which would empty every table."""
    with django_db_blocker.unblock():
        start_anew()
        yield
        start_anew()


def start_anew() -> None:
    """Forgets every customer, and what was kept of browsers, tokens and values that many share, of tickets and of sales."""
    empty_the_record()
    HostSiteToken.objects.all().delete()
    SharedIdentifier.objects.all().delete()
    RetiredVisitor.objects.all().delete()
    Ticket.objects.all().delete()
    SalesAccount.objects.filter(number__startswith=f"{host_site.SYSTEM}:").delete()
    mail.outbox = []


@pytest.fixture
def platform(settings: Settings) -> Iterator[Platform]:
    """The phone platform's REST side; webhooks wait for the reply however slow the machine is."""
    with serving() as (platform, port):
        settings.PORT = port
        settings.VOICE_REPLY_BUDGET_MS = 20_000
        settings.CHAT_MESSAGES_PER_SECOND = 1000
        settings.CHAT_SESSIONS_PER_HOUR = 10_000
        yield platform


@pytest.fixture(autouse=True)
async def _closed_pool() -> AsyncIterator[None]:
    """Every test has its own event loop, and so its own pool."""
    yield
    await async_connections.close()


@pytest.fixture(autouse=True)
def empty_valkey() -> None:
    """Valkey keeps what was learned from the company's phrases."""
    assert django_settings.VALKEY_URL
