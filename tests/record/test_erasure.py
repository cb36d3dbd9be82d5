"""Erasing a person: nothing names them any more, everything still counts."""
import pytest
from conversations.services import erasers
pytestmark = pytest.mark.django_db

def test_every_table_is_declared() -> None:
    """A table of which nobody has said what an erasure does to it fails this test."""
    assert erasers.undeclared() == []
    assert set(erasers.ERASERS) | set(erasers.HOLDS_NOTHING) == set(erasers.tables())
    assert not set(erasers.ERASERS) & set(erasers.HOLDS_NOTHING)
