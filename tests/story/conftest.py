"""Harbor Home Services with an empty record for each test of the story."""

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from tests.support.company import demo_company, empty_the_record


@pytest.fixture(scope="package")
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
