"""The servers of a test run, and the fixtures every test may use."""

import contextvars
import functools
import gc
from collections.abc import Generator, Iterator

import hypothesis
import pytest
from _pytest.python import pytest_pyfunc_call as call_test
from django.conf import settings
from pytest_django import DjangoDbBlocker
from redis import Redis

from cxhub.embedded.services import Services
from tests.support.browser import browser, open_page
from tests.support.database import connections_out, database_of_tests, remove_migrated_database
from tests.support.environment import start_services, stop_services
from tests.support.processes import web_processes, worker_processes

__all__ = ["browser", "open_page", "web_processes", "worker_processes"]

SERVICES: pytest.StashKey[Services | None] = pytest.StashKey()
LONGEST_FIRST = ("attacks", "voice", "setup", "story", "assistant", "widget")
"""The folders that take longest, in this order; the short files of the others then keep every process busy up to the end."""
MOST_CONNECTIONS_OUT = 3
"""With the test's own thread, the one in which asynchronous code asks the database, and Playwright's."""
LEARNED = b":understanding:"
ON_THIS_MACHINE = ("unix://", "redis://localhost", "redis://127.0.0.1", "redis://[::1]")

# How long an example takes says how busy the machine is. Each run tries the same examples; `--hypothesis-profile explore` looks for others.
hypothesis.settings.register_profile("explore", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("tests", hypothesis.settings.get_profile("explore"), derandomize=True)
hypothesis.settings.load_profile("tests")


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers once, in the process that the others (of xdist) belong to."""
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        config.stash[SERVICES] = start_services()
        refuse_valkey_with_data(settings.VALKEY_URL)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Mark what drives a browser, and have the tests of a file, and of a folder, follow each other: they share what is loaded once.

    What drives a browser comes last: from the first such test on, Playwright's event loop runs in this thread and no other can.
    """
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    yield
    items.sort(key=place_in_the_run)


def place_in_the_run(item: pytest.Item) -> tuple[bool, int, str]:
    """What an order of tests is made of; tests of one file keep theirs."""
    folder = item.path.parent.name
    place = LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)
    return item.get_closest_marker("browser") is not None, place, str(item.path)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is loaded before the first test stays: it is not looked through for what could be freed, now or during the tests."""
    gc.disable()
    collected = yield
    gc.freeze()
    gc.enable()
    return collected


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object:
    """Runs each test in a context of its own.

    A request that a test makes leaves a variable in its context, for the connection of its event loop; and at each step from
    asynchronous code to threads and back all of them are copied, so that tests would become slower with each one that ran before.
    """
    return contextvars.copy_context().run(call_test, pyfuncitem)


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: DjangoDbBlocker,
    django_db_keepdb: bool,
    django_db_createdb: bool,
) -> Iterator[None]:
    """The test database. Stands in for pytest-django's fixture, which would run all migrations in each of the test processes."""
    one_of_many = hasattr(request.config, "workerinput")
    with django_db_blocker.unblock(), database_of_tests(one_of_many=one_of_many, keep=django_db_keepdb, anew=django_db_createdb):
        yield


def pytest_unconfigure(config: pytest.Config) -> None:
    if SERVICES in config.stash:
        remove_migrated_database()
        stop_services(config.stash[SERVICES])


def refuse_valkey_with_data(url: str) -> None:
    """Tests empty the Valkey database they are given, so one on another machine must be empty already."""
    if not url.startswith(ON_THIS_MACHINE):
        with Redis.from_url(url) as client:
            if client.dbsize():
                pytest.exit("VALKEY_URL names a database that holds data, and tests would delete it. Name an empty one.", 2)


@pytest.fixture(autouse=True)
def empty_valkey() -> None:
    """Each test starts with an empty Valkey database: cache, limits and queued tasks.

    What was learned from texts stays, since its key says from which: each process that a test starts would learn it anew.
    """
    if forgotten := [key for key in valkey().scan_iter(count=1000) if LEARNED not in key]:
        valkey().delete(*forgotten)


@pytest.fixture(autouse=True)
def connections_are_given_back() -> Iterator[None]:
    """What a test's threads leave taken is missing in a later test of the same process, which then fails in its place."""
    before = connections_out()
    yield
    left = connections_out()
    assert left <= max(before, MOST_CONNECTIONS_OUT), f"{left - before} database connections were taken and not given back"


@functools.cache
def valkey() -> Redis:
    return Redis.from_url(settings.VALKEY_URL)
