"""What the record's tests share."""

import pytest

from conversations.models import EntryPoint
from tests.record import rows


@pytest.fixture
def company(db: None) -> EntryPoint:
    """A web page, a number, and a routing table that sends every need to a person. Returns the number."""
    rows.entry_point()
    rows.everybody_to_people()
    return rows.phone_line()
