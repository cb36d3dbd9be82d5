"""The servers of a test run, and the fixtures every test may use."""

import pytest
from django.conf import settings
from django.core.cache import cache
from redis import Redis

from cxhub.embedded.services import Services
from tests.support.browser import browser, open_page
from tests.support.environment import start_services, stop_services
from tests.support.processes import web_processes, worker_processes

__all__ = ["browser", "open_page", "web_processes", "worker_processes"]

SERVICES: pytest.StashKey[Services | None] = pytest.StashKey()
LOADED_ONCE = {"assistant", "attacks", "story", "voice"}
"""The folders whose tests share a company for as long as they run on one worker without others between them."""
ON_THIS_MACHINE = ("unix://", "redis://localhost", "redis://127.0.0.1", "redis://[::1]")


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers once, in the process that the others (of xdist) belong to."""
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        config.stash[SERVICES] = start_services()
        refuse_valkey_with_data(settings.VALKEY_URL)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what drives a browser, put that last, and keep together what shares a company that is loaded once.

    From the first browser test on, Playwright's event loop runs in this thread and no other can, so `make test` gives
    the browser tests a run of their own.
    """
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
        folder = item.path.parent.name
        item.add_marker(pytest.mark.xdist_group(folder if folder in LOADED_ONCE else f"{folder}/{item.path.name}"))
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


def pytest_unconfigure(config: pytest.Config) -> None:
    if SERVICES in config.stash:
        stop_services(config.stash[SERVICES])


def refuse_valkey_with_data(url: str) -> None:
    """Tests empty the Valkey database they are given, so one on another machine must be empty already."""
    if not url.startswith(ON_THIS_MACHINE):
        with Redis.from_url(url) as client:
            if client.dbsize():
                pytest.exit("VALKEY_URL names a database that holds data, and tests would delete it. Name an empty one.", 2)


@pytest.fixture(autouse=True)
def empty_valkey() -> None:
    """Each test starts with an empty Valkey database: cache, limits and queued tasks."""
    cache.clear()
