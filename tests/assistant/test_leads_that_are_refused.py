"""The lead system takes nothing for a while: what a form came to waits, is sent once it does, and is given up at last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.utils import timezone

from conversations.flows import keeping_promises
from conversations.models import Customer, Qualification, Ticket
from conversations.services.qualifying import MOST_TRIES
from tests.assistant.test_tools import qualified_on

pytestmark = pytest.mark.usefixtures("monday")
TABLE = Ticket._meta.db_table


@contextmanager
def refusing() -> Iterator[None]:
    """The help desk keeps no lead."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {TABLE} ADD CONSTRAINT no_leads_for_now CHECK (kind <> 'lead') NOT VALID")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT no_leads_for_now")


def sent_now(number: int) -> int:
    """Sends what is due once its pause is over; how many were confirmed."""
    Qualification.objects.filter(pk=number).update(next_at="2020-01-01T00:00:00Z")
    return keeping_promises.send_leads()


def state_of(number: int) -> tuple[str, int]:
    row = Qualification.objects.get(pk=number)
    return row.state, row.tries


def tried(number: int) -> None:
    """Refused as often as it is tried, and then given up."""
    with refusing():
        assert sent_now(number) == 0
        assert state_of(number) == ("waiting", 1)
        assert Qualification.objects.get(pk=number).next_at > timezone.now(), "it waits before it is tried again"
        for tries in range(2, MOST_TRIES):
            assert sent_now(number) == 0
            assert state_of(number) == ("waiting", tries)
        assert sent_now(number) == 0
    assert state_of(number) == ("failed", MOST_TRIES)
    assert Qualification.objects.get(pk=number).last_error
    assert sent_now(number) == 0
    assert not Ticket.objects.filter(kind="lead").exists()


def sent_later(number: int) -> None:
    """Refused once, and sent once when the help desk takes it."""
    with refusing():
        assert sent_now(number) == 0
    assert sent_now(number) == 1
    assert state_of(number) == ("done", 2)
    assert sent_now(number) == 0
    lead = Ticket.objects.get(kind="lead")
    assert lead.reference == Qualification.objects.get(pk=number).reference
    lead.delete()


@pytest.mark.parametrize("course", [tried, sent_later])
async def test_what_cannot_be_sent_is_tried_again_and_given_up_at_last(record: None, course: Callable[[int], None]) -> None:
    row, line = await qualified_on("chat")
    await sync_to_async(course)(row.pk)
    await Customer.objects.filter(conversations=line.conversation_id).aupdate(name="")
